// A connectionless exchange over UDP on loopback [MS-NLMP] 1.3.1.2: two processes, a road between
// them that loses, doubles, delays and forges datagrams (from a seed), and a receiver that must
// read each message that arrives once.
//
//   udp [MESSAGES [SEED]]     10,000 each way and seed 1, if not said otherwise
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/gss.h"
#include "test/support/road.h"

namespace gssntlm::test {
namespace {

constexpr unsigned kTimeLimit = 120;

bool is_message(const std::string& datagram) {
  return datagram[0] == kWrapped || datagram[0] == kScattered || datagram[0] == kSigned ||
         datagram[0] == kForged;
}

std::string text_of(std::size_t number) {
  return "message " + std::to_string(number) + std::string(number % 700, '.');
}

std::size_t number_in(const std::string& text) {
  return std::strtoul(text.c_str() + std::strlen("message "), nullptr, 10);
}

std::string scattered(End& end, std::string text) {
  std::string header(16, '\0');
  gss_iov_buffer_desc iov[] = {{GSS_IOV_BUFFER_TYPE_HEADER, {header.size(), header.data()}},
                               {GSS_IOV_BUFFER_TYPE_DATA, {text.size(), text.data()}}};
  OM_uint32 minor = 0;
  int conf = 0;
  if (gss_wrap_iov(&minor, end.context, 1, 0, &conf, iov, 2) != GSS_S_COMPLETE) {
    fail("gss_wrap_iov");
  }
  return header + text;
}

OM_uint32 gather(End& end, std::string token, std::string& text) {
  if (token.size() < 16) {
    return GSS_S_DEFECTIVE_TOKEN;
  }
  std::string header = token.substr(0, 16);
  std::string body = token.substr(16);
  gss_iov_buffer_desc iov[] = {{GSS_IOV_BUFFER_TYPE_HEADER, {header.size(), header.data()}},
                               {GSS_IOV_BUFFER_TYPE_DATA, {body.size(), body.data()}}};
  OM_uint32 minor = 0;
  const OM_uint32 major = gss_unwrap_iov(&minor, end.context, nullptr, nullptr, iov, 2);
  text = GSS_ERROR(major) ? std::string() : body;
  return major;
}

std::string protect(End& end, std::size_t number) {
  const std::string text = text_of(number);
  std::string token;
  switch (number % 3) {
    case 0:
      if (!wrap(end, text, token).ok()) {
        fail("gss_wrap");
      }
      return std::string(1, kWrapped) + token;
    case 1:
      return std::string(1, kScattered) + scattered(end, text);
    default:
      if (!get_mic(end, text, token).ok()) {
        fail("gss_get_mic");
      }
      return std::string(1, kSigned) + token + text;
  }
}

OM_uint32 open(End& end, char kind, const std::string& payload, std::string& text) {
  if (kind == kWrapped) {
    return unwrap(end, payload, text).major;
  }
  if (kind == kScattered) {
    return gather(end, payload, text);
  }
  if (payload.size() < 16) {
    return GSS_S_DEFECTIVE_TOKEN;
  }
  text = payload.substr(16);
  return verify_mic(end, text, payload.substr(0, 16)).major;
}

/// What a receiver made of what came.
class Reader {
 public:
  explicit Reader(End& end) : end_(end) {}

  void read(const std::string& datagram) {
    if (datagram[0] == kForged) {
      read_forged(datagram);
      return;
    }
    ++arrived_;
    const bool again = !seen_.insert(datagram).second;
    std::string text;
    const OM_uint32 major = open(end_, datagram[0], datagram.substr(1), text);
    const std::size_t number = number_in(text);
    if (GSS_ERROR(major) || text != text_of(number)) {
      fail("a genuine message was refused or read wrongly");
    }
    if (major == GSS_S_COMPLETE) {
      if (again || !accepted_.insert(number).second) {
        fail("message " + std::to_string(number) + " was accepted twice");
      }
      newest_ = std::max(newest_, number);
    } else if (major == GSS_S_DUPLICATE_TOKEN) {
      if (accepted_.count(number) == 0) {
        fail("message " + std::to_string(number) + " was called a duplicate and is none");
      }
      ++duplicates_;
    } else if (major == GSS_S_OLD_TOKEN) {
      if (number + kWindow > newest_) {
        fail("message " + std::to_string(number) + " was called old and is not");
      }
      too_old_ += again ? 0 : 1;
    } else {
      fail("an unexpected status");
    }
  }
  /// Every message that arrived was read once, but for those too old to tell.
  void check() const {
    if (accepted_.size() + too_old_ != seen_.size()) {
      fail("a message that arrived was not read");
    }
  }
  void report(const char* direction, const Toll& toll) const {
    std::printf(
        "PASS %s: %zu sent, %zu lost, %zu doubled, %zu delayed, %zu forged; %zu arrived, "
        "%zu read once, %zu duplicates, %zu too old, %zu forgeries refused\n",
        direction, toll.sent, toll.lost, toll.doubled, toll.delayed, toll.forged, arrived_,
        accepted_.size(), duplicates_, too_old_, refused_);
    std::fflush(stdout);
  }

