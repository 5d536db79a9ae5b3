# SPDX-License-Identifier: MIT
# An inventory whose names, paths and hooks hold every byte that it lets through, and whether they
# arrived as they are.
#
#   every_byte.rb make DIR PORT TRANSPORT LOGIN   disks and settings in DIR/data, images and hooks they name
#   every_byte.rb judge DIR TRANSPORT LOGIN VERB...
#                                            words that cryptsetup, hooks and sudo were started with, in DIR/seen/*
#   every_byte.rb make_login DIR TRANSPORT   disks and settings with an address and a login of all that those may hold
#   every_byte.rb judge_login DIR            words that ssh was started with
#
# The programs on the server are stand-ins that note their words, each ended by a NUL. Should a
# shell run one of the commands in the names, `pwned` is noted, too.
require 'fileutils'

ASCII = (0x20..0x7e).map(&:chr).join
# The first bytes of characters from 0xc2 to 0xf4, the others from 0x80 to 0xbf.
OTHERS = [*0xa0..0xff, *(0x100..0x7c0).step(64), *(0x800..0xf000).step(0x1000), 0xfffd, 0x10ffff, *(0x10000..0xd0000).step(0x40000)]
         .reject { |c| (0xd800..0xdfff).cover?(c) || [c].pack('U').match?(/\p{Cf}/) }.pack('U*')
COMMANDS = ['$(pwned)', '`pwned`', ';pwned;', '|pwned', '||pwned', '&&pwned', '&pwned', '>(pwned)', '<(pwned)', '(pwned)',
            '{pwned,}', '"$(pwned)"', "'$(pwned)'", "'\"'$(pwned)'\"'", '\\$(pwned)', "\\'$(pwned)", '!pwned', '!!', '=pwned',
            '~', '*', '?', '[a-z]', '-e', '--', '-', '#pwned', 'A=pwned', '$0', '${IFS}pwned', '%%', '%d', '\\n', '\\', "'", '"',
            ' ', 'a  b', ' a', ''].freeze
WORDS = [ASCII, OTHERS, *COMMANDS, *ASCII.chars, *OTHERS.chars].freeze
NAME = '#+-.:=@_' + [*'0'..'9', *'A'..'Z', *'a'..'z'].join

LETTERS = [*'A'..'Z', *'a'..'z', *'0'..'9'].join
ADDRESS = "x#{LETTERS}.:_-%[]#{OTHERS[0, 50]}".freeze
LOGIN = "x#{LETTERS}._@+-#{OTHERS[0, 50]}".freeze

# All of it in parts that file names can be.
def path_of(text) = text.delete('/').scan(/.{1,40}/m).map { |part| "p#{part}" }.join('/')
def quoted(text) = "'#{text.gsub("'", "''")}'"
def hook_word(text) = quoted(text.gsub('%', '%%'))

# Group and host get all of it, in one world or another.
NAMES = ["#{ASCII.delete('/,*?')}$(pwned)x", OTHERS[0, 100], OTHERS[100..]].freeze
MOMENTS = %w[pre_open post_open pre_close post_close].freeze

# One host with one disk: what stands of them in the inventory, and so must arrive.
class World
  attr_reader :group, :host, :disk, :device, :hook

  def self.all(top) = Array.new(NAMES.size) { |i| new(top, i) }

  def initialize(top, number)
    @top = top
    @group = "g#{NAMES[number]}"
    @host = "h#{NAMES[number - 1]}"
    @disk = "d#{number}#{NAME}"
    @device = "#{top}/disk/#{number}/#{path_of(ASCII)}/#{path_of(OTHERS)}/#{path_of(COMMANDS.join)}"
    @hook = "#{top}/hooks/#{number}/#{path_of(ASCII)}/#{path_of(OTHERS)}"
  end

  def make_files
    return if File.exist?(@device)

    FileUtils.mkdir_p([File.dirname(@device), File.dirname(@hook)])
    File.write(@device, '')
    File.truncate(@device, 20 << 20)
    FileUtils.cp("#{@top}/server/hook", @hook)
  end

  # pre_open of the host is a path, as Ruby Arver takes it; all others are lists of words.
  def disks(port, login)
    make_files
    <<~YAML
      #{quoted(@group)}:
        #{quoted(@host)}:
          address: 127.0.0.1
          port: #{port}
          username: #{login}
          pre_open: #{quoted(@hook)}
          #{quoted(@disk)}: { device: #{quoted(@device)} }
    YAML
  end

  def settings(transport)
    path = "/#{@group}/#{@host}"
    <<~YAML
      #{quoted(path)}: { transport: #{transport}, #{hooks(MOMENTS.drop(1), %w[%g %h %a])} }
      #{quoted("#{path}/#{@disk}")}: { #{hooks(MOMENTS, %w[%g %h %d %D %m %a])} }
    YAML
  end

  def hooks(moments, placeholders)
    moments.map do |moment|
      words = [@hook, moment, *WORDS].map { |word| hook_word(word) } + placeholders.map { |word| quoted("#{word}x#{word}") }
      "#{moment}: [#{words.join(', ')}]"
    end.join(', ')
  end

  def of_host(moment) = [@hook, moment, *WORDS, *doubled(@group, @host, moment[/open|close/])]

  def of_disk(moment)
    [@hook, moment, *WORDS, *doubled(@group, @host, @disk, @device, "/dev/mapper/#{@disk}", moment[/open|close/])]
  end

  def doubled(*words) = words.map { |word| "#{word}x#{word}" }

  # Without a device-mapper no disk can be opened, and nothing runs behind that.
  def sure(verbs)
    hooks = [[@hook], of_disk('pre_open')]
    verbs.include?('--close') ? hooks + [of_host('pre_close'), of_host('post_close')] : hooks
  end

  def possible = [[@hook], *MOMENTS.flat_map { |moment| [of_host(moment), of_disk(moment)] }]
