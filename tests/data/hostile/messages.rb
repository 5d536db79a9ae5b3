# encoding: BINARY
# SPDX-License-Identifier: MIT
# Key files that are OpenPGP messages of a kind that no key file is, or hold what none holds: each is
# told and left alone, and the good disk's key is found all the same. Whoever has alice's public key can
# make them.
require_relative 'packets'

module Hostile
  def self.message(title, says, **options, &place)
    says = "keys/alice/evil... is left alone: #{says}"
    set_aside("a message: #{title}", says, **options) { plant(instance_exec(&place)) }
  end

  # --- armor ---
  message('garbage with an armor around it', 'the message is damaged') { armor("\0" * 100) }
  message('an armor around nothing', 'the message is cut off') { armor('') }
  message('a wrong checksum', "the armor's checksum is wrong") { armor(good_bytes, sum: 'abc') }
  message('no checksum', 'the armored message is cut off') { good_message.sub(/^=.*\n-----END.*\n/, '') }
  message('no end', 'the armored message has no proper end') { good_message.sub(/^-----END.*\n/, '') }
  message('digits that are none', 'the armor is damaged') { good_message.sub(/^[A-Za-z0-9]{9}/, '!!!!!!!!!') }
  message('no empty line', 'no empty line between armor and message') { good_message.sub("\n\n", "\n") }
  message('headers without end', 'no empty line between') { "-----BEGIN PGP MESSAGE-----\n#{"Comment: x\n" * 100_000}x" }
  message('more behind the end', 'there is more behind the armored message') { "#{good_message}#{good_message}" }
  message('not armored at all', 'not an armored OpenPGP message') { good_bytes }
  message('another kind of armor', 'not an armored OpenPGP message') { armor(good_bytes, 'PUBLIC KEY BLOCK') }
  message('a signed text with the message in it', 'not an armored OpenPGP message') { gpg(good_message, '--clearsign') }

  # --- packets ---
  message('to a password', 'the message is encrypted with a password') { gpg('x', '--symmetric', '--pinentry-mode', 'loopback', '--passphrase', 'x') }
  message('to me, or to a password', 'the message is encrypted with a password') do
    encrypt('x', '--symmetric', '--pinentry-mode', 'loopback', '--passphrase', 'x')
  end
  message('signed only', 'the message is signed, but not encrypted') { gpg('x', '--sign', '--compress-algo', 'none') }
  message('signed and packed', 'the message is not encrypted') { gpg('x', '--sign') }
  message('a signature alone', 'not an armored OpenPGP message') { gpg('x', '--detach-sign') }
  message('a text alone', 'the message is not encrypted') { armor(literal('x')) }
  message('packed only', 'the message is not encrypted') { armor(compressed(deflate(literal('x')))) }
  message('a public key', 'the message is not what a key file is') { armor(bytes_of(read('keys/public/alice'))) }
  message('without protection against changes', 'the message is encrypted without protection against changes') do
    bytes = good_bytes
    armor(session(bytes) + packet(9, 'x' * 100))
  end
  message('data without a session key', 'the message is not what a key file is') { armor(packet(18, "\x01#{'x' * 100}")) }
  message('a session key without data', 'the message is cut off') { armor(session) }
  message('cut in the middle', 'the message is cut off') { armor(good_bytes[0, 100_000]) }
  message('a byte short', 'the message is cut off') { armor(good_bytes[0..-2]) }
  message('a byte more', 'there is more behind the encrypted message') { armor("#{good_bytes}\0") }
  message('another message behind it', 'there is more behind the encrypted message') { armor(good_bytes * 2) }
  message('a byte changed', 'gpg cannot decrypt it') { b = good_bytes; b.setbyte(150_000, b.getbyte(150_000) ^ 1); armor(b) }
  message('a length of four gigabytes', 'the message is cut off') { armor("#{session}\xd2\xff\xff\xff\xff\xffxxx") }
  message('a session key of four gigabytes', 'the message is cut off') { armor("\xc1\xff\xff\xff\xff\xff\x03".b) }
  message('a part of a gigabyte', 'the message is cut off') { armor("#{session}\xd2\xfexxx") }
  message('parts without end', 'the message is cut off') { armor("#{session}\xd2#{"\xe0x" * 100_000}") }
  message('a session key of another version', 'its session key has an unknown form') { armor(packet(1, "\x09#{'x' * 60}")) }
  message('a session key of nothing', 'its session key has an unknown form') { armor(packet(1, '')) }
  message('a session key whose numbers lie', 'its session key has an unknown form') { armor(packet(1, "\x03#{'i' * 8}\x12\xff\xff".b)) }
  message('ten thousand recipients', 'the message has too many recipients') { armor(packet(1, "\x03#{'i' * 8}\x63x") * 10_000 + packet(18, 'x')) }
  # Whatever gpg says of these, other files are read: nobody is locked out by what bears his key's id.
  { 'an ECDH point that is none' => "\x12\x01\x07\x40#{'p' * 32}\x30#{'w' * 48}",
    'an ECDH point of zeros' => "\x12\x01\x07\x40#{"\0" * 32}\x30#{'w' * 48}",
    'an ECDH point of no length' => "\x12\0\0\x30#{'w' * 48}",
    'a wrapped key of 255 bytes' => "\x12\x01\x07\x40#{'p' * 32}\xff#{'w' * 255}",
    'a wrapped key of no byte' => "\x12\x01\x07\x40#{'p' * 32}\0", 'RSA' => "\x01\x08\0\x80#{'x' * 255}",
    'RSA of no length' => "\x01\0\0", 'Elgamal' => "\x10#{"\x08\0\x80#{'x' * 255}" * 2}", 'DSA' => "\x11xxx",
    'EdDSA' => "\x16xxx", 'an algorithm of nobody' => "\x63xxx" }.each do |what, numbers|
    message("my key's id on #{what}", '') { armor(packet(1, "\x03#{my_id}#{numbers}") + good_bytes[session.size..]) }
  end
  [12, 16, 30, 60, 80].each do |at|
    message("a session key with byte #{at} changed", '') { b = good_bytes; b.setbyte(at, b.getbyte(at) ^ 4); armor(b) }
  end
  { 'garbage' => Packets.packet(18, "\x01#{'x' * 100}"), 'data of another version' => Packets.packet(18, "\x02#{'x' * 100}"),
    'empty data' => Packets.packet(18, ''), 'data of one byte' => Packets.packet(18, "\x01"),
    'data as the next GnuPG writes it' => Packets.packet(20, "\x01\x09\x02\x10#{'x' * 100}"),
    'such data of another version' => Packets.packet(20, "\x09\x09\x02\x10#{'x' * 100}"),
    'no such data' => Packets.packet(20, '') }.each do |what, data|
    message("a good session key for #{what}", '') { armor(session + data) }
  end
  # 4 is for a GPG key that cannot be used, and that is all that can be told here: gpg got nowhere with
  # the one file there is. With another file that it can decrypt, this one is what is damaged.
  refused('a message: a session key that is damaged, and no other file', 'keys/alice/evil', status: 4, tools: %w[gpgconf]) do
    plant armor(session.tap { |b| b.setbyte(30, b.getbyte(30) ^ 4) } + good_bytes[session.size..])
    FileUtils.rm(Dir.glob("#{path('keys/alice')}/*").reject { |name| name.end_with?('evil') })
  end
  set_aside('a message: to bob alone', '1 key file in keys/alice (evil...) is for no secret key') { plant encrypt('x', to: 'bob') }
  set_aside('a message: to somebody who is not told', 'or hidden by throw-keyids') { plant encrypt('x', '--throw-keyids') }
  set_aside('a message: to nobody who is known', 'is for no secret key on this machine') do
    plant armor(packet(1, "\x03#{'i' * 8}\x63x") + packet(18, "\x01#{'x' * 100}"))
  end
  message('to bob and to me', 'what it holds is no key file') { encrypt('x', to: %w[bob alice]) }
  set_aside('a message: a key of mine that bob can read, too', 'is encrypted to another key as well') do
    key = "---\n\"#{GOOD}\":\n  :key: #{File.read('good.key')}\n  :time: 1.0\n"
    plant encrypt(around(key, 'deflated'), '--compress-algo', 'none', to: %w[bob alice])
  end

  # --- what is inside the encryption ---
  message('a message in a message', 'a message inside the message') { inside(bytes_of(encrypt('x'))) }
  message('one to a password in a message', 'a message inside the message') do
    inside(bytes_of(gpg('x', '--symmetric', '--pinentry-mode', 'loopback', '--passphrase', 'x')))
  end
  message('nothing inside', 'gpg cannot decrypt it') { inside('') }
  message('garbage inside', 'gpg cannot decrypt it') { inside('x' * 100) }
  message('two texts inside', 'line 2: no mapping of disks to keys') { inside(literal("---\n") + literal("---\n")) }
  message('a text with a path as its file name', 'what it holds is no key file') do
    inside(packet(11, "b\x0e../outside/fil\0\0\0\0x"))
  end
  message('in parts of 512 bytes', 'what it holds is no key file') do
    inside("\xcb#{"\xe9#{'b' + "\0" * 511}" * 100}\x01x")
  end
  message('a text for the eyes only', 'what it holds is no key file') { inside(packet(11, "b\x08_CONSOLE\0\0\0\0x")) }
  message('a text of four gigabytes that is not there', 'what it holds is no key file') { inside("\xcb\xff\xff\xff\xff\xffb\0\0\0\0\0x".b) }
  message('a public key inside', 'gpg cannot decrypt it') { inside(bytes_of(read('keys/public/bob'))) }
  message('forty packings, one in the other', 'gpg cannot decrypt it') { inside(40.times.inject(literal('x')) { |in_it, _| compressed(deflate(in_it)) }) }
  message('a packing that does not unpack', 'gpg cannot decrypt it') { inside(compressed('x' * 1000)) }
  message('a packing of an unknown kind', 'gpg cannot decrypt it') { inside("\xa3\x63#{'x' * 100}".b) }

  # --- bombs ---
  BOMB = 'it unpacks to more than any key file has'
  message('four gigabytes in four megabytes', BOMB) { inside(bomb(3)) }
  message('four gigabytes in some kilobytes', BOMB) { inside(compressed(deflate(bomb(3)))) }
  message('a terabyte of markers', 'gpg cannot decrypt it', plain_only: true) { inside(silent_bomb("\xca\x03PGP")) }
  message('a terabyte of comments', 'gpg cannot decrypt it', plain_only: true) { inside(silent_bomb(packet(61, "\0" * 30_000))) }

  # --- around the text of a key file ---
  message('an empty text', 'what it holds is no key file') { encrypt('') }
  message('one line', 'what it holds is no key file') { encrypt("hello\n") }
  message('one marker', 'what it holds is cut off') { encrypt("--marker\nstream") }
  message('the marker alone, twice', 'its text does not unpack') { encrypt("--marker\n--marker\n") }
  message('a marker of a megabyte', 'what it holds is cut off') { encrypt("--#{'x' * 1_000_000}\nx") }
  message('a marker with NULs', 'its text does not unpack') { encrypt("--\0\0\nxx\n--\0\0\n") }
  message('line feeds only', 'what it holds is no key file') { encrypt("\n" * 1_000_000) }
  message('a marker that is two dashes', 'what it holds is no key file') { encrypt("--\nx\n--\n") }
  message('a stream that is cut', 'its text does not unpack') { encrypt("--m\n#{Zlib.deflate("--- {}\n")[0..-5]}\n--m\n") }
  message('a stream with more behind it', 'its text does not unpack') { encrypt("--m\n#{Zlib.deflate("--- {}\n")}xx\n--m\n") }
  message('a stream with a wrong checksum', 'its text does not unpack') { encrypt("--m\n#{Zlib.deflate("--- {}\n")[0..-2]}z\n--m\n") }
  message('a stream that asks for a dictionary', 'its text does not unpack') { encrypt("--m\n\x78\xbb\x00\x00\x00\x01xxx\n--m\n".b) }
  message('a stream of two gigabytes', 'its text unpacks to more than any has') do
    encrypt("--m\n\x78\x9c".b + repeated("\0" * (1 << 20), 2048) + "xxxx\n--m\n", '--compress-algo', 'none')
  end
  message('a stream of blocks without anything', 'its text does not unpack') do
    encrypt("--m\n\x78\x9c".b + "\0\0\0\xff\xff".b * 2_000_000 + "\n--m\n", '--compress-algo', 'none')
  end
end
