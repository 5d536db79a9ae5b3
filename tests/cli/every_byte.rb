# SPDX-License-Identifier: MIT
# An inventory whose names, paths and hooks hold every byte that it lets through, and whether they
# arrived as they are.
#
#   every_byte.rb make DIR PORT TRANSPORT    disks and settings in DIR/data, the image and the hook they name
#   every_byte.rb judge DIR TRANSPORT        words that cryptsetup and the hook were started with, in DIR/seen/*
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
NAME = '#+-.:=@_' + [*'0'..'9', *'A'..'Z', *'a'..'z'].join

LETTERS = [*'A'..'Z', *'a'..'z', *'0'..'9'].join
ADDRESS = "x#{LETTERS}.:_-%[]#{OTHERS[0, 50]}".freeze
LOGIN = "x#{LETTERS}._@+-#{OTHERS[0, 50]}".freeze

# All of it in parts that file names can be.
def path_of(text) = text.delete('/').scan(/.{1,40}/m).map { |part| "p#{part}" }.join('/')
def quoted(text) = "'#{text.gsub("'", "''")}'"
def hook_word(text) = quoted(text.gsub('%', '%%'))

# What stands in the inventory, and so must arrive.
class World
  attr_reader :top, :group, :host, :disk, :device, :hook, :words

  def initialize(top)
    @top = top
    @group = "g#{OTHERS[0, 100]}"
    @host = "h#{ASCII.delete('/,*?')}$(pwned)x"
    @disk = "d#{NAME}"
    @device = "#{top}/disk/#{path_of(ASCII)}/#{path_of(OTHERS)}/#{path_of(COMMANDS.join)}"
    @hook = "#{top}/hooks/#{path_of(ASCII)}/#{path_of(OTHERS)}"
    @words = [ASCII, OTHERS, *COMMANDS, *ASCII.chars, *OTHERS.chars]
  end

  def make_files
    return if File.exist?(@device)

    FileUtils.mkdir_p([File.dirname(@device), File.dirname(@hook)])
    File.write(@device, '')
    File.truncate(@device, 20 << 20)
    FileUtils.cp("#{@top}/server/hook", @hook)
  end

  def make(port, transport)
    make_files
    File.write("#{@top}/data/disks", <<~YAML)
      #{quoted(@group)}:
        #{quoted(@host)}:
          address: 127.0.0.1
          port: #{port}
          pre_open: #{quoted(@hook)}
          #{quoted(@disk)}: { device: #{quoted(@device)} }
    YAML
    path = "/#{@group}/#{@host}"
    words = [@hook, *@words].map { |word| hook_word(word) } + %w[%g %h %d %D %m %a].map { |word| quoted("#{word}x#{word}") }
    File.write("#{@top}/data/settings", <<~YAML)
      #{quoted(path)}: { transport: #{transport} }
      #{quoted("#{path}/#{@disk}")}:
        pre_open: [#{words.join(', ')}]
    YAML
  end

  def make_login(transport)
    File.write("#{@top}/data/disks", <<~YAML)
      colo: { web1: { address: #{quoted(ADDRESS)}, username: #{quoted(LOGIN)}, port: 65535, data: { device: sdb } } }
    YAML
    File.write("#{@top}/data/settings", "/colo: { transport: #{transport} }\n")
  end

  def expected_of_hook
    [@hook, *@words, *[@group, @host, @disk, @device, "/dev/mapper/#{@disk}", 'open'].map { |word| "#{word}x#{word}" }]
  end
end

# What the stand-in of that name was started with, each time.
def seen(top, name)
  Dir.glob("#{top}/seen/#{name}.*").map { |file| File.read(file).split("\0", -1)[0..-2] }
end

def judge_hooks(world)
  hooks = seen(world.top, 'hook')
  faults = []
  faults << "hooks ran #{hooks.size} times, not twice" if hooks.size != 2
  faults << 'the hook of the host got other words' unless hooks.include?([world.hook])
  faults << 'the hook of the disk got other words' unless hooks.include?(world.expected_of_hook)
  faults << "a command in a name was run: #{seen(world.top, 'pwned').inspect}" unless seen(world.top, 'pwned').empty?
  faults
end

def judge_cryptsetup(world)
  calls = seen(world.top, 'cryptsetup').map { |words| words.drop(1) }
  named, others = calls.partition { |words| words.include?(world.device) }
  odd = named.flatten.grep_v(/\A[\w.=:-]+\z/) - [world.device, world.disk]
  faults = []
  faults << "cryptsetup was not told the device but #{others.inspect}" if named.empty? || !others.empty?
  faults << 'cryptsetup was not told the name' if named.none? { |words| words.last(3) == ['--', world.device, world.disk] }
  faults << "cryptsetup got #{odd.uniq.inspect}" unless odd.empty?
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
world = World.new(top)
faults = []
case command
when 'make' then world.make(*rest)
when 'judge'
  faults = judge_hooks(world)
  faults += judge_cryptsetup(world) if rest != %w[local] # libcryptsetup is asked there
when 'make_login' then world.make_login(*rest)
when 'judge_login' then faults = judge_login(top)
end
abort faults.join("\n") unless faults.empty?
