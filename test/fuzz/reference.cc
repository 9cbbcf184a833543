#include "test/fuzz/reference.h"

#include <algorithm>

#include <nettle/arcfour.h>
#include <nettle/hmac.h>
#include <nettle/md4.h>
#include <nettle/md5.h>

namespace gssntlm::fuzz {
namespace {

using u64 = std::uint64_t;

constexpr u64 kLongest = 0x18000;

u64 number(ByteView in, u64 at, u64 width) {
  u64 value = 0;
  for (u64 i = width; i > 0; --i) {
    value = value * 256 + in[static_cast<std::size_t>(at + i - 1)];
  }
  return value;
}

Bytes cut(ByteView in, u64 from, u64 size) {
  const ByteView part = in.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(size));
  return Bytes(part.begin(), part.end());
}

// A length of 16 bits, 16 that do not matter, and an offset of 32.
struct Slice {
  u64 length;
  u64 offset;
  u64 end() const { return offset + length; }
};
Slice slice_at(ByteView in, u64 at) {
  return {number(in, at, 2), number(in, at + 4, 4)};
}

// Puts a payload by name; false when it is not inside the token behind `fixed` bytes.
bool put(PlainMessage& m, const char* name, ByteView in, u64 at, u64 fixed) {
  const Slice s = slice_at(in, at);
  if (s.length == 0) {
    m.fields[name] = {};
    return true;
  }
  if (s.offset < fixed || s.end() > in.size()) {
    return false;
  }
  m.fields[name] = cut(in, s.offset, s.length);
  return true;
}

bool bit(const PlainMessage& m, unsigned which) {
  return (m.numbers.at("flags") >> which & 1) != 0;
}

constexpr unsigned kUnicodeBit = 0;
constexpr unsigned kDomainBit = 12;
constexpr unsigned kWorkstationBit = 13;
constexpr unsigned kVersionBit = 25;

std::optional<PlainMessage> plain_negotiate(ByteView in, PlainMessage m) {
  if (in.size() < 16) {
    return std::nullopt;
  }
  m.numbers["flags"] = number(in, 12, 4);
  m.fields["domain"] = m.fields["workstation"] = {};
  if (in.size() < 32) {
    return m;
  }
  if ((bit(m, kDomainBit) && !put(m, "domain", in, 16, 16)) ||
      (bit(m, kWorkstationBit) && !put(m, "workstation", in, 24, 16))) {
    return std::nullopt;
  }
  if (bit(m, kVersionBit) && in.size() >= 40) {
    m.fields["version"] = cut(in, 32, 8);
  }
  return m;
}

std::optional<PlainMessage> plain_challenge(ByteView in, PlainMessage m) {
  if (in.size() < 32) {
    return std::nullopt;
  }
  m.numbers["flags"] = number(in, 20, 4);
  m.fields["nonce"] = cut(in, 24, 8);
  m.fields["info"] = {};
  if (!put(m, "name", in, 12, 32) || (bit(m, kUnicodeBit) && m.fields["name"].size() % 2 == 1)) {
    return std::nullopt;
  }
  const Slice name = slice_at(in, 12);
  const bool ends_early = name.length > 0 && name.offset < 48;
  if (in.size() >= 48 && !ends_early) {
    if (!put(m, "info", in, 40, 48) ||
        (!m.fields["info"].empty() && !plain_pairs(m.fields["info"]))) {
      return std::nullopt;
    }
  }
  const Slice info = m.fields["info"].empty() ? Slice{0, 0} : slice_at(in, 40);
  const bool room =
      (name.length == 0 || name.offset >= 56) && (info.length == 0 || info.offset >= 56);
  if (bit(m, kVersionBit) && in.size() >= 56 && room) {
    m.fields["version"] = cut(in, 48, 8);
  }
  return m;
}

struct Described {
  const char* name;
  u64 at;
};
constexpr Described kParts[] = {{"lm", 12},   {"nt", 20},          {"domain", 28},
                                {"user", 36}, {"workstation", 44}, {"key", 52}};

u64 first_payload(ByteView in, unsigned parts) {
  u64 lowest = in.size();
  for (unsigned i = 0; i < parts; ++i) {
    const Slice s = slice_at(in, kParts[i].at);
    if (s.length > 0 && s.offset < lowest) {
      lowest = s.offset;
    }
  }
  return lowest;
}

// The NTLMv2 response, and where its MIC is.
bool plain_response(ByteView in, u64 payload, PlainMessage& m) {
  const Bytes& nt = m.fields["nt"];
  if (nt.size() < 16 + 28 + 4 || nt[16] != 1 || nt[17] != 1) {
    return false;
  }
  m.numbers["time"] = number(nt, 24, 8);
  m.fields["client"] = cut(nt, 32, 8);
  m.fields["pairs"] = cut(nt, 44, nt.size() - 44);
  const std::optional<PlainMessage> pairs = plain_pairs(m.fields["pairs"]);
  if (!pairs) {
    return false;
  }
  const auto flags = pairs->fields.find("av6");
  if (flags == pairs->fields.end() || (flags->second[0] & 2) == 0) {
    return true;
  }
  const bool behind_version = payload >= 88 && in.size() >= 88;
  const bool in_its_place = payload >= 80 && in.size() >= 80;
  const bool zero_version = behind_version && number(in, 64, 8) == 0;
  if (behind_version && (bit(m, kVersionBit) || zero_version)) {
    m.numbers["mic"] = 72;
  } else if (in_its_place) {
    m.numbers["mic"] = 64;
  } else {
    return false;
  }
  return true;
}

std::optional<PlainMessage> plain_authenticate(ByteView in, PlainMessage m, bool oem) {
  if (in.size() < 52) {
    return std::nullopt;
  }
  const bool whole = in.size() >= 64 && first_payload(in, 5) >= 64;
  m.numbers["flags"] = whole ? number(in, 60, 4) : 0;
  m.numbers["says flags"] = whole ? 1 : 0;
  m.fields["key"] = {};
  for (const Described& part : kParts) {
    if ((whole || part.at < 52) && !put(m, part.name, in, part.at, whole ? 64 : 52)) {
      return std::nullopt;
    }
  }
  const std::size_t lm = m.fields["lm"].size();
  const std::size_t nt = m.fields["nt"].size();
  if (!(lm == 0 || lm == 1 || lm == 24) || (nt > 0 && nt < 24)) {
    return std::nullopt;
  }
  if (!oem && (bit(m, kUnicodeBit) || m.numbers["flags"] == 0)) {
    for (const char* name : {"domain", "user", "workstation"}) {
      if (m.fields[name].size() % 2 == 1) {
        return std::nullopt;
      }
    }
  }
  const u64 payload = whole ? first_payload(in, 6) : in.size();
  if (whole && bit(m, kVersionBit) && payload >= 72 && in.size() >= 72) {
    m.fields["version"] = cut(in, 64, 8);
  }
  if (nt > 24 && !plain_response(in, payload, m)) {
    return std::nullopt;
  }
  return m;
}

}  // namespace

