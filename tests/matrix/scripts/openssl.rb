# SPDX-License-Identifier: Apache-2.0
# Ruby's openssl. openssl.rb server|client CERT KEY CA PORT [VERSION]
require "openssl"
require "socket"

role, cert, key, ca, port, version = ARGV
context = OpenSSL::SSL::SSLContext.new
context.cert = OpenSSL::X509::Certificate.new(File.read(cert))
context.key = OpenSSL::PKey.read(File.read(key))
# It would look for the private part itself, which never leaves its device.
if ENV["RUBY_KEY_IS_PRIVATE"]
  context.key.define_singleton_method(:private?) { true }
end
context.ca_file = ca
context.verify_mode =
  OpenSSL::SSL::VERIFY_PEER | OpenSSL::SSL::VERIFY_FAIL_IF_NO_PEER_CERT
if role == "server"
  listener = OpenSSL::SSL::SSLServer.new(TCPServer.new("127.0.0.1", port.to_i),
                                         context)
  loop do
    connection = listener.accept
    nil until connection.gets == "\r\n"
    connection.write("HTTP/1.0 200 OK\r\n\r\nserved\n")
    connection.close
  end
end
wanted = { "1.2" => OpenSSL::SSL::TLS1_2_VERSION,
           "1.3" => OpenSSL::SSL::TLS1_3_VERSION }[version]
context.min_version = context.max_version = wanted
connection = OpenSSL::SSL::SSLSocket.new(
  TCPSocket.new("localhost", port.to_i), context
)
connection.hostname = "localhost"
connection.connect
connection.post_connection_check("localhost")
connection.write("GET / HTTP/1.0\r\n\r\n")
puts connection.read
