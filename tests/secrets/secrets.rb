#!/usr/bin/env ruby
# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# What a key looks like wherever it may lie or go: the one program that knows every encoding, and
# looks for pieces of keys in traces of strace and in files. A directory has each key in a file of
# its own, byte for byte (as `arver --dump-key` gives it).
#
#   secrets.rb needles KEYS             one piece a line, in hex, and what it is: for `watch`
#   secrets.rb trace KEYS TRACE...      where a piece of a key went or came from that is no pipe or socket,
#                                       in an argument or in the environment, or who read one
#                                       and is none of READERS, a line each
#   secrets.rb writes TRACE...          what was written into files: their names, how it begins
#   secrets.rb files KEYS PATH...       files, or all below directories, that hold a piece
#
# A trace is of one thread, as `strace -ff -v -xx -yy -s 1000000` writes it.
# Ends with 1 if trace or files found something.

require 'base64'
require 'find'
require 'tempfile'

PIECE = 24 # bytes of an encoded key: 18 of its randomness where that is base64
STEP = 16  # between the beginnings of two pieces

# All forms of one key, by name.
def forms(key)
  list = { 'as stored' => key, 'hex' => hex(key), 'HEX' => hex(key).upcase, 'URL' => url(key),
           'url' => url(key).gsub(/%../, &:downcase) }
  3.times { |i| list["base64 of it, from #{i}"] = Base64.strict_encode64(key[i..]) }
  raw = decode(key) or return list
  list.merge('bytes' => raw, 'hex of bytes' => hex(raw), 'HEX of bytes' => hex(raw).upcase,
             'URL-safe base64' => Base64.urlsafe_encode64(raw))
end

# The bytes that it is the base64 of, or nil.
def decode(key)
  Base64.strict_decode64(key)
rescue ArgumentError
  nil
end

def hex(bytes)
  bytes.unpack1('H*')
end

def url(bytes)
  bytes.gsub(/[^A-Za-z0-9_.~-]/n) { |c| format('%%%02X', c.ord) }
end

# Pieces of one form; what is as short as a piece is one. The end of base64 that was cut is left out.
def pieces(form)
  form = form.sub(/.{4}\z/m, '') if form.end_with?('=')
  return [form] if form.length <= PIECE

  (0..form.length - PIECE).step(STEP).map { |at| form[at, PIECE] }
end

# Piece => what it is.
def needles(directory)
  all = {}
  Dir.children(directory).sort.each do |name|
    key = File.binread(File.join(directory, name))
    abort "secrets.rb: #{name} is too short to be looked for" if key.length < 16
    forms(key).each { |form, bytes| pieces(bytes.b).each { |piece| all[piece] ||= "#{name}, #{form}" } }
  end
  abort 'secrets.rb: no keys to look for' if all.empty?
  all
end

# Looks for all of them at once: grep does, in hexadecimal digits.
class Search
  def initialize(needles)
    @needles = needles.transform_keys { |needle| hex(needle) }
    @patterns = Tempfile.new('needles')
    @patterns.puts(@needles.keys)
    @patterns.flush
  end

  # Of these lines of digits: number of each that has a needle => what it is.
  def lines(lines)
    Tempfile.create('digits') do |file|
      lines.each { |line| file.puts(line) }
      file.flush
      IO.popen(['grep', '-n', '-o', '-F', '-f', @patterns.path, file.path], &:readlines)
        .to_h { |hit| number, digits = hit.chomp.split(':'); [number.to_i, @needles[digits]] }
    end
  end
end

READERS = %w[arver arver-plain gpg gpg-agent cryptsetup ssh sshd sudo sh dash dd head].freeze
WRITING = %w[write writev pwrite64 pwritev pwritev2 sendto sendmsg sendmmsg].freeze
READING = %w[read readv pread64 recvfrom recvmsg].freeze
INSIDE = /\A\d+<(?:pipe|socket|UNIX)/n.freeze # not TCP: what goes there must not be readable

# A system call in a trace: its name, first argument and all of it, bytes as they were.
class Call
  attr_reader :name, :first, :bytes

  def initialize(line)
    @bytes = line.b.gsub(/\\x(\h\h)/n) { Regexp.last_match(1).hex.chr.b }
    @name, rest = @bytes.split('(', 2)
    @first = rest.to_s.split(', ', 2).first.to_s
  end

  def in_pipe?
    first.match?(INSIDE)
  end

  def file
    first[/\A\d+<(\/.*)>\z/n, 1]
  end

  def program
    name == 'execve' && !bytes.include?(' = -1 ') ? File.basename(first[/"(.*)"/n, 1].to_s) : nil
  end

  def shown
    bytes[0, 200].gsub(/[^ -~]/n, '.')
  end
end

# Is a key out of place in this call of that program (nil: a thread, or a process not yet another)?
def out_of_place?(call, program)
  return !call.in_pipe? if WRITING.include?(call.name)

  !READING.include?(call.name) || !(program.nil? || READERS.include?(program))
end

# One line behind the other of all these traces.
def lines_of(files)
  Enumerator.new { |to| files.each { |file| File.foreach(file, encoding: 'BINARY') { |line| to << line } } }.lazy
end

# Only strings are in hexadecimal digits there: all else are no needles.
def search_traces(search, files)
  hits = search.lines(lines_of(files).map { |line| line.gsub('\\x', '') })
  number = 0
  bad = files.flat_map do |file|
    program = nil
    File.foreach(file, encoding: 'BINARY').filter_map do |line|
      number += 1
      next unless hits[number] || line.start_with?('execve')

      call = Call.new(line)
      program = call.program || program
      "#{hits[number]}: #{program}: #{call.shown}" if hits[number] && out_of_place?(call, program)
    end
  end
  puts bad
  bad.any?
end

def show_writes(file)
  File.foreach(file, encoding: 'BINARY') do |line|
    call = Call.new(line)
    puts "#{call.file}: #{call.shown.split(', ', 2).last}" if WRITING.include?(call.name) && call.file
  end
end

# Long stretches of nothing, as image files have, are left out.
def content(path)
  File.binread(path).gsub(/\0{256,}/n, "\0".b)
end

def search_files(search, paths)
  files = Find.find(*paths).select { |path| File.file?(path) && !File.symlink?(path) }
  hits = search.lines(files.lazy.map { |path| hex(content(path)) })
  puts(hits.map { |number, what| "#{what}: #{files[number - 1]}" })
  hits.any?
end

verb, *rest = ARGV
all = needles(rest.shift) if %w[needles trace files].include?(verb) && !rest.empty?
case verb
when 'needles'
  all.each { |needle, what| puts "#{hex(needle)} #{what}" }
when 'trace'
  exit 1 if search_traces(Search.new(all), rest)
when 'files'
  exit 1 if search_files(Search.new(all), rest)
when 'writes'
  rest.each { |file| show_writes(file) }
else
  abort 'usage: secrets.rb needles|trace|files KEYS [FILE...], or secrets.rb writes TRACE...'
end
