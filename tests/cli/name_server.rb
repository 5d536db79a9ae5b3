#!/usr/bin/env ruby
# SPDX-License-Identifier: MIT
# A resolver on 127.0.0.1: it answers from the file `zone` in the directory that it is given, where a line
# is NAME IN A ADDRESS or NAME IN SSHFP NUMBER NUMBER HEX. It says that an answer was validated by
# DNSSEC if the file `validated` says so, which a resolver with a zone that is signed would find out itself.
require 'ipaddr'
require 'resolv'
require 'socket'

DIR = ARGV.fetch(0)
TYPES = { 'A' => 1, 'SSHFP' => 44 }.freeze
AUTHENTIC = 0x0020 # the bit AD in the second word of a message, RFC 4035

def record_data(type, words)
  return IPAddr.new(words[0]).hton if type == 'A'

  [words[0].to_i, words[1].to_i, words[2]].pack('CCH*')
end

# The records of that name and type, each as they stand in a message whose question is at 12.
def records(name, number)
  File.readlines(File.join(DIR, 'zone'), chomp: true).filter_map do |line|
    owner, _, type, *words = line.split
    next unless owner == name && TYPES[type] == number

    data = record_data(type, words)
    [0xc00c, number, 1, 60, data.bytesize].pack('nnnNn') + data
  end
end

def answer(query)
  question = Resolv::DNS::Message.decode(query).question.first
  name = question[0].to_s
  number = question[1]::TypeValue
  found = records(name, number)
  flags = 0x8180 | (File.read(File.join(DIR, 'validated')).chomp == 'validated' ? AUTHENTIC : 0)
  asked = query.byteslice(12, name.bytesize + 2 + 4)
  query.byteslice(0, 2) + [flags, 1, found.size, 0, 0].pack('n5') + asked + found.join
end

socket = UDPSocket.new
socket.bind('127.0.0.1', 53)
$stdout.sync = true
puts 'ready'
loop do
  query, from = socket.recvfrom(4096)
  socket.send(answer(query), 0, from[3], from[1])
end
