# SPDX-License-Identifier: MIT
# Key files the way a Ruby program that follows the format writes and reads them: Psych, Zlib, the
# gpg program, lines and chomp. The other side of the tests, on purpose not built from arver's C.
#
#   ruby_keys.rb write FORM DIR ADMIN FINGERPRINT   lines "path key time" on stdin to one key file
#   ruby_keys.rb read DIR ADMIN                     every key file to lines "path key time"
#   ruby_keys.rb yaml                               YAML on stdin to lines "path key time"
#   ruby_keys.rb plain FORM                         lines on stdin to a plaintext, not encrypted
#
# FORM: deflated (the current one), padded, bare, oldest (bare, no inner mapping).
#
# What requires it finds the same as methods of RubyKeys.
require 'base64'
require 'digest'
require 'fileutils'
require 'open3'
require 'securerandom'
require 'yaml'
require 'zlib'

Encoding.default_external = Encoding::UTF_8 # whatever the locale is, or if there is none

# The format, read and written.
module RubyKeys
  PADDING = 200_000

  # What gpg cannot decrypt, or encrypt.
  class Unreadable < StandardError; end

  module_function

  def gpg(input, *words)
    out, err, status = Open3.capture3('gpg', '--batch', '--quiet', '--yes', *words,
                                      stdin_data: input, binmode: true)
    raise Unreadable, "gpg: #{err}" unless status.success?
    out
  end

  def entries(form)
    $stdin.each_line.with_object({}) do |line, all|
      path, key, time = line.chomp.split("\t")
      all[path] = form == 'oldest' ? key : { key: key, time: time.to_f }
    end
  end

  def plaintext(form, all = entries(form))
    text = YAML.dump(all)
    return text if %w[bare oldest].include?(form)

    body = form == 'padded' ? text : deflate(text)
    marker = '--' + Base64.strict_encode64(SecureRandom.random_bytes(82))
    length = [PADDING - body.bytesize + 1, 0].max
    padding = Base64.strict_encode64(SecureRandom.random_bytes(length))[0, length]
    [marker, body, marker, padding].map { |part| part.dup.force_encoding('BINARY') }.join("\n")
  end

  # Once in 256 times a stream ends in CR, which the reader's chomp takes away: none of those.
  def deflate(text)
    body = Zlib::Deflate.deflate(text)
    body.end_with?("\r") ? deflate("#{text}\n") : body
  end

  def write(form, dir, admin, fingerprint)
    write_text(plaintext(form), dir, admin, fingerprint)
  end

  def write_text(text, dir, admin, fingerprint)
    message = gpg(text, '--armor', '--trust-model', 'always', '--encrypt',
                  '--recipient', fingerprint)
    target = File.join(dir, 'keys', admin)
    FileUtils.mkdir_p(target)
    File.binwrite(File.join(target, Digest::SHA256.hexdigest(message)), message)
  end

  # By lines: the marker is the first, the body ends at the next line equal to it, one line ending goes.
  def body_of(plain)
    return plain if plain.start_with?('---')

    lines = plain.lines
    marker = lines.shift
    body = lines.take_while { |line| line.chomp != marker.chomp }.join.chomp
    begin
      Zlib::Inflate.inflate(body)
    rescue Zlib::DataError
      body
    end
  end

  # The text in a key file, as a string that YAML can be asked about.
  def plain(message)
    body_of(gpg(message, '--decrypt'))
  end

  # Of two keys for one disk the later one stays; of two with one time, the one that is read later.
  def load_yaml(text, all)
    YAML.load(text.dup.force_encoding('UTF-8')).each do |path, entry|
      key, time = entry.is_a?(Hash) ? [entry[:key], Float(entry[:time] || 0)] : [entry, 0.0]
      all[path] = [key, time] if !all.key?(path) || time >= all[path][1]
    end
  end

  def show(all)
    all.sort.each { |path, (key, time)| puts format("%s\t%s\t%.6f", path, key, time) }
  end
end

return unless $PROGRAM_NAME == __FILE__

command, *rest = ARGV
all = {}
begin
  case command
  when 'write'
    RubyKeys.write(*rest)
  when 'plain'
    $stdout.binmode.write(RubyKeys.plaintext(*rest))
  when 'read'
    Dir.children(File.join(rest[0], 'keys', rest[1])).sort.each do |name|
      RubyKeys.load_yaml(RubyKeys.plain(File.binread(File.join(rest[0], 'keys', rest[1], name))), all)
    end
    RubyKeys.show(all)
  when 'yaml'
    RubyKeys.load_yaml($stdin.read, all)
    RubyKeys.show(all)
  else
    abort 'usage: ruby_keys.rb write|read|yaml|plain ...'
  end
rescue RubyKeys::Unreadable => e
  abort e.message
end
