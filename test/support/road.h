// What datagrams travel over in test/spi/udp.cc: a socket on loopback, and a road that loses,
// doubles, delays and forges them, from a seed.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace gssntlm::test {

inline constexpr std::size_t kWindow = 1024;  ///< of the receiver
inline constexpr int kAnswerWait = 200;       ///< milliseconds

/// The first byte of a datagram.
enum Kind : char {
  kHello = 'h',  // the client's "some application message"
  kChallenge = 'c',
  kAuthenticate = 'a',
  kReady = 'r',
  kWrapped = 'w',    // a message as gss_wrap makes it
  kScattered = 'v',  // the same from gss_wrap_iov, to be opened by gss_unwrap_iov
  kSigned = 'g',     // MIC and message
  kForged = 'x',     // any of the three, changed on its way
  kPing = 'p',
  kPong = 'q',
  kYourTurn = 't',
  kEnd = 'e',
};

[[noreturn]] inline void fail(const std::string& what) {
  throw std::runtime_error(what);
}

/// A UDP socket on loopback, with a port of its own.
class Socket {
 public:
  Socket() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd_ < 0 || ::bind(fd_, reinterpret_cast<sockaddr*>(&here), sizeof here) != 0) {
      fail("no UDP socket on loopback");
    }
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { ::close(fd_); }

  [[nodiscard]] sockaddr_in address() const {
    sockaddr_in at{};
    socklen_t size = sizeof at;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    return at;
  }
  void connect(const sockaddr_in& to) {
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      fail("cannot connect a UDP socket");
    }
  }
  void send(const std::string& datagram) const {
    if (::send(fd_, datagram.data(), datagram.size(), 0) < 0 && errno != ECONNREFUSED) {
      fail("cannot send");
    }
  }
  /// Empty after `wait` milliseconds without one.
  [[nodiscard]] std::string receive(int wait) const {
    pollfd ready{fd_, POLLIN, 0};
    if (::poll(&ready, 1, wait) <= 0) {
      return {};
    }
    std::string datagram(65536, '\0');
    const ssize_t got = ::recv(fd_, datagram.data(), datagram.size(), 0);
    datagram.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return datagram;
  }

 private:
  int fd_;
};

/// What happened on the way.
struct Toll {
  std::size_t sent = 0;
  std::size_t lost = 0;
  std::size_t doubled = 0;
  std::size_t delayed = 0;
  std::size_t forged = 0;
};

/// Hands datagrams over to a socket, not all of them, not once, and not in order.
class Road {
 public:
  Road(Socket& socket, unsigned seed) : socket_(socket), random_(seed) {}

  void travel(const std::string& datagram) {
    ++toll_.sent;
    ++clock_;
    if (chance(50)) {
      ++toll_.lost;
    } else {
      depart(datagram);
    }
    if (chance(50)) {
      ++toll_.doubled;
      depart(datagram);
    }
    if (chance(10)) {
      ++toll_.forged;
      std::string forged = datagram;
      forged[1 + below(forged.size() - 1)] ^= static_cast<char>(1 + below(255));
      depart(std::string(1, kForged) + forged);
    }
    arrive(clock_);
  }
  void empty() { arrive(SIZE_MAX); }
  [[nodiscard]] const Toll& toll() const { return toll_; }

 private:
  [[nodiscard]] std::size_t below(std::size_t limit) { return random_() % limit; }
  [[nodiscard]] bool chance(std::size_t in_a_thousand) { return below(1000) < in_a_thousand; }

  // A fifth is late by a few, one in a thousand by more than the window.
  void depart(const std::string& datagram) {
    std::size_t delay = 0;
    if (chance(200)) {
      delay = 1 + below(60);
    } else if (chance(1)) {
      delay = kWindow + 200 + below(500);
    }
    toll_.delayed += delay != 0 ? 1 : 0;
    waiting_.emplace(clock_ + delay, datagram);
  }
  void arrive(std::size_t now) {
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
      socket_.send(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      if (++in_flight_ == kBurst) {
        in_flight_ = 0;
        await_reader();
      }
    }
  }
  // The kernel's buffer is small; losing is this road's own business.
  void await_reader() {
    for (int tries = 0; tries < 50; ++tries) {
      socket_.send(std::string(1, kPing));
      const std::string answer = socket_.receive(kAnswerWait);
      if (!answer.empty() && answer[0] == kPong) {
        return;
      }
    }
    fail("the reader is gone");
  }

  static constexpr std::size_t kBurst = 32;

  Socket& socket_;
  std::mt19937 random_;
  std::size_t clock_ = 0;
  std::size_t in_flight_ = 0;
  std::multimap<std::size_t, std::string> waiting_;
  Toll toll_;
};

}  // namespace gssntlm::test
