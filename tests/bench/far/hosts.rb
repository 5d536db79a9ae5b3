# SPDX-License-Identifier: MIT
# hosts.rb N DISKS: N hosts with so many disks each, in the working directory: data/disks, keys.list ("path
# key time" a line, as tests/unit/ruby_keys.rb takes it), and for each host, in host/ADDRESS, what it has
# (disk/NAME, key/NAME: the key that opens it) and what a script would send it (keys: all in a row).
require 'fileutils'
require 'securerandom'

n, disks = ARGV.map(&:to_i)
File.open('data/disks', 'w') do |inventory|
  File.open('keys.list', 'w') do |list|
    inventory.puts "'far':"
    n.times do |i|
      address = "127.1.#{i / 250}.#{(i % 250) + 1}"
      dir = File.join(Dir.pwd, 'host', address)
      FileUtils.mkdir_p(%w[disk key].map { |d| File.join(dir, d) })
      inventory.puts "  'h#{i}':", "    'address': '#{address}'"
      keys = ('a'..'z').first(disks).map do |letter|
        name = "h#{i}#{letter}"
        key = SecureRandom.base64(192)
        inventory.puts "    '#{name}': { 'device': '#{dir}/disk/#{name}' }"
        list.puts "/far/h#{i}/#{name}\t#{key}\t1600000000.0"
        File.write(File.join(dir, 'disk', name), '')
        File.write(File.join(dir, 'key', name), key)
        key
      end
      File.write(File.join(dir, 'keys'), keys.join)
    end
  end
end