 private:
  void read_forged(const std::string& datagram) {
    std::string text;
    const OM_uint32 major = open(end_, datagram[1], datagram.substr(2), text);
    if (!GSS_ERROR(major)) {
      fail("a forged message was taken");
    }
    ++refused_;
  }
  End& end_;
  std::set<std::string> seen_;
  std::set<std::size_t> accepted_;
  std::size_t newest_ = 0;
  std::size_t arrived_ = 0;
  std::size_t duplicates_ = 0;
  std::size_t too_old_ = 0;
  std::size_t refused_ = 0;
};

Exchange exchange() {
  Exchange x;
  x.flags = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG | GSS_C_REPLAY_FLAG | GSS_NTLM_DATAGRAM_FLAG;
  return x;
}

void send_all(Socket& socket, End& end, std::size_t messages, unsigned seed, Toll& toll) {
  Road road(socket, seed);
  for (std::size_t i = 0; i < messages; ++i) {
    road.travel(protect(end, i));
  }
  road.empty();
  toll = road.toll();
}

// Asks until the answer comes: questions get lost too.
std::string ask(Socket& socket, const std::string& question, char answer, std::mt19937& random) {
  for (int tries = 0; tries < 100; ++tries) {
    if (random() % 3 != 0) {
      socket.send(question);
    }
    const std::string datagram = socket.receive(kAnswerWait);
    if (!datagram.empty() && datagram[0] == answer) {
      return datagram.substr(1);
    }
  }
  fail("no answer");
}

void run_client(Socket& socket, std::size_t messages, unsigned seed) {
  std::mt19937 random(seed);
  const Exchange x = exchange();
  End end;
  if (!init_step(x, end, "").empty() || end.last.major != GSS_S_CONTINUE_NEEDED) {
    fail("the first token is not empty: " + end.last.text());
  }
  const std::string challenge = ask(socket, std::string(1, kHello), kChallenge, random);
  const std::string authenticate = init_step(x, end, challenge);
  if (end.last.major != GSS_S_COMPLETE) {
    fail("the client does not answer: " + end.last.text());
  }
  ask(socket, std::string(1, kAuthenticate) + authenticate, kReady, random);
  Toll toll;
  send_all(socket, end, messages, seed, toll);
  socket.send(std::string(1, kYourTurn) +
              std::string(reinterpret_cast<const char*>(&toll), sizeof toll));
  Reader reader(end);
  while (true) {
    const std::string datagram = socket.receive(10000);
    if (datagram.empty()) {
      fail("the server is gone");
    }
    if (datagram[0] == kPing) {
      socket.send(std::string(1, kPong));
    } else if (datagram[0] == kEnd && datagram.size() == 1 + sizeof toll) {
      std::memcpy(&toll, datagram.data() + 1, sizeof toll);
      break;
    } else if (is_message(datagram)) {
      reader.read(datagram);
    }
  }
  reader.check();
  reader.report("server to client", toll);
}

std::string framed_nothing() {
  gss_buffer_desc nothing = GSS_C_EMPTY_BUFFER;
  gss_buffer_desc framed = GSS_C_EMPTY_BUFFER;
  if (gss_encapsulate_token(&nothing, &kNtlm, &framed) != GSS_S_COMPLETE) {
    fail("gss_encapsulate_token");
  }
  std::string token(static_cast<const char*>(framed.value), framed.length);
  OM_uint32 minor = 0;
  gss_release_buffer(&minor, &framed);
  return token;
}

void run_server(Socket& socket, std::size_t messages, unsigned seed) {
  const Exchange x = exchange();
  End end;
  std::string challenge;
  bool open = false;
  Toll toll;
  Reader reader(end);
  while (true) {
    const std::string datagram = socket.receive(10000);
    if (datagram.empty()) {
      fail("the client is gone");
    }
    switch (datagram[0]) {
      case kHello:
        if (challenge.empty()) {
          challenge = accept_step(x, end, framed_nothing());
        }
        socket.send(std::string(1, kChallenge) + challenge);
        continue;
      case kAuthenticate:
        if (!open) {
          accept_step(x, end, datagram.substr(1));
          open = end.last.major == GSS_S_COMPLETE && end.source.display() == "CORP\\alice";
        }
        socket.send(std::string(1, open ? kReady : kEnd));
        continue;
      case kPing:
        socket.send(std::string(1, kPong));
        continue;
      case kYourTurn:
        std::memcpy(&toll, datagram.data() + 1, sizeof toll);
        break;
      default:
        if (is_message(datagram)) {
          reader.read(datagram);
        }
        continue;
    }
    break;
  }
  reader.check();
  reader.report("client to server", toll);
  send_all(socket, end, messages, seed + 1, toll);
  socket.send(std::string(1, kEnd) +
              std::string(reinterpret_cast<const char*>(&toll), sizeof toll));
}

int guarded(const char* role, void (*run)(Socket&, std::size_t, unsigned), Socket& socket,
            std::size_t messages, unsigned seed) {
  try {
    run(socket, messages, seed);
    return 0;
  } catch (const std::exception& e) {
    std::printf("FAIL %s: %s\n", role, e.what());
    std::fflush(stdout);
    return 1;
  }
}

int run_both(std::size_t messages, unsigned seed) {
  const Workshop workshop("CORP:alice:Passw0rd-alice\n", "[policy]\nallow_connectionless = yes\n");
  Socket client;
  Socket server;
  client.connect(server.address());
  server.connect(client.address());
  ::alarm(kTimeLimit);
  const pid_t child = ::fork();
  if (child < 0) {
    fail("cannot fork");
  }
  if (child == 0) {
    ::alarm(kTimeLimit);
    std::_Exit(guarded("server", run_server, server, messages, seed));
  }
  const int own = guarded("client", run_client, client, messages, seed);
  if (own != 0) {
    ::kill(child, SIGTERM);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return own != 0 || status != 0 ? 1 : 0;
}

}  // namespace
}  // namespace gssntlm::test

int main(int argc, char** argv) {
  const std::size_t messages = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10000;
  const auto seed = static_cast<unsigned>(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1);
  try {
    return gssntlm::test::run_both(messages, seed);
  } catch (const std::exception& e) {
    std::printf("FAIL %s\n", e.what());
    return 1;
  }
}
