# encoding: BINARY
# SPDX-License-Identifier: MIT
# keys/public/bob, when alice grants bob something: what is there must be the one key that users says
# is his, and nothing else; or else nothing of it reaches her keyring.
require_relative 'packets'

module Hostile
  self.workers = 1 # there is one keyring
  self.watches_keyring = true

  def self.public_key(title, says, **options, &place)
    refused("keys/public/bob: #{title}", says, words: ['--trust-all', '--add-user', 'bob', GOOD], tools: %w[gpgconf],
            **options, &place)
  end

  # What bob can make of his own key, and what others can.
  class Place
    def bob(name = 'bob') = File.read(File.join(WORK, "home/#{name}/public"))
    def put(content) = write('keys/public/bob', content)
    def block(bytes) = armor(bytes, 'PUBLIC KEY BLOCK')
  end

  public_key('nothing', 'is neither in your GPG keyring nor in keys/public/bob') { remove 'keys/public/bob' }
  public_key('no keys/public', 'is neither in your GPG keyring nor in keys/public/bob') { remove 'keys/public' }
  public_key('a link to a key', 'bob is a symbolic link') { link 'keys/public/bob', '../../../../../home/bob/public' }
  public_key('a FIFO', 'bob is not a regular file') { fifo 'keys/public/bob' }
  public_key('a device', 'bob is not a regular file') { zeros 'keys/public/bob' }
  public_key('a directory', 'bob is not a regular file') { directory 'keys/public/bob' }
  public_key('a gigabyte', 'bob is larger than 1048576 bytes') { sparse 'keys/public/bob', bob }
  public_key('keys/public is a link', 'public is not a directory') { link 'keys/public', '../../outside' }
  public_key('keys/public is a file', 'public is not a directory') { remove 'keys/public'; write 'keys/public', bob }
  public_key('an empty file', 'keys/public/bob') { put '' }
  public_key('garbage', 'keys/public/bob') { put 'hello' }
  public_key('garbage in armor', 'keys/public/bob') { put block('x' * 100) }
  public_key('the key of another', "holds the key #{ADMINS['alice']}, but users says") { put read('keys/public/alice') }
  public_key('his key and that of another', 'holds 2 keys instead of one') { put block(bytes_of(bob) + bytes_of(bob('carol'))) }
  public_key('his key, and another block', 'keys/public/bob') { put bob + bob('carol') }
  public_key('the key of another before his', 'holds 2 keys instead of one') { put block(bytes_of(bob('carol')) + bytes_of(bob)) }
  public_key('his secret key', 'holds a secret key: its owner must consider it lost') { put File.read(File.join(WORK, 'home/bob/secret')) }
  public_key('a secret key in the wrong armor', 'keys/public/bob') { put block(bytes_of(File.read(File.join(WORK, 'home/bob/secret')))) }
  public_key('a message', 'keys/public/bob') { put encrypt('x') }
  public_key('a signature', 'keys/public/bob') { put gpg('x', '--detach-sign') }
  public_key('his key with no name', 'keys/public/bob') { put block(bytes_of(bob)[0, 53]) }
  public_key('his key cut short', 'the public key is cut off') { put block(bytes_of(bob)[0..-20]) }
  # This is his primary key, and gpg alone can tell that the subkey is not: it leaves that out.
  public_key('his key with the subkey of another', 'has no encryption subkey that is usable now: `gpg --import keys/public/bob`',
             changes: /keyring/) do
    put block(bytes_of(bob).sub(/\xb8\x38.*/mn) { '' } + bytes_of(bob('carol'))[/\xb8\x38.*/mn])
  end
  public_key('packed', 'keys/public/bob') { put block(compressed(deflate(bytes_of(bob)))) }
  public_key('four gigabytes, packed', 'keys/public/bob') { put block(compressed(deflate(bomb(3)))) }
  public_key('a terabyte of names, packed', 'keys/public/bob', plain_only: true) { put block(silent_bomb(packet(13, 'x' * 200))) }
  public_key('his key before a terabyte of markers', 'keys/public/bob', plain_only: true) do
    put block(bytes_of(bob) + silent_bomb("\xca\x03PGP"))
  end
  public_key('his key with a terabyte of names', 'keys/public/bob', plain_only: true) do
    put block(bytes_of(bob) + silent_bomb(packet(13, 'x' * 200)))
  end
  public_key('a packet of four gigabytes', 'keys/public/bob') { put block("\xc6\xff\xff\xff\xff\xff\x04".b) }
end
