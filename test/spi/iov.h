// Lists of buffers, and a pair of contexts that exchange them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "include/gssapi/gssapi_ntlm.h"
#include "test/support/catch.h"
#include "test/support/gss.h"

namespace gssntlm::test {

inline constexpr const char* kUsers = "CORP:alice:Passw0rd-alice\n";
inline const std::string kText =
    "The quick brown fox jumps over the lazy dog, twice in a row: 0123456789.";

/// A list of buffers that owns its bytes.
class List {
 public:
  List& add(OM_uint32 type, std::string bytes) {
    bytes_.push_back(std::move(bytes));
    types_.push_back(type);
    return *this;
  }
  List& header() { return add(GSS_IOV_BUFFER_TYPE_HEADER, std::string(16, '?')); }
  List& data(std::string bytes) { return add(GSS_IOV_BUFFER_TYPE_DATA, std::move(bytes)); }
  List& signs(std::string bytes) { return add(GSS_IOV_BUFFER_TYPE_SIGN_ONLY, std::move(bytes)); }
  List& mic() { return add(GSS_IOV_BUFFER_TYPE_MIC_TOKEN, std::string(16, '?')); }
  std::vector<gss_iov_buffer_desc> iov() {
    std::vector<gss_iov_buffer_desc> out;
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      out.push_back({types_[i], {bytes_[i].size(), bytes_[i].data()}});
    }
    return out;
  }
  [[nodiscard]] std::string all(OM_uint32 type) const {
    std::string out;
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      out += types_[i] == type ? bytes_[i] : std::string();
    }
    return out;
  }
  std::string& at(std::size_t i) { return bytes_[i]; }

 private:
  std::vector<std::string> bytes_;
  std::vector<OM_uint32> types_;
};

using Iov = std::vector<gss_iov_buffer_desc>;

inline Outcome wrap_iov(End& end, Iov& iov, int conf = 1, int* state = nullptr) {
  Outcome o;
  o.major = gss_wrap_iov(&o.minor, end.context, conf, GSS_C_QOP_DEFAULT, state, iov.data(),
                         static_cast<int>(iov.size()));
  return o;
}

inline Outcome unwrap_iov(End& end, Iov& iov, int* state = nullptr) {
  Outcome o;
  o.major = gss_unwrap_iov(&o.minor, end.context, state, nullptr, iov.data(),
                           static_cast<int>(iov.size()));
  return o;
}

struct Pair {
  explicit Pair(gss_OID mech, OM_uint32 flags = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG) {
    Exchange x;
    x.mech = mech;
    x.flags = flags;
    REQUIRE(run(x, initiator, acceptor));
  }
  /// Neither side lost its place.
  void check_alive() {
    std::string token;
    std::string back;
    REQUIRE(wrap(initiator, "still here", token).ok());
    REQUIRE(unwrap(acceptor, token, back).ok());
    CHECK(back == "still here");
  }
  End initiator;
  End acceptor;
};

/// The token that the buffers make up.
inline std::string tail(const List& list) {
  return list.all(GSS_IOV_BUFFER_TYPE_HEADER) + list.all(GSS_IOV_BUFFER_TYPE_DATA);
}

}  // namespace gssntlm::test
