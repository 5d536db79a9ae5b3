# encoding: BINARY
# SPDX-License-Identifier: MIT
# OpenPGP by hand, what gpg makes of it, and key files around any text.
require 'zlib'

module Hostile
  module Packets
    extend self

    def crc24(bytes)
      bytes.each_byte.inject(0xb704ce) do |crc, byte|
        8.times.inject(crc ^ (byte << 16)) { |c, _| c[23] == 1 ? (c << 1 ^ 0x1864cfb) & 0xffffff : c << 1 }
      end
    end

    def armor(bytes, kind = 'MESSAGE', sum: [crc24(bytes)].pack('N')[1, 3])
      "-----BEGIN PGP #{kind}-----\n\n#{[bytes].pack('m64')}=#{[sum].pack('m0')}\n-----END PGP #{kind}-----\n"
    end

    def bytes_of(armored) = armored[/\n\n(.*?)\n=/m, 1].unpack1('m')
    def packet(tag, body) = [0xc0 | tag, 0xff, body.bytesize].pack('CCN') + body
    def literal(text) = packet(11, "b\0\0\0\0\0#{text}")
    def compressed(bytes) = "\xa3\x01".b + bytes # to the end of what it is in
    def deflate(bytes) = Zlib::Deflate.new(9, -15).deflate(bytes, Zlib::FINISH)

    # Deflated: head, a part so many times, tail. The part is packed once.
    def repeated(part, times, head = '', tail = '')
      z = Zlib::Deflate.new(9, -15)
      before = z.deflate(head, Zlib::FULL_FLUSH)
      unit = z.deflate(part, Zlib::FULL_FLUSH)
      before + unit * times + z.deflate(tail, Zlib::FINISH)
    end

    # One text of so many gigabytes.
    def bomb(gigabytes)
      size = gigabytes << 30
      compressed(repeated("\0".b * (1 << 20), size >> 20, [0xcb, 0xff, size + 6].pack('CCN') + "b\0\0\0\0\0"))
    end

    # A terabyte, in some kilobytes, of packets of which nothing comes out.
    def silent_bomb(nothing)
      z = Zlib::Deflate.new(9, -15)
      z.deflate('', Zlib::FULL_FLUSH)
      unit = z.deflate(nothing * ((1 << 20) / nothing.bytesize), Zlib::FULL_FLUSH)
      inner = repeated(unit * 1000, 1000, compressed(''), z.deflate('', Zlib::FINISH))
      compressed(deflate(compressed(inner)))
    end
  end

  # More of what a case may do.
  class Place
    include Packets

    def encrypt(text, *options, to: 'alice')
      to = [to].flatten.flat_map { |name| ['--recipient', ADMINS[name]] }
      RubyKeys.gpg(text, '--armor', '--trust-model', 'always', '--encrypt', *to, *options)
    end

    def gpg(text, *options) = RubyKeys.gpg(text, '--armor', *options)
    def inside(packets) = encrypt(packets, '--no-literal', '--compress-algo', 'none')
    def plant(message) = write('keys/alice/evil', message)

    # A key file, but for the text in it.
    def plant_text(text, form = 'deflated') = plant(encrypt(around(text, form), '--compress-algo', 'none'))

    def around(text, form)
      body = form == 'deflated' ? RubyKeys.deflate(text) : text
      return text if form == 'bare'

      marker = "--#{'M' * 112}"
      [marker, body, marker, 'x' * [200_001 - body.bytesize, 0].max].join("\n")
    end

    def good_message = read(Dir.glob('keys/alice/*', base: dir).min)
    def good_bytes = bytes_of(good_message)
    def session(bytes = good_bytes) = bytes[0, bytes.getbyte(1) + 2] # its first packet
    def my_id = good_bytes[3, 8]
  end
end
