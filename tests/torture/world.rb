# SPDX-License-Identifier: MIT
# A small world to be tortured: three admins with GPG keys, one disk, a data directory, a real sshd,
# and saved states of all that, to begin from again and again. It lies in memory where there is
# room. What it starts it ends, by process id.
require 'fileutils'
require 'open3'
require 'socket'
require 'timeout'

# One directory with all of it.
class World
  SLOTS = { 'alice' => 0, 'bob' => 1, 'carol' => 2 }.freeze
  PATH_OF_DISK = '/colo/web1/one'
  SIZES = { 'luks1' => 4 << 20, 'luks2' => 20 << 20 }.freeze
  HERE = __dir__
  TOP = File.expand_path('../..', HERE)
  CUT_SO = File.join(TOP, 'build/tests/cut.so')
  LIMIT_S = 120
  LOCK_S = 30

  # What a command said and did. calls: how many calls counted; cuts: at how many it was cut.
  Run = Struct.new(:words, :status, :out, :err, :calls, :cuts, :log)

  def self.home(dir, admin)
    File.join(dir, 'home', admin, '.gnupg')
  end

  # The admins' homes, made once; each world gets a copy. They have signed each other's keys.
  def self.make_admins(dir)
    SLOTS.each_key do |admin|
      FileUtils.mkdir_p(home(dir, admin), mode: 0o700)
      gpg(dir, admin, '--gen-key', input: <<~KEY)
        Key-Type: EDDSA
        Key-Curve: ed25519
        Subkey-Type: ECDH
        Subkey-Curve: cv25519
        Name-Real: #{admin}
        Expire-Date: 0
        %no-protection
        %commit
      KEY
      fingerprint = gpg(dir, admin, '--with-colons', '--list-keys')[/^fpr:+([0-9A-F]+):/, 1]
      File.write(File.join(dir, 'home', admin, 'fingerprint'), fingerprint)
      File.write(File.join(dir, 'home', admin, 'public'), gpg(dir, admin, '--armor', '--export'))
    end
    SLOTS.keys.permutation(2) do |admin, other|
      gpg(dir, admin, '--import', File.join(dir, 'home', other, 'public'))
      gpg(dir, admin, '--quick-lsign-key', File.read(File.join(dir, 'home', other, 'fingerprint')))
    end
    end_agents(dir)
  end

  def self.gpg(dir, admin, *words, input: '')
    out, err, status = Open3.capture3({ 'GNUPGHOME' => home(dir, admin) }, 'gpg', '--batch',
                                      '--quiet', '--yes', *words, stdin_data: input)
    raise "gpg #{words.join(' ')}: #{err}" unless status.success?

    out
  end

  def self.end_agents(dir)
    SLOTS.each_key do |admin|
      system('gpgconf', '--homedir', home(dir, admin), '--kill', 'all', err: '/dev/null')
    end
  end

  attr_reader :dir

  def initialize(dir, admins, program)
    @dir = dir
    @program = program
    @locks = []
    FileUtils.mkdir_p([at('saved'), at('live')])
    FileUtils.cp_r(File.join(admins, 'home'), dir, preserve: true)
    begin_sshd
  end

  def at(*names)
    File.join(@dir, *names)
  end

  def gnupg(admin)
    World.home(@dir, admin)
  end

  def image
    at('image')
  end

  def close
    end_sshd
    World.end_agents(@dir)
    @locks.uniq.each { |lock| FileUtils.rm_f(lock) }
    FileUtils.rm_rf(@dir)
  end

  # --- states -----------------------------------------------------------------------------

  # A data directory without keys and an empty disk.
  def lay_out(type)
    FileUtils.rm_rf(at('live'))
    FileUtils.mkdir_p([at('live/data/keys/public'), at('live/state')])
    File.write(at('live/data/users'), SLOTS.map do |admin, slot|
      "'#{admin}': { 'slot': #{slot}, 'gpg': '#{fingerprint(admin)}' }\n"
    end.join)
    File.write(at('live/data/disks'), <<~DISKS)
      'colo':
        'web1':
          'address': '127.0.0.1'
          'port': '#{@port}'
          'one': { 'device': '#{image}' }
    DISKS
    SLOTS.each_key { |admin| FileUtils.cp(at('home', admin, 'public'), data('keys/public', admin)) }
    File.open(image, 'w') { |f| f.truncate(SIZES.fetch(type)) }
    transport('local', type)
  end

  # As if it had always been so: nobody here remembers the host otherwise.
  def transport(transport, type)
    FileUtils.rm_f(Dir[at('live/state/*/arver/*/pins')])
    words = "luks: { type: #{type} }"
    words += ', transport: local' if transport == 'local'
    Dir[at('live/data*')].each { |dir| File.write(File.join(dir, 'settings'), "/colo: { #{words} }\n") }
  end

  def data(*names)
    at('live/data', *names)
  end

  def fingerprint(admin)
    File.read(at('home', admin, 'fingerprint'))
  end

  def save(name)
    FileUtils.rm_rf(at('saved', name))
    FileUtils.mkdir_p(at('saved', name))
    FileUtils.cp_r(at('live'), at('saved', name), preserve: true)
    copy_sparse(image, at('saved', name, 'image'))
  end

  def saved?(name)
    Dir.exist?(at('saved', name))
  end

  # The image stays the same file: the lock of a format is named after its inode.
  def restore(name)
    FileUtils.rm_rf(at('live'))
    FileUtils.cp_r(at('saved', name, 'live'), @dir, preserve: true)
    copy_sparse(at('saved', name, 'image'), image)
  end

  # --- commands ---------------------------------------------------------------------------

  # Run arver to its end. cut: settings of cut.c for arver itself; server: the same for every
  # cryptsetup that it starts on the server.
  def run(admin, words, cut: nil, server: nil, clone: 'data')
    finish(start(admin, words, cut: cut, server: server, clone: clone))
  end

  Started = Struct.new(:pid, :words, :base, :ends)

  def start(admin, words, cut: nil, server: nil, clone: 'data')
    base = at("run.#{clone}")
    env = environment(admin, clone)
    %w[counter log].each { |name| FileUtils.rm_f("#{base}.#{name}") }
    File.binwrite("#{base}.counter", "\0" * 16)
    env.merge!(cut_environment('arver', base, cut)) if cut
    set_server(cut_environment('cryptsetup', base, server)) if server
    pid = Process.spawn(env, @program, *words, unsetenv_others: true, in: '/dev/null',
                                               out: "#{base}.out", err: "#{base}.err")
    Started.new(pid, words, base, Time.now + LIMIT_S)
  end

  def finish(started)
    status = wait(started)
    settle
    FileUtils.rm_f(at('server-cut'))
    calls, cuts = File.binread("#{started.base}.counter").unpack('Q2')
    log = File.exist?("#{started.base}.log") ? File.readlines("#{started.base}.log", chomp: true) : []
    Run.new(started.words, status.exitstatus || 128 + status.termsig,
            File.binread("#{started.base}.out"), File.binread("#{started.base}.err"), calls, cuts, log)
  end

  # Wait until nothing that arver began on the server is at work any more.
  def settle
    stat = File.stat(image)
    lock_names = ["#{stat.dev}:#{stat.ino}", Header.uuid_in(image)].compact
    lock_names.each do |name|
      path = "/run/lock/arver-#{name}"
      next unless File.exist?(path)

      @locks << path
      File.open(path) { |lock| wait_for_lock(lock, path) }
    end
  end

  # The lines of an admin's journals, without the heads.
  def journal(admin)
    Dir[at('live/state', admin, 'arver/*/journal')].flat_map { |path| File.readlines(path, chomp: true) }
                                                   .grep_v(/\Aarver-journal/)
  end

  # Texts in which no key may ever stand.
  def texts
    paths = Dir[at('live/state/**/*'), at('live/data*/tmp/*'), at('live/data*/tmp/.arver*')]
    paths.select { |path| File.file?(path) }.to_h { |path| [path, File.binread(path)] }
  end

  private

  def environment(admin, clone)
    {
      'HOME' => at('home', admin), 'GNUPGHOME' => gnupg(admin), 'LC_ALL' => 'C',
      'PATH' => "#{HERE}/admin:/usr/sbin:/usr/bin:/sbin:/bin",
      'TORTURE_SSH_CONFIG' => at('ssh_config'), 'ARVER_USER' => admin,
      'ARVER_DIR' => at('live', clone), 'XDG_STATE_HOME' => at('live/state', admin)
    }
  end

  def cut_environment(program, base, cut)
    { 'LD_PRELOAD' => CUT_SO, 'CUT_PROGRAM' => program, 'CUT_DEVICES' => image,
      'CUT_COUNTER' => "#{base}.counter", 'CUT_LOG' => "#{base}.log" }.merge(cut)
  end

  def set_server(env)
    File.write(at('server-cut'), env.map { |name, value| "export #{name}='#{value}'\n" }.join)
  end

  def wait(started)
    Timeout.timeout([started.ends - Time.now, 1].max) { Process.wait2(started.pid)[1] }
  rescue Timeout::Error
    Process.kill('KILL', started.pid)
    Process.wait2(started.pid)[1]
  end

  def wait_for_lock(lock, path)
    ends = Time.now + LOCK_S
    until lock.flock(File::LOCK_EX | File::LOCK_NB)
      raise "#{path} is held for ever" if Time.now > ends

      sleep 0.005
    end
  end

  # Only what is not a hole.
  def copy_sparse(from, to)
    File.open(from, 'rb') do |source|
      File.open(to, File::WRONLY | File::CREAT | File::TRUNC | File::BINARY) do |target|
        target.truncate(source.size)
        at = 0
        while (at = next_data(source, at))
          hole = source.seek(at, IO::SEEK_HOLE) && source.pos
          target.seek(at)
          IO.copy_stream(source, target, hole - at, at)
          at = hole
        end
      end
    end
  end

  def next_data(file, at)
    file.seek(at, IO::SEEK_DATA)
    file.pos
  rescue Errno::ENXIO
    nil
  end

  # --- the server -------------------------------------------------------------------------

  def begin_sshd
    FileUtils.mkdir_p('/run/sshd')
    %w[host_key id].each { |name| system('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', at(name)) }
    @port = TCPServer.open('127.0.0.1', 0) { |free| free.addr[1] }
    options = {
      ListenAddress: '127.0.0.1', Port: @port, PidFile: 'none', HostKey: at('host_key'),
      AuthorizedKeysFile: at('id.pub'), StrictModes: 'no', UsePAM: 'no', PasswordAuthentication: 'no',
      MaxStartups: 300, PermitRootLogin: 'yes', LogLevel: 'ERROR', PrintMotd: 'no',
      SetEnv: "PATH=#{HERE}/server:/usr/sbin:/usr/bin:/sbin:/bin TORTURE_CUT=#{at('server-cut')} SHLVL=2"
    }
    @sshd = Process.spawn('/usr/sbin/sshd', '-D', '-f', '/dev/null', '-E', at('sshd.log'),
                          *options.flat_map { |name, value| ['-o', "#{name}=#{value}"] })
    write_ssh_settings
    await_sshd
  end

  def write_ssh_settings
    File.write(at('ssh_config'), <<~CONFIG)
      IdentityFile #{at('id')}
      IdentitiesOnly yes
      IdentityAgent none
      UserKnownHostsFile #{at('known_hosts')}
      GlobalKnownHostsFile none
    CONFIG
    key = File.read(at('host_key.pub')).split.first(2).join(' ')
    File.write(at('known_hosts'), "[127.0.0.1]:#{@port} #{key}\n")
  end

  def await_sshd
    1000.times do
      TCPSocket.open('127.0.0.1', @port, &:close)
      return
    rescue Errno::ECONNREFUSED
      sleep 0.01
    end
    raise "no sshd on port #{@port}"
  end

  def end_sshd
    return unless @sshd

    Process.kill('TERM', @sshd)
    Process.wait(@sshd)
    @sshd = nil
  end
end