Sixteen plain_md4(ByteView data) {
  md4_ctx ctx;
  md4_init(&ctx);
  md4_update(&ctx, data.size(), data.data());
  Sixteen out;
  md4_digest(&ctx, out.size(), out.data());
  return out;
}

Sixteen plain_md5(const Bytes& data) {
  md5_ctx ctx;
  md5_init(&ctx);
  md5_update(&ctx, data.size(), data.data());
  Sixteen out;
  md5_digest(&ctx, out.size(), out.data());
  return out;
}

Sixteen plain_hmac(ByteView key, const Bytes& data) {
  hmac_md5_ctx ctx;
  hmac_md5_set_key(&ctx, key.size(), key.data());
  hmac_md5_update(&ctx, data.size(), data.data());
  Sixteen out;
  hmac_md5_digest(&ctx, out.size(), out.data());
  return out;
}

Bytes plain_rc4(ByteView key, ByteView data, std::size_t skip) {
  arcfour_ctx ctx;
  arcfour_set_key(&ctx, key.size(), key.data());
  Bytes skipped(skip);
  arcfour_crypt(&ctx, skipped.size(), skipped.data(), skipped.data());
  Bytes out(data.size());
  arcfour_crypt(&ctx, out.size(), out.data(), data.data());
  return out;
}

