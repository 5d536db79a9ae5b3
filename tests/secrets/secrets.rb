#!/usr/bin/env ruby
# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# What a key looks like wherever it may lie or go: the one program that knows every encoding, and
# looks for pieces of keys in traces of strace and in files. A directory has each key in a file of
# its own, byte for byte (as `arver --dump-key` gives it).
#
#   secrets.rb needles KEYS             one piece a line, in hex, and what it is: for `watch`
#   secrets.rb trace KEYS TRACE...      what was written or executed with a piece of a key in it, a line
#                                       each; made with `strace -f -v -xx -yy -s 1000000 -e trace=...`
#   secrets.rb files KEYS PATH...       files, or all below directories, that hold a piece
#
# Ends with 1 if trace or files found something.

require 'base64'
require 'find'

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

# Looks for all of them.
class Search
  def initialize(needles)
    @needles = needles
  end

  # What is in there, or nil.
  def in(bytes)
    @needles.each { |needle, what| return what if bytes.include?(needle) }
    nil
  end
end

# A line of strace -xx: \x61 is a byte.
def plain(line)
  line.b.gsub(/\\x(\h\h)/n) { Regexp.last_match(1).hex.chr.b }
end

SAFE_FILE = /\A\d+<(?:pipe|socket|UNIX|TCP)/n.freeze

# Bytes went into a pipe or a socket: those lead to gpg, gpg-agent, cryptsetup, or to ssh, which encrypts.
def safe?(line)
  call, rest = line.sub(/\A\d+ +/, '').split('(', 2)
  %w[write writev sendto sendmsg pwrite64 pwritev].include?(call) && rest && plain(rest.split(',', 2).first).match?(SAFE_FILE)
end

def search_trace(search, file)
  found = false
  File.foreach(file, encoding: 'BINARY') do |line|
    next if safe?(line)

    bytes = plain(line)
    what = search.in(bytes) or next
    puts "#{what}: #{bytes[0, 200].gsub(/[^ -~]/n, '.')}"
    found = true
  end
  found
end

def search_files(search, paths)
  found = false
  Find.find(*paths) do |path|
    next unless File.file?(path) && !File.symlink?(path)

    what = search.in(File.binread(path)) or next
    puts "#{what}: #{path}"
    found = true
  end
  found
end

verb, directory, *rest = ARGV
all = needles(directory)
case verb
when 'needles'
  all.each { |needle, what| puts "#{hex(needle)} #{what}" }
when 'trace'
  search = Search.new(all)
  exit 1 if rest.map { |file| search_trace(search, file) }.any?
when 'files'
  exit 1 if search_files(Search.new(all), rest)
else
  abort 'usage: secrets.rb needles|trace|files KEYS [FILE...]'
end
