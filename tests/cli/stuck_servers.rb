#!/usr/bin/env ruby
# SPDX-License-Identifier: MIT
# Servers that get stuck, each on a port of its own that is printed behind its name:
#   refused has the port, and nobody listens there
#   hole    its queue of connections is full: packets vanish
#   silent  accepts and says nothing
#   banner  greets as SSH does and stops there
#   endless greets without an end
require 'socket'

def server(name)
  listener = TCPServer.new('127.0.0.1', 0)
  puts "#{name} #{listener.addr[1]}"
  Thread.new { loop { Thread.new(listener.accept) { |peer| yield peer } } } if block_given?
  listener
end

REFUSED = Socket.new(:INET, :STREAM).tap { |s| s.bind(Addrinfo.tcp('127.0.0.1', 0)) }
puts "refused #{REFUSED.local_address.ip_port}"
# Linux drops what comes once the queue of a listener is full.
hole = server('hole')
hole.listen(0)
KEPT = Array.new(4) do
  Socket.new(:INET, :STREAM).tap do |s|
    s.connect_nonblock(Addrinfo.tcp('127.0.0.1', hole.addr[1]), exception: false)
  end
end
server('silent') { sleep }
server('banner') { |peer| peer.write("SSH-2.0-OpenSSH_9.2p1\r\n") && sleep }
server('endless') do |peer|
  loop { peer.write("#{'x' * 200}\r\n") }
rescue SystemCallError
  nil
end
$stdout.flush
sleep