std::uint32_t plain_crc32(ByteView data) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::uint8_t byte : data) {
    crc ^= byte;
    for (int i = 0; i < 8; ++i) {
      crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
  }
  return crc ^ 0xFFFFFFFF;
}

PlainProof plain_v2_proof(ByteView nt_hash, ByteView upper_user, ByteView domain,
                          ByteView server_challenge, ByteView temp) {
  Bytes name(upper_user.begin(), upper_user.end());
  append(name, domain);
  const Sixteen key = plain_hmac(nt_hash, name);
  Bytes text(server_challenge.begin(), server_challenge.end());
  append(text, temp);
  PlainProof made{};
  made.proof = plain_hmac(key, text);
  made.base = plain_hmac(key, Bytes(made.proof.begin(), made.proof.end()));
  return made;
}

Sixteen plain_mic(ByteView key, ByteView negotiate, ByteView challenge, const Bytes& authenticate,
                  std::size_t at) {
  Bytes text(negotiate.begin(), negotiate.end());
  append(text, challenge);
  append(text, authenticate);
  const std::size_t from = negotiate.size() + challenge.size() + at;
  std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(from), 16, std::uint8_t{0});
  return plain_hmac(key, text);
}

PlainKeys plain_keys(std::uint32_t flags, ByteView session_key, bool from_client) {
  const std::string way = from_client ? "client-to-server" : "server-to-client";
  const auto derive = [&](std::size_t used, const char* what) {
    const std::string magic = "session key to " + way + " " + what + " key magic constant";
    Bytes text(session_key.begin(), session_key.begin() + static_cast<std::ptrdiff_t>(used));
    append(text, as_bytes(magic));
    text.push_back(0);
    const Sixteen key = plain_md5(text);
    return Bytes(key.begin(), key.end());
  };
  const std::size_t used = (flags >> 29 & 1) != 0 ? 16 : (flags >> 31 & 1) != 0 ? 7 : 5;
  return {derive(16, "signing"), derive(used, "sealing")};
}

std::optional<PlainMessage> plain_pairs(ByteView in) {
  PlainMessage m;
  u64 at = 0;
  for (;;) {
    if (at + 4 > in.size()) {
      return std::nullopt;
    }
    const u64 id = number(in, at, 2);
    const u64 size = number(in, at + 2, 2);
    at += 4;
    if (at + size > in.size()) {
      return std::nullopt;
    }
    if (id == 0) {
      m.numbers["size"] = at;
      return size == 0 ? std::optional<PlainMessage>(m) : std::nullopt;
    }
    const Bytes value = cut(in, at, size);
    at += size;
    if (id > 10) {
      continue;
    }
    const bool text = id <= 5 || id == 9;
    const bool right_size = text      ? size % 2 == 0
                            : id == 6 ? size == 4
                            : id == 7 ? size == 8
                            : id == 8 ? size >= 48
                                      : size == 16;
    if (!right_size) {
      return std::nullopt;
    }
    // One second pair may stand behind real bindings: no channel bindings, as winbind says it.
    const auto [first, is_new] = m.fields.emplace("av" + std::to_string(id), value);
    if (!is_new && !(id == 10 && first->second != Bytes(16) && value == Bytes(16) &&
                     m.fields.emplace("repeated", Bytes()).second)) {
      return std::nullopt;
    }
  }
}

std::optional<PlainMessage> plain_decode(ByteView in, bool oem) {
  if (in.size() < 12 || in.size() > kLongest ||
      as_text(in.first(8)) != std::string_view("NTLMSSP\0", 8)) {
    return std::nullopt;
  }
  PlainMessage m;
  switch (number(in, 8, 4)) {
    case 1:
      m.type = 1;
      return plain_negotiate(in, m);
    case 2:
      m.type = 2;
      return plain_challenge(in, m);
    case 3:
      m.type = 3;
      return plain_authenticate(in, m, oem);
    default:
      return std::nullopt;
  }
}

}  // namespace gssntlm::fuzz
