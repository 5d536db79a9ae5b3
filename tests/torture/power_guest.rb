# SPDX-License-Identifier: MIT
# The machine whose power is cut: the lab's guest with its disks, as files on the host. Orders go in as
# files, what it does comes out as lines. A cut is kill -9 of all its processes, from outside.
require 'fileutils'
require 'io/wait'

# One guest; it may be booted again and again on the same disks.
class Guest
  HERE = __dir__
  TOP = File.expand_path('../..', HERE)
  STORES = { data: 'survivor', state: 'survivor-disks' }.freeze # as tests/lab/boot calls them
  STORE_SIZE = 64 << 20
  DISK_SIZE = 20 << 20
  BOOT_S = 120
  RUN_S = 180

  # The guest ended, or said nothing for too long.
  class Lost < StandardError; end

  attr_reader :says

  # disks: their number. The first is /dev/ubdc in the guest.
  def initialize(dir, disks)
    @dir = dir
    @disks = Array.new(disks) { |i| File.join(dir, "disk#{i}") }
    FileUtils.mkdir_p(orders)
    STORES.each_value { |name| make_file_system(name) }
    @disks.each { |disk| File.open(disk, 'w') { |f| f.truncate(DISK_SIZE) } }
  end

  def self.device(number)
    "ubd#{('c'.ord + number).chr}"
  end

  def orders(*names)
    File.join(@dir, 'orders', *names)
  end

  # ssh: with a host that can be logged in to.
  def boot(ssh:)
    Dir[orders('[0-9]*')].each { |order| File.delete(order) }
    ssh ? FileUtils.touch(orders('ssh')) : FileUtils.rm_f(orders('ssh'))
    @number = 0
    words = @disks.flat_map { |disk| ['-d', disk] }
    @out, inner = IO.pipe
    @pid = Process.spawn(File.join(TOP, 'tests/lab/boot'), '-m', '512M', '-t', '3600', '-k', @dir, *words,
                         File.join(HERE, 'power-cut-story'), in: '/dev/null', out: inner, err: inner)
    inner.close
    @rest = +''
    await('READY', BOOT_S)
    @group = `pgrep -P #{@pid} linux.uml`.to_i
    raise Lost, 'its processes are not to be found' unless @group.positive?
  end

  def up?
    !@pid.nil?
  end

  # Begin, and come back when arver is about to start.
  def begin_run(words)
    order(words)
    @says = []
    await('START', RUN_S)
    @started = now
    @written = nil
    @last_write = last_write
  end

  # Its exit status, how long it took, and how long the part that began with its first write to a disk.
  def run(words)
    begin_run(words)
    status = await('END', RUN_S, watch: true)
    [status.to_i, *taken]
  end

  # New names in the inventory, and these disks emptied.
  def renew(files, disks)
    files.each { |name, text| File.write(orders(name), text) }
    order("inventory #{disks.map { |number| Guest.device(number) }.join(' ')}")
    await('END', RUN_S)
  end

  # Let this much time pass from the start, or from the first write to a disk, and cut. If the program
  # ended before, its exit status and what it took.
  def cut_after(seconds, from_first_write:)
    status = from_first_write && await('END', RUN_S, watch: true) { @written }
    moment = (from_first_write && @written || @started) + seconds
    status ||= await('END', RUN_S, watch: true) { now >= moment }
    took = taken
    sleep([moment - now, 0].max)
    cut
    status ||= @rest[/^@@ END (\d+)/, 1]
    [status&.to_i, took]
  end

  # Gone when nothing of it holds the pipe any more.
  def cut
    return unless @pid

    @group ? Process.kill(:KILL, -@group) : Process.kill(:TERM, @pid)
    @rest << @out.read
    Process.wait(@pid)
    @out.close
    @pid = @group = nil
  end

  # What is on the disks at this instant, as copies.
  def snapshot(to)
    FileUtils.rm_rf(to)
    FileUtils.mkdir_p(to)
    system('cp', '--sparse=always', *images, to, exception: true)
    to
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  private

  def images
    STORES.values.map { |name| File.join(@dir, name) } + @disks
  end

  # Complete from the beginning: the guest's kernel is not to write to it of its own accord.
  def make_file_system(name)
    file = File.join(@dir, name)
    File.open(file, 'w') { |f| f.truncate(STORE_SIZE) }
    system('mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', file, exception: true)
  end

  # A whole file or none: the guest looks for it all the time.
  def order(words)
    @number += 1
    File.write(orders('new'), "#{words}\n")
    File.rename(orders('new'), orders(@number.to_s))
  end

  def taken
    ended = now
    [ended - @started, ended - (@written || ended)]
  end

  def last_write
    images.map { |image| File.mtime(image) }.max
  end

  # Lines up to this one; what stands behind its first word. Or nil, when the block says so.
  def await(word, seconds, watch: false)
    ends = now + seconds
    loop do
      while (line = @rest.slice!(/\A.*\n/))
        return Regexp.last_match(1) if line =~ /\A@@ #{word}(?: (.*))?$/

        @says&.push(line.chomp.delete_prefix('@@ SAYS '))
      end
      @written ||= now if watch && last_write != @last_write
      return if block_given? && yield

      raise Lost, "no #{word} from the guest: #{said}" if now > ends

      @rest << @out.readpartial(65_536) if @out.wait_readable(watch ? 0.001 : 1)
    end
  rescue EOFError
    raise Lost, "the guest ended before it said #{word}: #{said}"
  end

  def said
    @says&.join(' | ')
  end
end
