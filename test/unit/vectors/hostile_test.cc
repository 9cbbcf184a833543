// Every message of the vectors, cut at every byte and with every field bent.
#include <algorithm>
#include <iostream>
#include <set>

#include "mech/wire/authenticate.h"
#include "mech/wire/challenge.h"
#include "mech/wire/negotiate.h"
#include "test/support/catch.h"
#include "test/support/handshake.h"
#include "test/support/hex.h"
#include "test/unit/vectors/captured.h"

namespace gssntlm::test {
namespace {

void collect(const Json& node, std::set<std::string>& found) {
  constexpr std::string_view kStart = "4e544c4d53535000";  // the NTLMSSP signature
  if (node.is_string()) {
    const auto text = node.get<std::string>();
    if (text.compare(0, kStart.size(), kStart) == 0) {
      found.insert(text);
    }
    return;
  }
  for (const Json& inner : node) {
    if (inner.is_structured() || inner.is_string()) {
      collect(inner, found);
    }
  }
}

// All that nlmp.json and captured.json have, and that decodes.
const std::vector<Bytes>& messages() {
  static const std::vector<Bytes> all = [] {
    std::set<std::string> found;
    collect(load_json(GSSNTLM_TEST_NLMP_JSON).at("vectors"), found);
    if (!captured().is_null()) {
      collect(captured().at("messages"), found);
    }
    std::vector<Bytes> out;
    for (const std::string& text : found) {
      if (Bytes token = unhex(text); !describe_message(token).is_null()) {
        out.push_back(std::move(token));
      }
    }
    return out;
  }();
  return all;
}

// What a decoder saw: fields in a fixed order, or the refusal.
struct Seen {
  std::optional<Error> error;
  std::vector<ByteView> fields;
};

Seen decode(ByteView token) {
  Seen seen;
  const auto note = [&](const auto& m, auto... fields) {
    if (m) {
      seen.fields = {fields(*m)...};
    } else {
      seen.error = m.error();
    }
  };
  const Result<MessageType> type = peek_type(token);
  if (!type) {
    seen.error = type.error();
  } else if (*type == MessageType::kNegotiate) {
    note(
        decode_negotiate(token), [](auto& m) { return m.domain; },
        [](auto& m) { return m.workstation; });
  } else if (*type == MessageType::kChallenge) {
    note(
        decode_challenge(token), [](auto& m) { return m.target_name; },
        [](auto& m) { return m.target_info; });
  } else {
    note(
        decode_authenticate(token), [](auto& m) { return m.lm_response; },
        [](auto& m) { return m.nt_response; }, [](auto& m) { return m.domain; },
        [](auto& m) { return m.user; }, [](auto& m) { return m.workstation; },
        [](auto& m) { return m.session_key; });
  }
  return seen;
}

bool is_inside(ByteView field, ByteView token) {
  return field.empty() || (field.data() >= token.data() &&
                           field.data() + field.size() <= token.data() + token.size());
}

// No client is accepted with a message that was made for another context.
bool is_refused_by_roles(ByteView token) {
  FixedEnvironment env;
  OneAccount accounts;
  Acceptor fresh{Policy()};
  const Result<Buffer> challenge = fresh.challenge(token, server_names(), env);
  Scene scene;
  const Result<AcceptedLogon> logon = scene.judge(token);
  Initiator initiator(setup_for({}));
  REQUIRE(initiator.negotiate());
  const Result<Buffer> answer = initiator.authenticate(token, nullptr, env);
  const auto clear = [](const auto& result) {
    return result || result.error().minor != Minor::kInternal;
  };
  return !logon && clear(challenge) && clear(logon) && clear(answer);
}

TEST_CASE("hostile: messages cut at every byte are refused or lack what was cut",
          "[vectors][hostile]") {
  std::size_t cuts = 0;
  std::size_t wrong = 0;
  for (const Bytes& token : messages()) {
    const Seen whole = decode(token);
    for (std::size_t size = 0; size < token.size(); ++size) {
      const Buffer cut = Buffer::copy_of(ByteView(token).first(size));
      const Seen seen = decode(cut.view());
      ++cuts;
      bool fine = is_refused_by_roles(cut.view());
      if (seen.error) {
        fine = fine && seen.error->major == Major::kDefectiveToken;
      } else {
        for (std::size_t i = 0; i < seen.fields.size(); ++i) {
          fine = fine && is_inside(seen.fields[i], cut.view()) &&
                 (seen.fields[i].empty() || same_bytes(seen.fields[i], whole.fields[i]));
        }
      }
      if (!fine) {
        ++wrong;
        CAPTURE(hex(token), size);
        CHECK(fine);
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(cuts > 5'000);
  std::cout << "hostile: " << messages().size() << " messages cut at " << cuts << " places\n";
}

std::vector<std::size_t> descriptors(ByteView token) {
  std::vector<std::size_t> at;
  switch (*peek_type(token)) {
    case MessageType::kNegotiate:
      at = {16, 24};
      break;
    case MessageType::kChallenge:
      at = {12, 40};
      break;
    case MessageType::kAuthenticate:
      at = {12, 20, 28, 36, 44, 52};
      break;
  }
  std::erase_if(at, [&](std::size_t place) { return place + 8 > token.size(); });
  return at;
}

TEST_CASE("hostile: lengths and offsets of any value are refused or lie inside",
          "[vectors][hostile]") {
  std::size_t tried = 0;
  std::size_t wrong = 0;
  for (const Bytes& token : messages()) {
    const auto size = static_cast<std::uint32_t>(token.size());
    for (const std::size_t at : descriptors(token)) {
      const std::uint32_t length = load_le16(&token[at]);
      const std::uint32_t offset = load_le32(&token[at + 4]);
      for (const std::uint32_t new_length : {length, 0u, 1u, size, size + 1, 0xFFFFu}) {
        for (const std::uint32_t new_offset :
             {offset, 0u, 1u, size, size + 1, 0xFFFFu, 0xFFFFFFFFu, 0u - length}) {
          Buffer bent = Buffer::copy_of(token);
          store_le16(bent.data() + at, static_cast<std::uint16_t>(new_length));
          store_le32(bent.data() + at + 4, new_offset);
          const Seen seen = decode(bent.view());
          ++tried;
          bool fine = is_refused_by_roles(bent.view());
          fine = fine && (!seen.error || seen.error->major == Major::kDefectiveToken);
          for (const ByteView field : seen.fields) {
            fine = fine && is_inside(field, bent.view());
          }
          if (!fine) {
            ++wrong;
            CAPTURE(hex(token), at, new_length, new_offset);
            CHECK(fine);
          }
        }
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(tried > 5'000);
  std::cout << "hostile: " << tried << " lengths and offsets bent\n";
}

TEST_CASE("hostile: the allocated length of a field is ignored", "[vectors][hostile]") {
  for (const Bytes& token : messages()) {
    for (const std::size_t at : descriptors(token)) {
      for (const std::uint16_t allocated : {std::uint16_t{0}, std::uint16_t{0xFFFF}}) {
        Bytes other = token;
        store_le16(&other[at + 2], allocated);
        const Seen seen = decode(other);
        const Seen whole = decode(token);
        CAPTURE(hex(token), at);
        REQUIRE(seen.fields.size() == whole.fields.size());
        if (*peek_type(token) == MessageType::kNegotiate) {
          continue;  // its names may lie over the fields themselves
        }
        CHECK(std::equal(seen.fields.begin(), seen.fields.end(), whole.fields.begin(), same_bytes));
      }
    }
  }
}

TEST_CASE("hostile: another type or signature is another message", "[vectors][hostile]") {
  for (const Bytes& token : messages()) {
    for (std::size_t at = 0; at < 12; ++at) {
      Bytes other = token;
      other[at] ^= 0x80;
      const Seen seen = decode(other);
      CAPTURE(hex(token), at);
      REQUIRE(seen.error);
      CHECK(seen.error->minor == Minor::kNotNtlm);
    }
    CHECK(decode_negotiate(token).ok() == (*peek_type(token) == MessageType::kNegotiate));
    CHECK(decode_challenge(token).ok() == (*peek_type(token) == MessageType::kChallenge));
    CHECK(decode_authenticate(token).ok() == (*peek_type(token) == MessageType::kAuthenticate));
  }
}

}  // namespace
}  // namespace gssntlm::test