end

def make(top, port, transport, login)
  worlds = World.all(top)
  File.write("#{top}/data/disks", worlds.map { |world| world.disks(port, login) }.join)
  File.write("#{top}/data/settings", worlds.map { |world| world.settings(transport) }.join)
end

def make_login(top, transport)
  File.write("#{top}/data/disks", <<~YAML)
    colo: { web1: { address: #{quoted(ADDRESS)}, username: #{quoted(LOGIN)}, port: 65535, data: { device: sdb } } }
  YAML
  File.write("#{top}/data/settings", "/colo: { transport: #{transport} }\n")
end

# What the stand-in of that name was started with, each time.
def seen(top, name)
  Dir.glob("#{top}/seen/#{name}.*").map { |file| File.read(file).split("\0", -1)[0..-2] }
end

def judge_hooks(top, worlds, verbs)
  hooks = seen(top, 'hook')
  pwned = seen(top, 'pwned')
  missing = worlds.flat_map { |world| world.sure(verbs) } - hooks
  odd = hooks - worlds.flat_map(&:possible)
  faults = []
  faults << "hooks did not run with these words: #{missing.inspect}" unless missing.empty?
  faults << "hooks ran with other words: #{odd.inspect}" unless odd.empty?
  faults << 'a hook ran twice' if hooks.uniq!
  faults << "a command in a name was run: #{pwned.inspect}" unless pwned.empty?
  faults
end

def judge_cryptsetup(top, worlds)
  calls = seen(top, 'cryptsetup').map { |words| words.drop(1) }
  faults = worlds.flat_map do |world|
    named, calls = calls.partition { |words| words.include?(world.device) }
    odd = named.flatten.grep_v(/\A[\w.=:-]+\z/) - [world.device, world.disk]
    [("cryptsetup got #{odd.uniq.inspect}" unless odd.empty?),
     ('cryptsetup was not told the name' if named.none? { |words| words.last(3) == ['--', world.device, world.disk] })]
  end
  faults << "cryptsetup was told other devices: #{calls.inspect}" unless calls.empty?
  faults.compact
end

# Where root does not log in, sudo starts whatever needs root, and gets the same words.
def judge_sudo(top, login)
  by_sudo = seen(top, 'sudo').map { |words| words.drop(1) }
  needs_root = seen(top, 'hook') + seen(top, 'cryptsetup').map { |words| ['cryptsetup', *words.drop(1)] }
  needs_root = [] if login == 'root'
  bare = by_sudo.map { |words| words.drop(words[1] == '--' ? 2 : 1) }.reject { |words| words[0] == 'test' }
  faults = []
  faults << 'sudo could ask for a password' unless by_sudo.all? { |words| words[0] == '-n' }
  faults << "not by sudo: #{(needs_root - bare).inspect}" unless (needs_root - bare).empty?
  faults << "by sudo: #{(bare - needs_root).inspect}" unless (bare - needs_root).empty?
  faults
end

# An option is one word or two, and the address stands behind the end of options.
def judge_login(top)
  calls = seen(top, 'ssh').map { |words| words.drop(1) }
  return ['ssh was not asked'] if calls.empty?

  bad = calls.reject do |words|
    ["-l#{LOGIN}", '-l', LOGIN].intersect?(words) && words.each_cons(2).include?(['--', ADDRESS]) &&
      (words - [LOGIN, "-l#{LOGIN}", ADDRESS]).none? { |word| word =~ /[^ -~]/ || word.include?(LETTERS) }
  end
  bad.map { |words| "ssh got #{words.inspect}" }
end

Encoding.default_external = Encoding::UTF_8
command, top, *rest = ARGV
worlds = World.all(top)
faults = []
case command
when 'make' then make(top, *rest)
when 'judge'
  transport, login, *verbs = rest
  faults = judge_hooks(top, worlds, verbs) + judge_sudo(top, login)
  faults += judge_cryptsetup(top, worlds) if transport != 'local' # libcryptsetup is asked there
when 'make_login' then make_login(top, *rest)
when 'judge_login' then faults = judge_login(top)
end
abort faults.join("\n") unless faults.empty?
