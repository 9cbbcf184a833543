// One end of a GSSAPI exchange, by the JDK's native GSSAPI.
//
//   JavaEnd initiate|accept raw|spnego   handshake tokens, then commands, in the frames of peer.py
//   JavaEnd http                         a web server with Negotiate and NTLM; prints its port, then
//                                        a line for each login: "user NAME" or "refused"
//
// The JDK frames the first token of an acceptor again (RFC 2743 3.1) and reads every later one as an
// element of DER, so that each message of bare NTLM has to be framed for it.
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.ietf.jgss.GSSContext;
import org.ietf.jgss.GSSCredential;
import org.ietf.jgss.GSSException;
import org.ietf.jgss.GSSManager;
import org.ietf.jgss.GSSName;
import org.ietf.jgss.MessageProp;
import org.ietf.jgss.Oid;

public final class JavaEnd {
  private static final byte[] SIGNATURE = "NTLMSSP\0".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] OID = {6, 10, 0x2b, 6, 1, 4, 1, (byte) 0x82, 0x37, 2, 2, 10};
  private static final GSSManager MANAGER = GSSManager.getInstance();

  private static boolean isBare(byte[] token) {
    return token.length >= SIGNATURE.length
        && Arrays.equals(Arrays.copyOf(token, SIGNATURE.length), SIGNATURE);
  }

  // A bare NTLM message in its framing; anything else as it is.
  static byte[] framed(byte[] token) throws IOException {
    if (!isBare(token)) {
      return token;
    }
    int size = OID.length + token.length;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(0x60);
    // The JDK insists on the shortest form of a length.
    if (size >= 0x100) {
      out.write(0x82);
      out.write(size >> 8);
    } else if (size >= 0x80) {
      out.write(0x81);
    }
    out.write(size);
    out.write(OID);
    out.write(token);
    return out.toByteArray();
  }

  // The NTLM message in a framed token; anything else as it is.
  static byte[] bare(byte[] token) {
    if (token.length < 2 || token[0] != 0x60) {
      return token;
    }
    int head = 2 + (token[1] < 0 ? token[1] & 0x7f : 0);
    int end = head + OID.length;
    return token.length >= end && Arrays.equals(Arrays.copyOfRange(token, head, end), OID)
        ? Arrays.copyOfRange(token, end, token.length) : token;
  }

  // A step of an acceptor. For a token that the library rejects, some JDKs give neither an error
  // nor an answer.
  static byte[] accept(GSSContext context, byte[] token) throws GSSException, IOException {
    byte[] in = framed(token);
    byte[] out = context.acceptSecContext(in, 0, in.length);
    if (out == null && !context.isEstablished()) {
      throw new GSSException(GSSException.FAILURE, 0, "the token was rejected");
    }
    return out == null ? new byte[0] : out;
  }

  private static final DataInputStream IN = new DataInputStream(System.in);
  private static final DataOutputStream OUT = new DataOutputStream(System.out);

  private static byte[] receive() throws IOException {
    byte[] data = new byte[IN.readInt()];
    IN.readFully(data);
    return data;
  }

  private static void send(char mark, byte[] data) throws IOException {
    OUT.writeInt(1 + data.length);
    OUT.write(mark);
    OUT.write(data);
    OUT.flush();
  }

  private static GSSContext initiator(Oid mechanism) throws GSSException {
    GSSName target = MANAGER.createName("host@server.example", GSSName.NT_HOSTBASED_SERVICE);
    GSSContext context = MANAGER.createContext(target, mechanism, null, 0);
    context.requestMutualAuth(false);
    context.requestInteg(true);
    context.requestConf(true);
    return context;
  }

  private static GSSContext handshake(boolean initiate, Oid mechanism)
      throws GSSException, IOException {
    GSSContext context =
        initiate ? initiator(mechanism) : MANAGER.createContext((GSSCredential) null);
    byte[] token = initiate ? new byte[0] : receive();
    while (true) {
      byte[] in = framed(token);
      token = initiate ? context.initSecContext(in, 0, in.length) : accept(context, token);
      send(context.isEstablished() ? '+' : '-', token == null ? new byte[0] : token);
      if (context.isEstablished()) {
        return context;
      }
      token = receive();
    }
  }

  private static byte[] answer(GSSContext context, String command, byte[] data)
      throws GSSException {
    switch (command) {
      case "wrap":
        return context.wrap(data, 0, data.length, new MessageProp(true));
      case "unwrap":
        return context.unwrap(data, 0, data.length, new MessageProp(true));
      case "mic":
        return context.getMIC(data, 0, data.length, new MessageProp(true));
      case "verify":
        context.verifyMIC(data, 0, 16, data, 16, data.length - 16, new MessageProp(true));
        return new byte[0];
      case "name":
        return context.getSrcName().toString().getBytes(StandardCharsets.UTF_8);
      default:
        throw new IllegalArgumentException(command);
    }
  }

  private static void converse(boolean initiate, Oid mechanism) throws IOException {
    try {
      GSSContext context = handshake(initiate, mechanism);
      while (true) {
        byte[] line = receive();
        int space = 0;
        while (space < line.length && line[space] != ' ') {
          ++space;
        }
        String command = new String(line, 0, space, StandardCharsets.US_ASCII);
        int from = Math.min(space + 1, line.length);
        send('+', answer(context, command, Arrays.copyOfRange(line, from, line.length)));
      }
    } catch (GSSException error) {
      send('!', error.toString().getBytes(StandardCharsets.UTF_8));
    } catch (EOFException end) {
      // The other process has gone.
    }
  }

  // The context of each connection: a login is the connection's.
  private static final Map<InetSocketAddress, GSSContext> CONTEXTS = new ConcurrentHashMap<>();

  private static void reply(HttpExchange exchange, int status, String text) throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private static void challenge(HttpExchange exchange, String... values) throws IOException {
    for (String value : values) {
      exchange.getResponseHeaders().add("WWW-Authenticate", value);
    }
    reply(exchange, 401, "no login\n");
  }

  private static void serve(HttpExchange exchange) throws IOException {
    exchange.getRequestBody().readAllBytes();
    String header = exchange.getRequestHeaders().getFirst("Authorization");
    String[] parts = header == null ? new String[0] : header.split(" ");
    if (parts.length != 2) {
      challenge(exchange, "Negotiate", "NTLM");
      return;
    }
    InetSocketAddress connection = exchange.getRemoteAddress();
    try {
      GSSContext context = CONTEXTS.get(connection);
      if (context == null) {
        context = MANAGER.createContext((GSSCredential) null);
        CONTEXTS.put(connection, context);
      }
      byte[] token = Base64.getDecoder().decode(parts[1]);
      byte[] out = accept(context, token);
      String text = parts[0] + " "
          + Base64.getEncoder().encodeToString(isBare(token) ? bare(out) : out);
      if (!context.isEstablished()) {
        challenge(exchange, text);
        return;
      }
      CONTEXTS.remove(connection);
      String user = "user " + context.getSrcName();
      if (out.length > 0) {
        exchange.getResponseHeaders().add("WWW-Authenticate", text);
      }
      context.dispose();
      System.out.println(user);
      reply(exchange, 200, user + "\n");
    } catch (GSSException | IllegalArgumentException error) {
      CONTEXTS.remove(connection);
      System.out.println("refused");
      challenge(exchange, "Negotiate", "NTLM");
    }
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("http")) {
      HttpServer server =
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.createContext("/", JavaEnd::serve);
      server.start();
      System.out.println(server.getAddress().getPort());
      return;
    }
    boolean raw = arguments[1].equals("raw");
    converse(arguments[0].equals("initiate"),
        new Oid(raw ? "1.3.6.1.4.1.311.2.2.10" : "1.3.6.1.5.5.2"));
  }
}
