# encoding: BINARY
# SPDX-License-Identifier: MIT
# What is written in a key file that is one in every other way: YAML that is none, keys that no disk
# can have, times that no clock shows, disks of which nobody has heard.
require_relative 'packets'

module Hostile
  def self.text(title, says, text, form: 'deflated', **options)
    says &&= ['keys/alice/evil... is left alone', says]
    set_aside("a key file's text: #{title}", says, **options) { plant_text(text, form) }
  end

  def self.key(title, says, fields, **options)
    text("a key that #{title}", says, "---\n\"#{GOOD}\":\n#{fields.gsub(/^/, '  ')}", **options)
  end

  def self.time(title, says, value, field: 'time', **options)
    text("a time that is #{title}", says, "---\n\"/colo/web1/other\":\n  :key: abc\n  :#{field}: #{value}\n", **options)
  end

  # --- YAML ---
  text 'no YAML', 'line 1: a byte that is no text', "\0\1\2"
  text 'a NUL in it', 'line 2: a byte that is no text', "---\n\"/a\": \"b\0\"\n"
  text 'no UTF-8', 'line 2: a byte that is no text', "---\n\"/a\xff\": b\n"
  text 'an overlong slash', 'line 2: a byte that is no text', "---\n\"\xc0\xafa\": b\n"
  text 'a byte order mark', 'line 1: a byte that is no text', "\ufeff---\n/a: b\n"
  text 'UTF-16', 'line 1: a byte that is no text', "\xff\xfe-\0-\0-\0\n\0"
  text 'a list', 'no mapping of disks to keys', "---\n- a\n"
  text 'a word', 'no mapping of disks to keys', "--- hello\n"
  text 'two documents', 'line 3: something stands behind the document', "---\n/a: b\n---\n/a: c\n"
  text 'a directive', 'its text does not unpack', "%YAML 1.1\n---\n/a: b\n", form: 'padded'
  text 'a bare text', 'line 3: the text ends inside brackets', "---\n/a: [\n", form: 'bare'
  text 'an object of Ruby', 'a tag where none may be', "---\n/a: !ruby/object:Gem::Requirement\n  :key: b\n"
  text 'a hash that runs code', 'no mapping of disks to keys', "--- !ruby/hash:Gem::Installer\n/a: b\n"
  text 'a tag on a key', 'a tag where none may be', "---\n/a:\n  :key: !ruby/regexp /a/\n"
  text 'a symbol in the place of a disk', 'line 2: ', "---\n:a: b\n"
  text 'a merge key', 'a merge key', "---\n/a: &a { :key: b }\n/b: { <<: *a }\n"
  text 'a billion laughs', 'line 2: a plain or quoted text must be here',
       "---\n/a: &a [x,x,x,x,x,x,x,x,x]\n#{('b'..'i').map { |c| "/#{c}: &#{c} [#{(["*#{c.ord.pred.chr}"] * 9).join(',')}]\n" }.join}"
  text 'a circle', 'line 5: an alias without its anchor', "---\n/a: &a\n  :key: k\n  :also:\n  - *a\n"
  text 'an alias to nothing', 'line 2: an alias without its anchor', "---\n/a: *b\n"
  text 'a large key by ten thousand aliases', 'by way of aliases',
       "---\n/a: &a #{'k' * 60_000}\n#{(0..10_000).map { |i| "/#{i}: *a\n" }.join}"
  text 'a hundred thousand brackets', 'line 2: too many levels', "---\n/a: #{'[' * 100_000}\n"
  text 'a hundred thousand levels', 'line 33: too many levels', "---\n#{(0..2000).map { |i| "#{' ' * i}a:\n" }.join}"
  text 'dashes without end', 'line 2: too many levels', "---\n#{'- ' * 100_000}\n"
  text 'question marks without end', 'line 2: too many levels', "---\n#{'? ' * 100_000}\n"
  text 'tabs', 'line 3: a character that no value begins with', "---\n/a:\n\t:key: b\n"
  text 'a quote that never closes', 'line 3: the text ends inside quotes', "---\n/a: \"b\n"
  text 'fifteen megabytes of line feeds', 'no mapping of disks to keys', "---#{"\n" * (15 << 20)}"
  text 'a comment of fifteen megabytes', 'no mapping of disks to keys', "---\n# #{'x' * (15 << 20)}\n"
  text 'more than sixteen megabytes', 'its text unpacks to more than any has', "---\n/a: #{'x' * (17 << 20)}\n"
  text 'a million keys', 'more keys than a file can have', "---\n#{(0..200_000).map { |i| "/#{i}: k\n" }.join}"
  text 'nothing', 'no mapping of disks to keys', "---\n"
  text 'an empty mapping, which is a file of no keys', nil, "--- {}\n", silent: true
  text 'one disk a hundred thousand times, with one key', nil, "---\n#{"/colo/web1/other: k\n" * 100_000}", silent: true

  # --- keys ---
  key 'is empty', 'an empty key', ":key: ''\n"
  key 'is null', 'a key is missing', ":key: ~\n"
  key 'is not there', 'an entry without a key', ":time: 1.0\n"
  key 'is a list', 'a plain or quoted text must be here', ":key: [a]\n"
  key 'is a mapping', 'a plain or quoted text must be here', ":key: { a: b }\n"
  key 'holds a line feed', 'a key with control characters', ":key: \"a\\nb\"\n"
  key 'holds a NUL', 'a key with control characters', ":key: \"a\\0b\"\n"
  key 'holds a carriage return', 'a key with control characters', ":key: \"a\\rb\"\n"
  key 'is a megabyte', 'a text that is too long', ":key: #{'k' * 1_000_000}\n"
  key 'is a block', 'a plain or quoted text must be here', ":key: |\n  a\n"
  key 'is folded over lines', 'a key with control characters', ":key: \"a\n\n  b\"\n"
  key 'is an alias to itself', 'line 3: an alias without its anchor', ":key: &a *a\n"
  text 'a key of the oldest kind with a line feed', 'a key with control characters', "---\n/a: \"k\\n\"\n"
  text 'further keys that are no list', ':also is no list', "---\n/a:\n  :key: k\n  :also: x\n"
  text 'further keys in further keys', ':also inside :also', "---\n/a:\n  :key: k\n  :also:\n  - :key: k\n    :also: []\n"
  text 'seventy thousand further keys', 'more keys than a file can have', "---\n/a:\n  :key: k\n  :also:\n#{"  - { :key: k }\n" * 70_000}"

  # --- times ---
  ['NaN', '.nan', '.inf', '-.inf', 'inf', '1e400', '-1e999', '0x10', '1_000', 'abc', '2024-01-01', '1:30', '1.0.0', '1e',
   "1#{'0' * 70}"].each { |value| time("#{value[0, 20]}, no number", 'a time that is no number', value) }
  time 'nothing', 'an empty text', "''"
  time 'a list', 'a plain or quoted text must be here', '[]'
  %w[1e308 1795241511.623773e9 99999999999].each do |value|
    set_aside("a time that is far ahead: #{value}", 'is dated more than a day ahead') do
      plant_text("---\n\"/colo/web1/other\":\n  :key: abc\n  :time: #{value}\n")
    end
  end
  %w[-1 -1e308 0 5e-324].each { |value| time("long ago, as a wrong clock had it: #{value}", nil, value, silent: true) }
  time 'a proof of the far future, by which no keys are ordered', nil, '9e99', field: 'proven', silent: true
  time 'a death of the far future, which is a death', nil, '9e99', field: 'dead', silent: true

  # --- disks that nobody knows, and names for the terminal ---
  { 'climbs' => '/../../etc/passwd', 'is empty' => '', 'is no path' => 'good', 'turns the direction' => '/a\\u202egpj',
    'is an option' => '--force', 'is a pattern' => '*', 'is long' => "/#{'x' * 4000}", 'is too long' => "/#{'x' * 5000}",
    'has a format in it' => '/%s%n%999999d' }.each do |what, path|
    says = { 'is empty' => 'an empty text', 'is long' => 'xxx is dated more than a day ahead and will be tried last', 'is too long' => 'a text that is too long' }
    set_aside("a disk whose path #{what}", says[what] || 'is dated more than a day ahead', words: %w[--keys ALL]) do
      plant_text("---\n\"#{path}\":\n  :key: k\n  :time: 1e300\n  :by: \"\\u202eroot\"\n  :uuid: \"\\u202e0\"\n")
    end
  end

  { 'has a line feed' => '/a\\nb', 'has lines of the journal' => '/a\\nend\\ndisk /colo/web1/good\\nadmin bob\\nuuid 0\\nopened 1 00',
    'has a sequence for the terminal' => '/\\e[2J\\e]0;x\\a', 'has a NUL' => '/a\\0b' }.each do |what, path|
    text "a disk whose path #{what}", 'control characters', "---\n\"#{path}\":\n  :key: k\n"
  end
  text 'a uuid with a line feed', 'control characters', "---\n/a:\n  :key: k\n  :uuid: \"0\\nend\"\n"
  text 'a granter with a sequence for the terminal', 'control characters', "---\n/a:\n  :key: k\n  :by: \"\\e[31mroot\"\n"

  set_aside('sixty thousand keys from far ahead, of disks with long paths', 'a key of /0xxx', words: ['--verify', GOOD],
            lines: 1, changes: %r{data/(keys/alice|tmp)}) do
    plant_text("---\n#{(0...60_000).map { |i| "/#{i}#{'x' * (i < 9 ? 4000 : 40)}: { :key: k, :time: 9e99 }\n" }.join}")
  end
  set_aside('a path so long that a warning about it has no room', 'are dated more than a day ahead and will be tried last') do
    plant_text("---\n/#{'x ' * 2000}: { :key: k, :time: 9e99 }\n/b: { :key: k, :time: 9e99 }\n")
  end

  set_aside('sixty thousand dead keys of one header, none of which has a successor', 'dead keys', words: %w[--garbage-collect],
            changes: %r{data/(keys/alice|tmp)}) do
    plant_text("---\n#{(0...60_000).map { |i| "/#{i}: { :key: k, :dead: 9, :uuid: u }\n" }.join}")
  end
  set_aside('sixty thousand dead keys of one disk', 'dead keys', words: %w[--garbage-collect],
            changes: %r{data/(keys/alice|tmp)}) do
    plant_text("---\n/x:\n  :key: k\n  :dead: 9\n  :also:\n#{(1...60_000).map { |i| "  - { :key: #{i}, :dead: 9, :uuid: u }\n" }.join}")
  end

  # --- other keys for the good disk: they are tried and do not fit, and the good one still opens it ---
  { 'is newer' => '1e9', 'is of the far future' => '9e99', 'is of now' => Time.now.to_f.to_s, 'is of before' => '-5' }.each do |what, at|
    set_aside("a planted key that #{what}", 'your key opens it', words: ['--verify', GOOD], changes: %r{data/(keys/alice|tmp)}) do
      plant_text("---\n\"#{GOOD}\":\n  :key: planted\n  :time: #{at}\n")
    end
  end
end
