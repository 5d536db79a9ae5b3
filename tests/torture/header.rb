# SPDX-License-Identifier: MIT
# A LUKS header as the cryptsetup program shows it: its slots, what is in their areas, and which of
# them a key opens. What a slot answered to a key is kept: it depends on nothing but the slot's
# lines, the bytes of its area and the key.
require 'digest'
require 'open3'

# One header at one instant.
class Header
  Slot = Struct.new(:number, :salt, :text, :area)

  UUID_AT = 168 # in LUKS1 and in LUKS2
  SECTOR = 512

  @answers = {}
  class << self
    attr_reader :answers

    # The header of this image, or nil where cryptsetup sees none.
    def read(image)
      text, status = Open3.capture2e('cryptsetup', 'luksDump', image)
      status.success? ? new(image, text) : nil
    end

    def uuid_in(image)
      text = File.binread(image, 40, UUID_AT) || ''
      text.unpack1('Z*')[/\A[0-9a-f-]{36}\z/]
    end
  end

  attr_reader :uuid, :slots

  def initialize(image, text)
    @image = image
    @uuid = text[/^UUID:\s*(\S+)/, 1]
    @slots = text[/^Version:\s*(\d)/, 1] == '1' ? luks1_slots(text) : luks2_slots(text)
  end

  def numbers
    @slots.keys.sort
  end

  # The numbers of the slots that this key opens; to be asked before the image changes.
  def opened_by(key)
    @slots.values.select { |slot| opens?(slot, key) }.map(&:number)
  end

  private

  def luks1_slots(text)
    bytes = text[/^MK bits:\s*(\d+)/, 1].to_i / 8
    text.scan(/^Key Slot (\d+): ENABLED\n((?:\t.*\n)*)/).to_h do |number, lines|
      at = lines[/Key material offset:\s*(\d+)/, 1].to_i * SECTOR
      slot(number.to_i, lines, at, bytes * lines[/AF stripes:\s*(\d+)/, 1].to_i)
    end
  end

  def luks2_slots(text)
    section = text[/^Keyslots:\n((?:[ \t].*\n)*)/, 1] || ''
    section.scan(/^  (\d+): luks2\n((?:\t.*\n)*)/).to_h do |number, lines|
      slot(number.to_i, lines, lines[/Area offset:\s*(\d+)/, 1].to_i,
           lines[/Area length:\s*(\d+)/, 1].to_i)
    end
  end

  def slot(number, lines, at, length)
    salt = lines[/Salt:\s*((?:[0-9a-f]{2}\s+)+)/, 1].delete(" \t\n")
    area = Digest::SHA256.hexdigest(File.binread(@image, length, at) || '')
    [number, Slot.new(number, salt, lines.sub(/Priority:.*/, ''), area)]
  end

  def opens?(slot, key)
    question = [@uuid, slot.number, slot.text, slot.area, key]
    Header.answers.fetch(question) do
      Header.answers[question] = ask(slot.number, key)
    end
  end

  def ask(number, key)
    _, status = Open3.capture2e('cryptsetup', 'open', '--test-passphrase', '--type', 'luks',
                                '--key-slot', number.to_s, '--key-file=-', @image,
                                stdin_data: key, binmode: true)
    status.success?
  end
end
