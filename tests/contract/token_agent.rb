# SPDX-License-Identifier: MIT
# An ssh-agent with one key of a FIDO token, sk-ssh-ed25519, that signs as a token does: over the hash
# of the application, flags and a counter, as the server verifies. There is no token: the private key
# is this process's. token_agent.rb SOCKET PUBLIC-KEY-FILE
require "openssl"
require "socket"

TYPE = "sk-ssh-ed25519@openssh.com".freeze
APPLICATION = "ssh:".freeze
USER_PRESENT = 1

def string(bytes)
  [bytes.bytesize].pack("N") + bytes
end

def take(bytes)
  length = bytes.unpack1("N")
  [bytes.byteslice(4, length), bytes.byteslice(4 + length..)]
end

key = OpenSSL::PKey.generate_key("ED25519")
BLOB = string(TYPE) + string(key.public_to_der[-32..]) + string(APPLICATION)
counter = 0
File.write(ARGV[1], "#{TYPE} #{[BLOB].pack("m0")} token\n")

sign = lambda do |message|
  counter += 1
  rest = [USER_PRESENT, counter].pack("CN")
  sha256 = OpenSSL::Digest.new("SHA256")
  signature = key.sign(nil, sha256.digest(APPLICATION) + rest + sha256.digest(message))
  string(TYPE) + string(signature) + rest
end

answer = lambda do |question|
  case question.getbyte(0)
  when 11 then "\x0c".b + [1].pack("N") + string(BLOB) + string("token")
  when 13
    blob, rest = take(question.byteslice(1..))
    blob == BLOB ? "\x0e".b + string(sign.call(take(rest)[0])) : "\x05".b
  else "\x05".b
  end
end

server = UNIXServer.new(ARGV[0])
loop do
  Thread.new(server.accept) do |s|
    while (length = s.read(4))
      s.write(string(answer.call(s.read(length.unpack1("N")))))
    end
    s.close
  end
end
