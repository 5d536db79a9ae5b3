# SPDX-License-Identifier: MIT
# What lies in the key store, as the Ruby reader of tests/unit sees it. A message that was read once
# is known by its digest from then on: every decryption is a process.
require 'digest'
require 'yaml'
require_relative '../unit/ruby_keys'

# All key files of one admin, at one instant.
class StoredKeys
  Key = Struct.new(:path, :text, :time)

  @texts = {}
  class << self
    attr_reader :texts

    # The text in a key file, or what keeps the Ruby reader from it.
    def text_in(message, home)
      name = Digest::SHA256.digest(message)
      @texts[name] ||= decrypt(message, home)
    end

    private

    def decrypt(message, home)
      ENV['GNUPGHOME'] = home
      text = RubyKeys.plain(message)
      RubyKeys.load_yaml(text, {})
      text
    rescue StandardError => e
      e
    end
  end

  attr_reader :files, :unreadable, :keys

  def initialize(dir, home)
    @files = Dir.exist?(dir) ? Dir.children(dir).sort : []
    @unreadable = {}
    @keys = []
    @chosen = {}
    @files.each { |name| take(name, StoredKeys.text_in(File.binread(File.join(dir, name)), home)) }
  end

  # The keys of this disk, in whatever state.
  def for_disk(path)
    @keys.select { |key| key.path == path }
  end

  # The one that Ruby Arver would use, or nil.
  def chosen(path)
    @chosen[path]&.first
  end

  private

  def take(name, text)
    return @unreadable[name] = text.message if text.is_a?(StandardError)

    RubyKeys.load_yaml(text, @chosen)
    YAML.load(text.dup.force_encoding('UTF-8')).each do |path, entry|
      entry = { key: entry } unless entry.is_a?(Hash)
      [entry, *entry[:also]].each do |e|
        @keys << Key.new(path, e[:key], Float(e[:time] || 0))
      end
    end
  end
end
