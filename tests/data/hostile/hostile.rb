# encoding: BINARY
# SPDX-License-Identifier: MIT
# Data directories that somebody has tampered with, made from the good one of the test that runs this:
#
#   hostile.rb CASES.rb [PART OF A TITLE]   in the directory of that test
#
# A case says in a line what it attacks, what is put in place for that, and what arver is to say. It
# is run by the build with AddressSanitizer and by the plain one, the latter with a gigabyte of memory
# and under strace; each time within a deadline. Whatever the case: no host is contacted, nothing of
# the directory is changed or anything beside it, and what is said has no byte that upsets a terminal.
require 'digest'
require 'etc'
require 'fileutils'
require 'open3'
require 'socket'
require 'zlib'
require_relative '../../unit/ruby_keys'

Encoding.default_external = Encoding::BINARY

module Hostile
  DEADLINE = 120 # seconds; most take less than one, and some five of the processor's
  MEMORY = 1 << 30
  WORK = Dir.pwd
  GOOD = '/colo/web1/good'
  STRANGER = 'C' * 40 # a fingerprint of nobody
  ADMINS = %w[alice bob].to_h { |name| [name, File.read("home/#{name}/fingerprint").strip] }

  Case = Struct.new(:title, :status, :says, :silent, :errors, :lines, :lineless, :words, :tools, :plain_only, :changes,
                    :place, keyword_init: true)

  @cases = []
  @workers = 3
  class << self
    attr_reader :cases
    attr_accessor :workers, :watches_keyring, :wants_lines

    # The keys that alice has, where cases could give her more.
    def keyring
      return [] unless watches_keyring

      `gpg --batch --with-colons --list-keys 2>/dev/null`.lines
    end

    def restore_keyring
      return unless watches_keyring

      system('gpg', '--batch', '--yes', '--delete-keys', ADMINS['bob'], err: '/dev/null')
    end
  end

  # What a case may do to its directory.
  class Place
    attr_reader :dir

    def initialize(dir)
      @dir = dir
    end

    def path(name) = File.join(@dir, name)

    def write(name, content)
      FileUtils.mkdir_p(File.dirname(path(name)))
      File.binwrite(path(name), content)
    end

    def append(name, content) = write(name, (File.exist?(path(name)) ? read(name) : '') + content)
    def read(name) = File.binread(path(name))
    def remove(name) = FileUtils.rm_rf(path(name))

    def link(name, target)
      remove(name)
      FileUtils.mkdir_p(File.dirname(path(name)))
      File.symlink(target, path(name))
    end

    def fifo(name)
      remove(name)
      File.mkfifo(path(name))
    end

    def socket(name)
      remove(name)
      UNIXServer.new(path(name)).close
    end

    def zeros(name)
      remove(name)
      system('mknod', path(name), 'c', '1', '5', exception: true)
    end

    def directory(name)
      remove(name)
      FileUtils.mkdir_p(path(name))
    end

    def sparse(name, head = '', size = MEMORY)
      write(name, head)
      File.truncate(path(name), size)
    end
  end

  # Judges one case, as one build of the program takes it.
  class Trial
    attr_reader :faults

    def initialize(kase, number, program)
      @case = kase
      @program = program
      @top = File.join(WORK, 'hostile', "#{number}-#{program}")
      @faults = []
    end

    def run
      prepare
      before = state
      start
      judge_words
      judge_calls
      @faults << 'the directory, what is beside it, or the keyring was changed' if state != before
      FileUtils.rm_rf(@top) if @faults.empty?
      Hostile.restore_keyring
      self
    end

    def prepare
      FileUtils.mkdir_p(@top)
      FileUtils.cp_r(File.join(WORK, 'data'), File.join(@top, 'data'), preserve: true)
      FileUtils.mkdir_p(File.join(@top, 'outside'))
      File.write(File.join(@top, 'outside/file'), 'not of the data directory')
      Place.new(File.join(@top, 'data')).instance_exec(&@case.place)
    end

    # Everything under @top, but for the large files' bytes.
    def state
      files + (@case.changes == /keyring/ ? [] : Hostile.keyring)
    end

    def files
      names = Dir.glob("#{@top}/{data,outside}/**/*", File::FNM_DOTMATCH).sort
      names.reject { |name| @case.changes && name =~ @case.changes }.map do |name|
        stat = File.lstat(name)
        small = stat.file? && stat.size < 1 << 20
        [name, stat.ftype, stat.size, stat.mode, small && Digest::SHA256.file(name).hexdigest]
      end
    end

    def command
      arver = [File.join(WORK, 'bin', @program), '-c', File.join(@top, 'data'), '-u', 'alice',
               *@case.words]
      return arver if @program == 'arver'

      ['strace', '-f', '-qq', '-o', File.join(@top, 'trace'), '-e', 'trace=execve,network',
       '-e', 'signal=none', 'prlimit', "--as=#{MEMORY}", *arver]
    end

    def start
      home = File.join(WORK, '.', 'home', 'alice')
      env = { 'HOME' => "#{WORK}/./home/alice", 'GNUPGHOME' => "#{home}/.gnupg",
              'CALLS' => File.join(@top, 'calls') }
      @out = File.join(@top, 'out')
      @err = File.join(@top, 'err')
      File.write(env['CALLS'], '')
      pid = Process.spawn(env, *command, in: :close, out: @out, err: @err, pgroup: true)
      waiter = Process.detach(pid)
      unless waiter.join(DEADLINE)
        Process.kill(:KILL, -pid)
        @faults << "it hangs: no end after #{DEADLINE} s"
      end
      @status = waiter.value.exitstatus
    end

    def judge_words
      out = File.binread(@out)
      err = File.binread(@err)
      @faults << "status #{@status}, not #{@case.status}" if @status != @case.status
      Array(@case.says).each { |text| @faults << "lacks: #{text}" unless (out + err).include?(text.b) }
      @faults << 'it was to say nothing' if @case.silent && !err.empty?
      @faults << 'a sanitizer complains' if err =~ /Sanitizer|runtime error:|ssertion/
      @faults << 'unprintable bytes' unless printable?(out) && printable?(err)
      @faults << 'a line twice' if err.lines.uniq!
      @faults << "#{err.lines.size} lines, not #{@case.lines}" if @case.lines && err.lines.size != @case.lines
      @faults << 'an endless line' if err.lines.any? { |line| line.size > 1000 }
      judge_refusal(out, err) if @case.status > 1
    end

    def judge_refusal(out, err)
      @faults << 'not one sentence' if err.scan(/^error: /).size != (@case.errors || 1)
      @faults << 'output on stdout' unless out.empty?
      return if @case.lineless || !Hostile.wants_lines

      @faults << 'no line is named' if err !~ /(users|disks|settings):\d+: /
    end

    # Neither controls nor what turns the direction of writing.
    def printable?(text)
      utf8 = text.dup.force_encoding('UTF-8')
      utf8.valid_encoding? && utf8 !~ /[^\P{Cc}\n]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/
    end

    # Programs are seen by their names in bin/, packets by strace.
    def judge_calls
      calls = File.readlines(File.join(@top, 'calls'), chomp: true).uniq - @case.tools
      @faults << "runs #{calls.join(', ')}" unless calls.empty?
      trace = File.join(@top, 'trace')
      return unless File.exist?(trace)

      lines = File.binread(trace).lines
      @faults << 'strace saw nothing' if lines.grep(/execve\(.*arver-plain/).empty?
      @faults << 'a socket to the net' if lines.any? { |l| l =~ /AF_INET|AF_NETLINK|AF_PACKET/ }
      return unless @case.tools.empty?

      started = lines.grep(/execve\(/).grep(/= 0$/).size
      @faults << "#{started} programs run, not prlimit and arver alone" if started != 2
    end

    def show
      puts "FAILED: #{@case.title} (#{@program}, see #{@top})"
      @faults.each { |fault| puts "  #{fault}" }
      puts File.binread(@err).lines.first(12).map { |l| "  | #{l}" } if @err && File.exist?(@err)
    end
  end

  module_function

  # Refused in one sentence: no host is contacted, and no program is run but those tools.
  def refused(title, says, status: 3, words: %w[--open ALL], tools: [], **options, &place)
    cases << Case.new(title:, status:, says:, words:, tools:, place:, **options)
  end

  # What is set aside is told, or else the title says why not; the key of the good disk is there all the same.
  def set_aside(title, says, status: 0, words: ['--dump-key', GOOD], tools: %w[gpgconf], silent: false, **options, &place)
    raise "#{title}: what is said?" if says.nil? != silent

    says = [*says, File.read(File.join(WORK, 'good.key'))] if words[0] == '--dump-key'
    cases << Case.new(title:, status:, says:, silent:, words:, tools:, place:, **options)
  end

  # Programs that tell when they are run, and then go on as the real ones; but ssh never does.
  def stand_ins
    %w[gpgconf cryptsetup].each { |name| stand_in(name, "exec #{real(name)} \"$@\"") }
    stand_in('ssh', 'exit 255')
  end

  def real(name)
    ENV['PATH'].split(':').map { |dir| File.join(dir, name) }
               .find { |file| !file.start_with?(WORK) && File.executable?(file) }
  end

  def stand_in(name, line)
    file = File.join(WORK, 'bin', name)
    File.write(file, "#!/bin/sh\n[ -z \"$CALLS\" ] || echo #{name} >>\"$CALLS\"\n#{line}\n")
    File.chmod(0o755, file)
  end

  def run(only)
    stand_ins
    chosen = cases.each_with_index.select { |kase, _| kase.title.include?(only) }
    queue = Queue.new
    chosen.each do |kase, number|
      builds = kase.plain_only ? ['arver-plain'] : ['arver', 'arver-plain']
      builds.each { |build| queue << [kase, number, build] }
    end
    queue.close
    bad = Queue.new
    Array.new(workers) { Thread.new { while (trial = queue.pop) do judge(bad, *trial) end } }.each(&:join)
    puts "# #{chosen.size} cases, #{bad.size} trials failed"
    exit 1 if !bad.empty? || chosen.empty?
  end

  def judge(bad, kase, number, program)
    began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    trial = Trial.new(kase, number, program).run
    took = Process.clock_gettime(Process::CLOCK_MONOTONIC) - began
    puts format('%5.2f %s (%s)', took, kase.title, program) if ENV['TIMES']
    return if trial.faults.empty?

    bad << trial
    trial.show
  end
end

cases, only = ARGV
load File.expand_path(cases, __dir__)
Hostile.run(only || '')
