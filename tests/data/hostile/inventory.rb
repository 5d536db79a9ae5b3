# encoding: BINARY
# SPDX-License-Identifier: MIT
# users, disks and settings as text: what is in them is refused with file and line, before anything
# else is looked at. In the good directory they have two, seven and no lines.
module Hostile
  self.wants_lines = true

  def self.users(title, lines, says)
    refused("users: #{title}", says) { append 'users', lines }
  end

  def self.admin_named(title, name, says)
    users("a name that #{title}", "#{name}: { slot: 5, gpg: #{STRANGER} }\n",
          ['users:3', 'cannot be the name of an admin', says])
  end

  def self.slot(title, value, says = "'slot' must be a number from 0 to 31")
    users("a slot that #{title}", "eve: { slot: #{value}, gpg: #{STRANGER} }\n", ['users:3', says])
  end

  def self.gpg(title, value, says)
    users("a fingerprint that #{title}", "eve: { slot: 5, gpg: #{value} }\n", ['users:3', says])
  end

  # The host web1, with these lines in it, is the whole file.
  def self.host(title, lines, says)
    refused("disks: #{title}", ["disks:#{lines.count("\n") + 2}", says]) do
      write 'disks', "colo:\n  web1:\n#{lines.gsub(/^/, '    ')}"
    end
  end

  def self.disk(title, name, says)
    host("a disk's name that #{title}", "#{name}: { device: sdb }\n", says)
  end

  def self.device(title, value, says)
    host("a device that #{title}", "data: { device: #{value} }\n", says)
  end

  def self.address(title, value, says) = host("an address that #{title}", "address: #{value}\n", says)
  def self.login(title, value, says) = host("a login that #{title}", "username: #{value}\n", says)

  def self.port(title, value, says = "'port' must be a number from 1 to 65535")
    host("a port that #{title}", "port: #{value}\n", says)
  end

  def self.settings(title, lines, says)
    refused("settings: #{title}", ["settings:#{lines.count("\n")}:", says]) { write 'settings', lines }
  end

  # One trick in each of the three files; says begins with the number of the line.
  def self.yaml(title, text, says)
    %w[users disks settings].each do |file|
      refused("#{file} as YAML: #{title}", "#{file}:#{says}") { write file, text }
    end
  end

  # --- names of admins, which are names of directories and files ---
  admin_named 'climbs out of keys/', "'..'", 'a meaning of its own'
  admin_named 'is keys/ itself', "'.'", 'a meaning of its own'
  admin_named 'goes down a directory', 'a/b', 'holds one of /'
  admin_named 'climbs by way of another', 'alice/../../etc', 'holds one of /'
  admin_named 'is an absolute path', '/etc/passwd', 'holds one of /'
  admin_named 'is the folder of public keys', 'public', 'folder of public keys'
  admin_named 'is the old state of another', 'alice.bak', 'the old state'
  admin_named 'hides', '.alice', "begins with '.'"
  admin_named 'is an option', '-rf', "begins with '-'"
  admin_named 'is a long option', '--homedir=x', "begins with '-'"
  admin_named 'is a word of targets', 'ALL', 'a meaning of its own'
  admin_named 'is nothing', "''", 'it is empty'
  admin_named 'is a pattern', "'a*'", 'holds one of /'
  admin_named 'is a list', "'a,b'", 'holds one of /'
  admin_named 'looks like another by a blank', "'alice '", 'a space'
  admin_named 'is longer than a file name may be', 'a' * 300, '255 bytes'
  admin_named 'is hardly a name but long', "'#{'ä' * 128}'", '255 bytes'

  # --- text that no line may hold ---
  [['a line break', '"a\nb"', 'several lines'], ['a NUL', '"a\0b"', '\x00'],
   ['an escape sequence', '"\e[2J"', '\x1b'], ['a DEL', '"\x7f"', '\x7f'],
   ['a C1 control', '"\x9b1m"', 'control character'],
   ['a right-to-left override', '"bob\u202egpj"', 'control character'],
   ['an isolate', '"\u2066bob"', 'control character'],
   ['a line separator', '"bob\u2028eve"', 'control character'],
   ['a byte order mark inside', '"bob\ufeff"', 'control character'],
   ['half a surrogate', '"\ud800"', 'users:3'], ['a character beyond Unicode', '"\U00110000"', 'users:3'],
   ['a raw override', "'bob\xe2\x80\xaegpj'", 'control character'],
   ['a raw NUL', "'a\0b'", 'control characters'], ['a raw escape', "'\e]0;x\a'", 'control characters'],
   ['bytes that are no UTF-8', "'\xff\xfe'", 'UTF-8'], ['an overlong slash', "'..\xc0\xaf'", 'UTF-8'],
   ['an overlong NUL', "'a\xe0\x80\x80'", 'UTF-8'], ['a raw surrogate', "'\xed\xa0\x80'", 'users:3'],
   ['half a character', "'a\xc3'", 'UTF-8'], ['a byte of Latin-1', "'M\xfcller'", 'UTF-8']].each do |what, text, says|
    users("#{what} in a name", "#{text}: { slot: 5, gpg: #{STRANGER} }\n", ['users:3', says])
  end
  users 'a sequence for the terminal in a word that is quoted back', "eve: { \"\\e[31m\": 5 }\n", 'users:3'
  users 'a word of a megabyte', "eve: { #{'x' * 1_000_000}: 5 }\n", 'users:3'

  # --- slots and fingerprints ---
  slot 'is negative', -1
  slot 'is one too many', 32
  slot 'is octal to others', '010'
  slot 'is hexadecimal', '0x1f'
  slot 'is a fraction', '1.0'
  slot 'has an exponent', '1e1'
  slot 'overflows', '18446744073709551620'
  slot 'has a sign', '+5'
  slot 'is in base 60 to others', '1:30'
  slot 'has an underscore', '1_0'
  slot 'is in other digits', "'\u0665'"
  slot 'is no number', '.nan'
  slot 'is a list', '[1]', 'must be a single value'
  slot 'is a mapping', '{ a: 1 }', 'must be a single value'
  slot 'is nothing', '~', 'has no value'
  slot 'is that of another', '1', "is that of 'bob' (line 2)"
  users 'no slot', "eve: { gpg: #{STRANGER} }\n", 'users:3: admin \'eve\' has no slot'
  users 'no fingerprint', "eve: { slot: 5 }\n", 'users:3: admin \'eve\' has no gpg'
  gpg 'is a short id', 'CCCCCCCC', '8 hex digits'
  gpg 'is a long id', 'CCCCCCCCCCCCCCCC', '16 hex digits'
  gpg 'is longer', 'C' * 64, '64 hex digits'
  gpg 'has a prefix', "0x#{STRANGER}", 'is no fingerprint'
  gpg 'is a search', "'<bob@example.org>'", 'is no fingerprint'
  gpg 'is an option', "'--export-secret-keys'", 'is no fingerprint'
  gpg 'is forty blanks', "'#{' ' * 40}'", 'is no fingerprint'
  gpg 'is that of another, written otherwise', "'#{ADMINS['bob'].downcase.scan(/..../).join(' ')}'",
      "is that of 'bob'"
  gpg 'is a list of two', "[#{STRANGER}, #{STRANGER}]", 'must be a single value'
  users 'a date of a leaver that is none', "eve: { slot: 5, gpg: #{STRANGER}, revoked: maybe }\n",
        'users:3: \'revoked\' must be a date'
  users 'a word that is none', "eve: { slot: 5, gpg: #{STRANGER}, sudo: yes }\n",
        'users:3: \'sudo\' is no setting of an admin'
  users 'one admin twice', "alice: { slot: 5, gpg: #{STRANGER} }\n", 'users:3: \'alice\' stands here a second time'
  users 'an admin who is a word', "eve: admin\n", 'users:3: \'eve\' must be a mapping'

  # --- YAML that is more than a table ---
  laughs = "a: &a [x,x,x,x,x,x,x,x,x]\n" + ('b'..'i').each_cons(1).map(&:first)
           .map { |c| "#{c}: &#{c} [#{(["*#{c.ord.pred.chr}"] * 9).join(',')}]\n" }.join
  yaml 'a billion laughs', laughs, '1: anchors (&) are not allowed'
  yaml 'an alias without an anchor', "a: *b\n", '1:'
  yaml 'a circle', "&a a: { b: *a }\n", '1: anchors (&) are not allowed'
  yaml 'a merge key', "a: { <<: { b: c } }\n", '1: merge keys (<<) are not allowed'
  yaml 'an object of Ruby', "a: !ruby/object:Gem::Installer {}\n", '1: tags (!) are not allowed'
  yaml 'a tag on a key', "!!binary YQ==: {}\n", '1: tags (!) are not allowed'
  yaml 'a tag under a prefix of its own', "%TAG !e! tag:evil,2000:\n---\n!e!x {}\n", '1: tags (%TAG) are not allowed'
  yaml 'two documents', "--- {}\n--- {}\n", '2: a second document begins'
  yaml 'two documents with an end between', "--- {}\n...\n---\na: b\n", '3: a second document begins'
  yaml 'another version of YAML', "%YAML 7.0\n--- {}\n", '1:'
  yaml 'a list where a mapping must be', "- a\n", '1: a mapping of'
  yaml 'a word where a mapping must be', "hello\n", '1: a mapping of'
  yaml 'a mapping as a key', "? { a: b }\n: c\n", '1: a key must be a single word'
  yaml 'a key that is missing', "? \n: c\n", '1: a key is missing'
  yaml 'one key twice', "\na: {}\nb: {}\n'a': {}\n", "4: 'a' stands here a second time (first in line 2)"
  yaml 'thirty-three levels', "#{'a: {' * 40}#{'}' * 40}\n", '1: nested more than 32 levels'
  yaml 'a hundred thousand brackets', '[' * 100_000, '1: nested more than 32 levels'
  yaml 'brackets on lines of their own', "[\n" * 100_000, '33: nested more than 32 levels'
  yaml 'dashes without end', '- ' * 100_000, '1: nested more than 32 levels'
  yaml 'question marks without end', '? ' * 100_000, '1:'
  yaml 'brackets that never close', "a: [b\n", "2: did not find expected ',' or ']'"
  yaml 'a quote that never closes', "a: 'b\nc: d\n", '3: found unexpected end of stream'
  yaml 'tabs', "a:\n\tb: c\n", '2: YAML is indented with spaces, never with tabs'
  yaml 'a text of many lines', "a: |\n  b\n  c\n", '1: a value may not go over several lines'
  yaml 'a NUL at the end', "a: {}\n\0", '2: control characters'
  yaml 'little-endian UTF-16', "\xff\xfea\0:\0 \0{\0}\0\n\0", '1:'
  yaml 'big-endian UTF-16', "\xfe\xff\0a\0:\0 \0{\0}\0\n", '1:'
  yaml 'more than a million values', "a: [#{'0,' * 1_100_000}]\n", '1: more than a million values'
  yaml 'a reserved character', "a: @b\n", '1:'
  yaml 'a backslash that means nothing', "a: \"\\q\"\n", '1:'
  %w[users disks settings].each do |file|
    refused("#{file}: sixteen megabytes of blanks and more", "#{file} is larger than 16777216 bytes", lineless: true) do
      write file, ' ' * ((16 << 20) + 1)
    end
    refused("#{file}: a word of sixteen megabytes", "#{file}:1:") { write file, "#{'x' * ((16 << 20) - 9)}: y\n" }
  end

  # --- groups, hosts and disks ---
  refused('disks: a group that climbs', 'disks:1: \'..\' cannot be the name of a group') { write 'disks', "..: {}\n" }
  refused('disks: a group that is two', 'disks:1: \'a,b\' cannot be the name') { write 'disks', "'a,b': {}\n" }
  refused('disks: a group that is everything', 'disks:1: \'ALL\' cannot be the name') { write 'disks', "ALL: {}\n" }
  refused('disks: a host that is an option of ssh', "disks:1: '-oProxyCommand=touch pwned' cannot be the name") do
    write 'disks', "a: { '-oProxyCommand=touch pwned': { d: { device: sdb } } }\n"
  end
  refused('disks: a host whose name is a command', 'disks:1: host \'$(reboot)\' needs an address') do
    write 'disks', "a: { '$(reboot)': { d: { device: sdb } } }\n"
  end
  refused('disks: a host that is a path', "disks:1: 'a/b' cannot be the name of a host") { write 'disks', "a: { a/b: {} }\n" }
  refused('disks: a host that is a list', "disks:1: 'b' must be a mapping") { write 'disks', "a: { b: [c] }\n" }
  disk 'climbs out of /dev/mapper', "'../sda'", 'holds one of /'
  disk 'is the control device', 'control', "device-mapper's own"
  disk 'is an option', '--force', "begins with '-'"
  disk 'holds a blank', "'a b'", "a mapping's name may hold"
  disk 'holds a dollar', "'$IFS'", "a mapping's name may hold"
  disk 'holds a quote', "\"a'b\"", "a mapping's name may hold"
  disk 'holds what udev would rewrite', "'ä'", "a mapping's name may hold"
  disk 'is longer than a mapping', 'd' * 128, '127 bytes'
  host 'a misspelt word with a value', "adress: 10.0.0.1\n", "did you mean 'address'?"
  host 'a word of settings', "uuid: x\n", 'belongs in the file settings'
  host 'a disk that is a list', "data: [sdb]\n", 'is no setting of a host'
  host 'a disk without a device', "data: {}\n", 'has no device'
  device 'climbs', '../etc/shadow', "holds '.' or '..'"
  device 'climbs at its end', '/dev/..', "holds '.' or '..'"
  device 'has another spelling', '/dev/./sda', "holds '.' or '..'"
  device 'is a directory', '/dev/', 'a directory'
  device 'is nothing', "''", 'has no value'
  device 'is null', '', 'has no value'
  device 'goes over two lines', '"sda\nsdb"', 'several lines'
  device 'holds a NUL', '"sda\0x"', '\x00'
  device 'is longer than a path', "/dev/#{'a/' * 3000}a", 'too long'
  device 'is a list', '[sda, sdb]', 'must be a single value'
  host 'one device twice', "a: { device: sdb }\nb: { device: /dev//sdb }\n", "has the device of 'a'"
  address 'is an option of ssh', "'-oProxyCommand=touch pwned'", "begins with '-'"
  address 'is a short option', '-F/tmp/evil', "begins with '-'"
  address 'holds a login', 'evil@10.0.0.1', 'belongs in username'
  address 'holds a command', "'a;touch pwned'", 'an address has letters'
  address 'holds a substitution', "'$(touch pwned)'", 'an address has letters'
  address 'holds backticks', "'`id`'", 'an address has letters'
  address 'is a path', '/tmp/socket', 'an address has letters'
  address 'is a URL', "'ssh://root@10.0.0.1'", 'belongs in username'
  address 'holds a blank', "'10.0.0.1 -oX=y'", 'an address has letters'
  address 'goes over two lines', '"a\nProxyCommand x"', 'several lines'
  address 'is too long', 'a' * 256, '255 bytes'
  address 'is a jump', "'a,b'", 'an address has letters'
  port 'is none', 0
  port 'is one too many', 65536
  port 'is negative', -22
  port 'has a tail', '22abc'
  port 'is an option', "'-oProxyCommand=x'"
  port 'is hexadecimal', '0x16'
  port 'is octal to others', '022'
  port 'has an exponent', '2e1'
  port 'overflows', '4294967318'
  port 'is in base 60 to others', '0:22'
  port 'is endless', '.inf'
  login 'is an option of ssh', "'-oProxyCommand=touch pwned'", "begins with '-'"
  login 'holds a command', "'root;id'", 'a login has letters'
  login 'holds a substitution', "'$(id)'", 'a login has letters'
  login 'holds a quote', "\"r'oot\"", 'a login has letters'
  login 'holds a backslash', "'DOM\\root'", 'a login has letters'
  login 'holds a blank', "'root -p'", 'a login has letters'
  login 'is another word with #', "'#root'", "the only word with '#'"
  login 'goes over two lines', '"root\nx"', 'several lines'
  login 'is a placeholder of ssh', "'%d'", 'a login has letters'
  host 'a hook that is no absolute path', "pre_open: evil\n", 'must be the absolute path'
  host 'a hook that climbs from nowhere', "pre_open: ../evil\n", 'must be the absolute path'
  host 'a hook that is an option', "pre_open: -rf\n", 'must be the absolute path'
  host 'a hook over two lines', "pre_open: \"/bin/true\\nreboot\"\n", 'several lines'
  host 'a hook with a NUL', "pre_open: \"/bin/true\\0x\"\n", '\x00'
  host 'a hook with words where Ruby Arver would take one', "pre_open: [/bin/sh, -c, reboot]\n", 'must be a single value'

  # --- settings ---
  settings 'a path that nobody knows', "/colo/web2: {}\n", "did you mean '/colo/web1'?"
  settings 'a path that climbs', "/colo/../colo: {}\n", 'there is no \'/colo/../colo\''
  settings 'a path with a slash at its end', "/colo/: {}\n", 'there is no \'/colo/\''
  settings 'a name in place of a path', "web1: {}\n", 'there is no \'web1\''
  settings 'everything', "/: {}\n", 'there is no \'/\''
  settings 'a word that is none', "/colo: { transprot: local }\n", "did you mean 'transport'?"
  settings 'a word of disks', "/colo/web1: { address: 10.0.0.1 }\n", 'belongs in the file disks'
  settings 'a transport that is none', "/colo: { transport: telnet }\n", 'must be one of ssh, openssh, local'
  settings 'a transport that is a command', "/colo: { transport: [sh, -c, reboot] }\n", 'must be a single value'
  settings 'a transport of a disk', "/colo/web1/good: { transport: local }\n", 'is for groups and hosts'
  settings 'a host after itself', "/colo/web1: { after: [/colo/web1] }\n", 'would come after itself'
  settings 'a host after nobody', "/colo/web1: { after: [/colo/nas] }\n", 'there is no \'/colo/nas\''
  settings 'a host after a disk', "/colo/web1: { after: [/colo/web1/good] }\n", 'is a disk: \'after\' takes hosts'
  settings 'a host after a host twice', "/colo/web1: { after: [/colo/web9, /colo/web9] }\n", "'/colo/web9'"
  settings 'a list of 65 hosts', "/colo/web1: { after: [#{(['/colo/web1'] * 65).join(',')}] }\n", '64 hosts at most'
  settings 'a uuid that is a path', "/colo/web1/good: { uuid: ../../etc }\n", "'uuid' must be a UUID"
  settings 'a uuid with a command', "/colo/web1/good: { uuid: '$(reboot)aaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa' }\n", "'uuid' must be a UUID"
  settings 'a uuid over two lines', "/colo/web1/good: { uuid: \"6b1e\\n\" }\n", 'several lines'
  settings 'a uuid of nothing', "/colo/web1/good: { uuid: '' }\n", 'has no value'
  settings 'a uuid of a whole host', "/colo/web1: { uuid: 6b1e }\n", 'is for disks'
  settings 'the slot of an admin as one of rescue', "/colo: { rescue_slots: [1] }\n", "is the slot of 'bob' (users:2)"
  settings 'a rescue slot out of range', "/colo: { rescue_slots: [32] }\n", 'a list of numbers from 0 to 31'
  settings 'a negative rescue slot', "/colo: { rescue_slots: [-1] }\n", 'a list of numbers from 0 to 31'
  settings 'one rescue slot twice', "/colo: { rescue_slots: [7, 7] }\n", 'stands in this list twice'
  settings 'rescue slots in a list in a list', "/colo: { rescue_slots: [[7]] }\n", 'a list of numbers from 0 to 31'
  settings 'a hook without words', "/colo/web1: { pre_open: [] }\n", 'a list of program and arguments'
  settings 'a hook of nothing', "/colo/web1: { pre_open: [~] }\n", 'a list of words'
  settings 'a hook with a list in it', "/colo/web1: { pre_open: [/bin/echo, [a]] }\n", 'a list of words'
  settings 'a hook that is an option', "/colo/web1: { pre_open: ['-c', /bin/sh] }\n", 'must be the absolute path'
  settings 'a hook whose program a placeholder gives', "/colo/web1/good: { pre_open: ['%D'] }\n", 'must be the absolute path'
  settings 'a placeholder that is none', "/colo/web1/good: { pre_open: [/bin/echo, '%s%n'] }\n", 'an unknown placeholder'
  settings 'a percent sign at the end', "/colo/web1/good: { pre_open: [/bin/echo, '5%'] }\n", 'an unknown placeholder'
  settings "a disk's placeholder in a host's hook", "/colo/web1: { pre_open: [/bin/echo, '%m'] }\n", 'stands for something of a disk'
  settings 'a hook with a NUL', "/colo/web1: { pre_open: [/bin/echo, \"a\\0b\"] }\n", '\x00'
  settings 'a hook over two lines', "/colo/web1: { pre_open: [/bin/sh, -c, \"true\\nreboot\"] }\n", 'several lines'
  settings 'a hook of a whole group', "/colo: { pre_open: /bin/true }\n", 'is for hosts and disks'
  %w[-1 0 1e308 .inf .nan 99999999999999999999 1d 2s3 0x10 86401 25h].each do |time|
    settings "a timeout of #{time}", "/colo: { timeout: { connect: #{time} } }\n", "'connect' must be"
  end
  settings 'a timeout that is none', "/colo: { timeout: { conect: 5 } }\n", "did you mean 'connect'?"
  settings 'a cipher that is none', "/colo: { luks: { cipher: cipher_null-ecb } }\n", 'does not encrypt'
  settings 'a cipher that is an option', "/colo: { luks: { cipher: --force-password } }\n", 'is not one that cryptsetup takes'
  settings 'a cipher with a command', "/colo: { luks: { cipher: 'aes-xts-plain64;reboot' } }\n", 'is not one that cryptsetup takes'
  settings 'a key that can be guessed', "/colo: { luks: { key_size: 8 } }\n", "'key_size' must be one of"
  settings 'sectors of three bytes', "/colo: { luks: { sector_size: 3 } }\n", "'sector_size' must be one of"
  settings 'a pbkdf that is none', "/colo: { luks: { pbkdf: none } }\n", "'pbkdf' must be one of"
  settings 'a header that is no LUKS', "/colo: { luks: { type: plain } }\n", "'type' must be one of luks1, luks2"
  settings 'a pbkdf that luks1 has not', "/colo: { luks: { type: luks1, pbkdf: argon2id } }\n", 'luks1 knows no pbkdf'

  circle = "colo:\n  a: { d: { device: sdb } }\n  b: { d: { device: sdb } }\n  c: { d: { device: sdb } }\n"
  refused('settings: a circle of three hosts', ["settings:", "'after' goes in a circle", 'colo/a', 'colo/b']) do
    write 'disks', circle
    write 'settings', "/colo/a: { after: [/colo/b] }\n/colo/b: { after: [/colo/c] }\n/colo/c: { after: [/colo/a] }\n"
  end
  refused('settings: a circle by way of a group', ["settings:", "'after' goes in a circle"]) do
    write 'disks', circle
    write 'settings', "/colo: { after: [/colo/a] }\n/colo/a: { after: [/colo/b] }\n"
  end
  refused('settings: one uuid for two disks', ['settings:2', 'is that of']) do
    write 'settings', %w[good other].map { |d| "/colo/web1/#{d}: { uuid: 6b1e0000-0000-4000-8000-000000000000 }\n" }.join
  end
  refused('settings: a hook that disks has already', ['settings:1', 'stands in the file disks as well']) do
    write 'disks', "colo:\n  web1:\n    pre_open: /bin/true\n"
    write 'settings', "/colo/web1: { pre_open: /bin/false }\n"
  end
  refused('settings: three hundred thousand hosts that wait for sixty-four each', ['settings:1', 'more than a million times']) do
    write 'disks', "colo:\n#{(0...300_000).map { |i| "  h#{i}: {}\n" }.join}"
    write 'settings', "/colo: { after: [#{(0...64).map { |i| "/colo/h#{i}" }.join(', ')}] }\n"
  end
  refused('settings: a circle of very many', "'after' goes in a circle") do
    write 'disks', "colo:\n#{(0...16_000).map { |i| "  h#{i}: {}\n" }.join}"
    write 'settings', "/colo: { after: [#{(0...64).map { |i| "/colo/h#{i}" }.join(', ')}] }\n"
  end

  # --- the part of the command line ---
  refused('the command line: an admin who climbs', 'there is no admin named ../bob', lineless: true,
          words: %w[-u ../bob --open ALL]) {}
  refused('the command line: a target that climbs', '../../etc', status: 2, lineless: true,
          words: %w[--open ../../etc]) {}
  refused('the command line: a target with a sequence for the terminal', 'no group, host or disk', status: 2, lineless: true,
          words: ['--open', "\e[2J"]) {}
  refused('the command line: a grant to somebody who climbs', 'users knows no admin named ../public', status: 2, lineless: true,
          words: ['--add-user', '../public', 'ALL']) {}
end
