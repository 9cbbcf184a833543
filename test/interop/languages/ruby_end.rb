# One end of an exchange by ruby-gssapi, in the frames of peer.py: ruby_end.rb accept raw|spnego
#
# It initiates with GSS_C_NO_OID alone, which is Kerberos. What it gives back of an acceptor's step does not say whether the
# context is open: an NTLM login is, after the second token.
require "gssapi"

# It releases a handle by the handle itself, where the library wants its address, and crashes: nothing is released here.
GC.disable
at_exit { exit! }

STDIN.binmode
STDOUT.binmode

def give(kind, data)
  STDOUT.write([data.bytesize + 1].pack("N"), kind, data)
  STDOUT.flush
end

def take
  head = STDIN.read(4)
  exit if head.nil?
  STDIN.read(head.unpack1("N"))
end

def answer(context, command, data)
  case command
  when "wrap" then context.wrap_message(data)
  when "unwrap" then context.unwrap_message(data)
  when "mic" then context.get_mic(data)
  when "name" then context.display_name
  else raise ArgumentError, command
  end
end

begin
  context = GSSAPI::Simple.new("localhost", "HTTP")
  context.acquire_credentials
  2.times do |done|
    token = context.accept_context(take)
    give(done == 1 ? "+" : "-", token == true ? "" : token)
  end
  loop do
    command, _, data = take.partition(" ".b)
    give("+", answer(context, command, data))
  end
rescue GSSAPI::GssApiError => error
  give("!", error.message)
end
