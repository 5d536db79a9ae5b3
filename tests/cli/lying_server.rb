#!/usr/bin/env ruby
# SPDX-License-Identifier: MIT
# What a server runs in place of every command that it is given: the command itself, but what it says
# is changed as the file `lie` beside it names. What was sent to it is added to the file `heard`.
require 'open3'

DIR = ARGV.fetch(0)
HEARD = File.join(DIR, 'heard')
LIE = File.read(File.join(DIR, 'lie')).chomp
STEP = /^arver: (try|prove|auth|own|kill|add|format) \d+/.freeze

# A header's dump, with other numbers for its key slots.
def slots(said)
  said.gsub(/^(   )(\d+)(?=: luks2)/) { Regexp.last_match(1) + yield(Regexp.last_match(2)).to_s }
end

# Lies are told of whole answers: bytes to bytes.
LIES = {
  'nothing' => ->(_) { '' },
  'other words' => ->(_) { "Welcome to this server!\n" * 50 },
  'bytes' => ->(_) { Random.bytes(100_000) },
  'one long line' => ->(said) { said.sub('arver: begin 0', "arver: begin 0\n #{'x' * 3_000_000}") },
  'large numbers' => ->(said) { said.gsub(/^(arver: [a-z]+) \d+/, '\1 99999999999999999999') },
  'negative numbers' => ->(said) { said.gsub(/^(arver: [a-z]+) \d+/, '\1 -1') },
  'all went well' => ->(said) { said.gsub(STEP, 'arver: \1 0') },
  'all failed' => ->(said) { said.gsub(STEP, 'arver: \1 1') },
  'every step twice' => ->(said) { said.gsub(/^arver: .*$/) { |line| "#{line}\n#{line}" } },
  'a terminal' => ->(said) { said.gsub(/^ .*$/, " \e]0;owned\a\e[31m\u202Eerror: colo/web1/honest\r\e[2J") },
  'slots out of range' => ->(said) { slots(said) { |n| "#{n}999" } },
  'one slot twice' => ->(said) { slots(said) { 0 } },
  'slots moved' => ->(said) { slots(said) { |n| n.to_i + 2 } },
  'slots swapped' => ->(said) { slots(said) { |n| n.tr('01', '10') } },
  'a slot hidden' => ->(said) { said.gsub(/^   0: luks2\n(^ \t.*\n)+/, '') },
  'a slot made up' => ->(said) { said.gsub(/^   (0)(: luks2\n(?:^ \t.*\n)+)/, "   \\1\\2   1\\2") },
  'another header' => ->(said) { said.gsub(/\h{8}-\h{4}-\h{4}-\h{4}-\h{12}/, '00000000-1111-2222-3333-444444444444') },
  'a part of the key' => ->(said) { said.gsub(STEP, "arver: \\1 1\n not #{File.binread(HEARD)[-160, 64]}") },
  'no salts' => ->(said) { said.gsub(/Salt: .*/, 'Salt:').gsub(/^ \t\s+(\h\h ){4,}.*$/, '') }
}.freeze

def heard(bytes)
  File.open(HEARD, 'ab') { |f| f.write(bytes) }
end

def flood(out)
  out.write("arver: begin 0\n") if LIE.end_with?('steps')
  loop { out.write("arver: ready 0\n #{'y' * 1000}\n" * 100) }
rescue SystemCallError
  exit
end

case LIE
when 'a flood of steps', 'a flood' then flood($stdout)
when 'a flood of errors' then flood($stderr)
when 'a deaf ear' then sleep 60 # nobody ends it
end

# Commands wait for keys only once they have said that they are ready: then they hear what was sent.
Open3.popen2('sh', '-c', ENV.fetch('SSH_ORIGINAL_COMMAND'), err: %i[child out]) do |input, output, _|
  Thread.new do
    loop { $stdin.readpartial(65_536).tap { |b| heard(b) && input.write(b) && input.flush }.clear }
  rescue EOFError, SystemCallError
    input.close
  end
  said = +''
  change = LIES.fetch(LIE, ->(text) { text })
  # all up to "ready" goes out at once, the rest in the end
  while (line = output.gets)
    said << line
    next unless line.start_with?('arver: ready')

    $stdout.write(change.call(said.b.force_encoding('UTF-8').scrub))
    $stdout.flush
    said = +''
  end
  $stdout.write(change.call(said.b.force_encoding('UTF-8').scrub))
rescue SystemCallError
  nil
end
