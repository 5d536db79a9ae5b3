# encoding: BINARY
# SPDX-License-Identifier: MIT
# Things in the place of files and directories: links out of the data directory, devices, FIFOs
# that nobody writes to, a gigabyte of zeros.
module Hostile
  # More of what a case may do.
  class Place
    # The good disk of this case alone, and no other.
    def own_disk
      device = File.join(File.dirname(dir), 'disk')
      FileUtils.cp(File.join(WORK, 'disk/good'), device)
      write 'disks', "colo: { web1: { good: { device: #{device} } } }\n"
    end

    # Beside a key file of bob.
    def strange_things
      write "keys/bob/#{'0' * 64}", 'a key file of his, which nobody else can read'
      link 'keys/bob/file', '../../../outside/file'
      link 'keys/bob/directory', '../../../outside'
      fifo 'keys/bob/fifo'
      write "keys/bob/a\e[2J\nb", 'x'
    end
  end

  # What stands there instead of a file; and what is said of it.
  THINGS = {
    'a link to a file beside the directory' => ['is a symbolic link', ->(at) { link(at, '../outside/file') }],
    'a link to a file of the system' => ['is a symbolic link', ->(at) { link(at, '/etc/passwd') }],
    'a link to endless zeros' => ['is a symbolic link', ->(at) { link(at, '/dev/zero') }],
    'a link to nothing' => ['is a symbolic link', ->(at) { link(at, '/nonexistent/file') }],
    'a link to itself' => ['is a symbolic link', ->(at) { link(at, File.basename(at)) }],
    'a FIFO' => ['is not a regular file', ->(at) { fifo(at) }],
    'a socket' => ['is not a regular file', ->(at) { socket(at) }],
    'a device' => ['is not a regular file', ->(at) { zeros(at) }],
    'a directory' => ['is not a regular file', ->(at) { directory(at) }],
    'a gigabyte of zeros' => ['is larger than', ->(at) { sparse(at) }]
  }.freeze

  THINGS.each do |what, (says, put)|
    %w[users disks settings].each do |file|
      refused("#{file}: #{what}", "#{file} #{says}") { instance_exec(file, &put) }
    end
  end
  %w[users disks].each do |file|
    refused("#{file}: nothing", "there is no file '#{file}' here") { remove file }
  end

  ['a link to a file of the system', 'a FIFO', 'a socket', 'a device'].each do |what|
    put = THINGS[what].last
    refused("keys: #{what}", 'keys is not a directory') { instance_exec('keys', &put) }
    refused("keys/alice: #{what}", 'alice is not a directory') { instance_exec('keys/alice', &put) }
  end
  refused('keys: a link to a directory', 'keys is not a directory') { link 'keys', '../outside' }
  refused('keys: a file', 'keys is not a directory') { remove 'keys'; write 'keys', 'x' }
  refused('keys/alice: a link to a directory', 'alice is not a directory') { link 'keys/alice', '../../outside' }
  refused('keys/alice: a link to keys/bob', 'alice is not a directory') { directory 'keys/bob'; link 'keys/alice', 'bob' }
  refused('keys/alice: a link to a large tree', 'alice is not a directory') { link 'keys/alice', '/' }
  refused('keys/alice: a file', 'alice is not a directory') { remove 'keys/alice'; write 'keys/alice', 'x' }
  refused('keys/alice.bak: a link in the place of what a crash left', 'alice.bak is not a directory') do
    remove 'keys/alice'
    link 'keys/alice.bak', '../../outside'
  end
  refused('keys/alice: a link beside a state of before', 'alice is not a directory') do
    FileUtils.mv path('keys/alice'), path('keys/alice.bak')
    link 'keys/alice', '../../outside'
  end
  refused('tmp: a link, where something is to be written', 'tmp is not a directory', words: %w[--garbage-collect],
          tools: %w[gpgconf]) do
    FileUtils.cp Dir[path('keys/alice/*')][0], path('keys/alice/again')
    link 'tmp', '../outside'
  end
  refused('tmp: a FIFO, where something is to be written', 'tmp is not a directory', words: %w[--garbage-collect],
          tools: %w[gpgconf]) do
    FileUtils.cp Dir[path('keys/alice/*')][0], path('keys/alice/again')
    fifo 'tmp'
  end

  # --- the directory of another, when a key of his is written or all of them are removed ---
  GRANT = %w[--trust-all --add-user bob].push(GOOD).freeze
  REMOVAL = %w[--violence --del-user bob ALL].freeze
  BOBS = %r{data/(keys/bob(/\h{64})?$|tmp)} # what may change then

  { 'a link to a directory' => ->(at) { link(at, '../../outside') }, 'a link to a large tree' => ->(at) { link(at, '/') },
    'a link to nothing' => THINGS['a link to nothing'].last, 'a FIFO' => THINGS['a FIFO'].last,
    'a file' => ->(at) { write(at, 'x') } }.each do |what, put|
    %w[bob bob.bak].each do |name|
      says = "keys/#{name} is not a directory itself: look who put it there (`git log keys`), and remove it"
      refused("keys/#{name}, when he is granted a disk: #{what}", says, words: GRANT, tools: %w[gpgconf]) do
        instance_exec("keys/#{name}", &put)
      end
      refused("keys/#{name}, when he leaves: #{what}", says, words: REMOVAL, tools: %w[gpgconf]) do
        instance_exec("keys/#{name}", &put)
      end
    end
  end
  set_aside('keys/bob, when he is granted a disk: links, FIFOs and strange names', 'keys/bob/a\x1b[2J\x0ab is no key file',
            words: GRANT, changes: BOBS) do
    own_disk
    strange_things
  end
  set_aside('keys/bob, when he leaves: links, FIFOs and strange names',
            ['keys/bob/a\x1b[2J\x0ab is no key file', 'keys/bob holds more than key files and stays',
             'the key files of bob are removed'],
            words: REMOVAL, changes: BOBS) do
    own_disk
    strange_things
  end
  refused('tmp: a link, when bob is granted a disk', 'tmp is not a directory', words: GRANT, tools: %w[gpgconf], errors: 3,
          changes: BOBS) do
    link 'tmp', '../outside'
  end

  # --- among the key files ---
  THINGS.each do |what, (says, put)|
    says = says == 'is larger than' ? 'evil is larger than' : 'keys/alice/evil is no key file and was passed over'
    set_aside("a key file: #{what}", says) { instance_exec('keys/alice/evil', &put) }
  end
  { 'a hidden name' => '.evil', 'a line break in its name' => "a\nb", 'a sequence for the terminal in its name' => "\e[2J" }
    .each do |what, name|
    set_aside("a key file: #{what}", 'is no key file and was passed over') { write "keys/alice/#{name}", 'x' }
  end
  { 'a name that is no UTF-8' => "\xff\xfe", 'a name that turns the direction' => "\xe2\x80\xaegpj",
    'a name that is an option' => '--output=x', 'a name as long as can be' => 'x' * 255, 'a name with % in it' => '%s%n%n',
    'a name of blanks' => '   ' }.each do |what, name|
    set_aside("a key file: #{what}", 'is left alone: not an armored OpenPGP message') { write "keys/alice/#{name}", 'x' }
  end
  set_aside('a key file: a gigabyte that begins as one', 'is larger than') do
    sparse 'keys/alice/evil', "-----BEGIN PGP MESSAGE-----\n"
  end
  set_aside('a key file: as much as is read, in one line', 'is left alone') do
    write 'keys/alice/evil', "-----BEGIN PGP MESSAGE-----\n\n#{'A' * (15 << 20)}"
  end
  set_aside('key files: twenty of sixteen megabytes', 'is left alone') do
    20.times { |i| sparse "keys/alice/0#{i}", '', 16 << 20 }
  end
  set_aside('key files: thirty that begin as messages, behind the good one', 'it is more than 256 MiB') do
    30.times { |i| sparse "keys/alice/x#{i}", "-----BEGIN PGP MESSAGE-----\n", 15 << 20 }
  end
  set_aside('key files: a thousand empty ones', ['is left alone', 'keys/alice: 990 more are left alone'], lines: 11) do
    1000.times { |i| write "keys/alice/#{i}", '' }
  end
  set_aside('key files: a thousand hidden ones', ['is no key file', 'keys/alice: 990 more are no key files'], lines: 11) do
    1000.times { |i| write "keys/alice/.#{i}", '' }
  end
  set_aside('a directory of nobody in keys, which nobody reads', nil, silent: true) { write 'keys/mallory/x', 'x' }
  set_aside('a state of before beside mine, which counts alone', nil, silent: true) { write 'keys/alice.bak/x', 'x' }
end
