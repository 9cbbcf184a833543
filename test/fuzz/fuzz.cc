#include "test/fuzz/fuzz.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace gssntlm::fuzz {
namespace {

constexpr std::size_t kMostBytes = 4096;
constexpr std::size_t kMaxChunk = 0xFFFF;
constexpr std::string_view kSignature("NTLMSSP\0", 8);

// Lengths and offsets at which mistakes are made.
constexpr std::array<std::uint32_t, 16> kEdges = {0,  1,  4,  15, 16, 23,     24,     25,
                                                  48, 52, 64, 72, 88, 0x7FFF, 0xFFFF, 0xFFFFFFF0};

bool is_message(ByteView bytes) noexcept {
  return bytes.size() >= 12 && as_text(bytes.first(8)) == kSignature;
}

// Where the descriptors of a message's fields are, and its flags.
struct Shape {
  std::vector<std::size_t> fields;
  std::size_t flags = 0;
  std::size_t head = 0;  // of fixed part, with all that there can be
};

Shape shape_of(ByteView message) {
  switch (message[8]) {
    case 1:
      return {{16, 24}, 12, 40};
    case 2:
      return {{12, 40}, 20, 56};
    default:
      return {{12, 20, 28, 36, 44, 52}, 60, 88};
  }
}

std::size_t lowest_payload(ByteView message, const Shape& shape) noexcept {
  std::size_t lowest = message.size();
  for (const std::size_t at : shape.fields) {
    if (at + 8 <= message.size() && load_le16(&message[at]) != 0) {
      lowest = std::min<std::size_t>(lowest, load_le32(&message[at + 4]));
    }
  }
  return lowest;
}

// The payloads as they are, laid one behind the other after `change` has changed one of them.
template <typename Change>
void relay(Bytes& message, const Shape& shape, std::size_t chosen, Change&& change) {
  const std::size_t head = std::max<std::size_t>(
      16, std::min({lowest_payload(message, shape), shape.head, message.size()}));
  std::vector<Bytes> payloads;
  for (const std::size_t at : shape.fields) {
    Bytes payload;
    if (at + 8 <= head) {
      const std::size_t offset = load_le32(&message[at + 4]);
      const std::size_t length = load_le16(&message[at]);
      if (fits(message.size(), offset, length)) {
        payload.assign(message.begin() + static_cast<std::ptrdiff_t>(offset),
                       message.begin() + static_cast<std::ptrdiff_t>(offset + length));
      }
    }
    payloads.push_back(std::move(payload));
  }
  change(payloads[chosen]);
  message.resize(head);
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    const std::size_t at = shape.fields[i];
    if (at + 8 > head) {
      continue;
    }
    const auto length = static_cast<std::uint16_t>(std::min(payloads[i].size(), kMaxChunk));
    store_le16(&message[at], length);
    store_le16(&message[at + 2], length);
    store_le32(&message[at + 4], static_cast<std::uint32_t>(message.size()));
    append(message, ByteView(payloads[i]).first(length));
  }
}

void change_descriptor(Bytes& message, std::size_t at, Chance& chance) {
  if (at + 8 > message.size()) {
    return;
  }
  const std::uint32_t edge = kEdges[chance.below(kEdges.size())];
  const auto size = static_cast<std::uint32_t>(message.size());
  switch (chance.below(4)) {
    case 0:
      store_le16(&message[at], static_cast<std::uint16_t>(edge));
      break;
    case 1:
      store_le32(&message[at + 4], edge);
      break;
    case 2:
      store_le32(&message[at + 4], size - load_le16(&message[at]) + (chance.one_in(2) ? 1 : 0));
      break;
    default:
      store_le16(&message[at], static_cast<std::uint16_t>(load_le16(&message[at]) +
                                                          (chance.one_in(2) ? 1 : 0xFFFF)));
  }
}

void mutate_response(Bytes& response, Chance& chance) {
  constexpr std::size_t kHead = 44;
  if (response.size() <= kHead || chance.one_in(4)) {
    mutate_bytes(response, kMostBytes, chance);
    return;
  }
  Bytes pairs(response.begin() + kHead, response.end());
  mutate_pairs(pairs, chance);
  response.resize(kHead);
  append(response, pairs);
}

void mutate_payload(Bytes& payload, std::uint8_t type, std::size_t field, Chance& chance) {
  const bool pairs = type == 2 && field == 1;
  const bool response = type == 3 && field == 1;
  if (pairs) {
    mutate_pairs(payload, chance);
  } else if (response) {
    mutate_response(payload, chance);
  } else if (chance.one_in(4)) {
    payload.resize(kEdges[chance.below(9)]);
  } else {
    mutate_bytes(payload, kMostBytes, chance);
  }
}

}  // namespace

void report_broken(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
  std::abort();
}

std::uint8_t Input::u8() noexcept {
  const ByteView byte = take(1);
  return byte.empty() ? 0 : byte[0];
}

std::uint16_t Input::u16() noexcept {
  const std::uint8_t low = u8();
  return static_cast<std::uint16_t>(low | u8() << 8);
}

std::uint32_t Input::u32() noexcept {
  const std::uint32_t low = u16();
  return low | static_cast<std::uint32_t>(u16()) << 16;
}

ByteView Input::take(std::size_t size) noexcept {
  const ByteView taken = rest_.first(std::min(size, rest_.size()));
  rest_ = rest_.subspan(taken.size());
  return taken;
}

void Input::copy(MutableBytes out) noexcept {
  for (std::uint8_t& byte : out) {
    byte = u8();
  }
}

Chunks split_chunks(ByteView input) {
  Chunks chunks;
  Input in(input);
  while (!in.empty()) {
    const std::size_t size = in.u16();
    const ByteView bytes = in.take(size);
    chunks.emplace_back(bytes.begin(), bytes.end());
  }
  return chunks;
}

Bytes join_chunks(const Chunks& chunks) {
  Bytes out;
  for (const Bytes& part : chunks) {
    const auto size = static_cast<std::uint16_t>(std::min(part.size(), kMaxChunk));
    out.push_back(static_cast<std::uint8_t>(size));
    out.push_back(static_cast<std::uint8_t>(size >> 8));
    append(out, ByteView(part).first(size));
  }
  return out;
}

ByteView chunk(const Chunks& chunks, std::size_t index) noexcept {
  return index < chunks.size() ? ByteView(chunks[index]) : ByteView();
}

std::uint32_t Chance::next() noexcept {
  state_ ^= state_ << 13;
  state_ ^= state_ >> 7;
  state_ ^= state_ << 17;
  return static_cast<std::uint32_t>(state_ >> 16);
}

void mutate_bytes(Bytes& bytes, std::size_t max, Chance&) {
  const std::size_t room = std::min<std::size_t>(max, bytes.size() + 64);
  const std::size_t size = std::min(bytes.size(), max);
  bytes.resize(std::max(room, std::size_t{1}));
  bytes.resize(LLVMFuzzerMutate(bytes.data(), size, bytes.size()));
}

void mutate_pairs(Bytes& list, Chance& chance) {
  std::vector<Bytes> pairs;
  std::size_t at = 0;
  while (at + 4 <= list.size() && load_le16(&list[at]) != 0) {
    const std::size_t size = 4 + std::size_t{load_le16(&list[at + 2])};
    const std::size_t end = std::min(list.size(), at + size);
    pairs.emplace_back(list.begin() + static_cast<std::ptrdiff_t>(at),
                       list.begin() + static_cast<std::ptrdiff_t>(end));
    at = end;
  }
  const Bytes tail(list.begin() + static_cast<std::ptrdiff_t>(at), list.end());
  const std::size_t chosen = chance.below(pairs.size() + 1);
  const auto place = pairs.begin() + static_cast<std::ptrdiff_t>(chosen);
  constexpr std::array<std::size_t, 8> kSizes = {0, 2, 4, 8, 16, 48, 47, 3};
  switch (chance.below(6)) {
    case 0: {
      const std::size_t size = kSizes[chance.below(kSizes.size())];
      Bytes made(4 + size, static_cast<std::uint8_t>(chance.one_in(2) ? 0 : chance.next()));
      store_le16(made.data(), static_cast<std::uint16_t>(chance.below(13)));
      store_le16(&made[2], static_cast<std::uint16_t>(size));
      pairs.insert(place, std::move(made));
      break;
    }
    case 1:
      if (place != pairs.end()) {
        pairs.erase(place);
      }
      break;
    case 2:
      if (place != pairs.end()) {
        Bytes copy = *place;
        pairs.insert(place, std::move(copy));
      }
      break;
    case 3:
      if (place != pairs.end()) {
        std::swap(*place, pairs[chance.below(pairs.size())]);
      }
      break;
    case 4:
      if (place != pairs.end() && place->size() >= 4) {
        Bytes value(place->begin() + 4, place->end());
        mutate_bytes(value, 256, chance);
        place->resize(4);
        store_le16(&(*place)[2], static_cast<std::uint16_t>(value.size()));
        append(*place, value);
      }
      break;
    default:
      if (place != pairs.end()) {
        mutate_bytes(*place, 256, chance);
      }
  }
  list.clear();
  for (const Bytes& pair : pairs) {
    append(list, pair);
  }
  append(list, tail);
}

void mutate_message(Bytes& message, Chance& chance) {
  if (!is_message(message) || chance.one_in(8)) {
    mutate_bytes(message, kMostBytes, chance);
    return;
  }
  const Shape shape = shape_of(message);
  const std::size_t field = chance.below(shape.fields.size());
  const std::uint8_t type = message[8];
  switch (chance.below(8)) {
    case 0:
    case 1:
      if (shape.flags + 4 <= message.size()) {
        message[shape.flags + chance.below(4)] ^= static_cast<std::uint8_t>(1u << chance.below(8));
      }
      break;
    case 2:
      change_descriptor(message, shape.fields[field], chance);
      break;
    case 3:
      message[8] = static_cast<std::uint8_t>(1 + chance.below(4));
      break;
    case 4:
      message.resize(chance.one_in(2) ? chance.below(message.size() + 1)
                                      : kEdges[chance.below(13)]);
      break;
    default:
      relay(message, shape, field,
            [&](Bytes& payload) { mutate_payload(payload, type, field, chance); });
  }
}

void mutate_chunks(Chunks& chunks, Chance& chance) {
  if (chunks.empty()) {
    chunks.emplace_back();
  }
  const std::size_t chosen = chance.below(chunks.size());
  const auto place = chunks.begin() + static_cast<std::ptrdiff_t>(chosen);
  switch (chance.below(16)) {
    case 0:
      chunks.insert(place, Bytes());
      break;
    case 1:
      chunks.erase(place);
      break;
    case 2: {
      Bytes copy = *place;
      chunks.insert(place, std::move(copy));
      break;
    }
    case 3:
      std::swap(*place, chunks[chance.below(chunks.size())]);
      break;
    default:
      if (is_message(*place)) {
        mutate_message(*place, chance);
      } else {
        mutate_bytes(*place, kMostBytes, chance);
      }
  }
}

std::size_t give_back(const Bytes& bytes, std::uint8_t* data, std::size_t max) noexcept {
  const std::size_t size = std::min(bytes.size(), max);
  if (size != 0) {
    std::memcpy(data, bytes.data(), size);
  }
  return size;
}

void mutate_text(Bytes& text, std::size_t max, std::span<const std::string_view> pieces,
                 Chance& chance) {
  if (!chance.one_in(3)) {
    mutate_bytes(text, max, chance);
    return;
  }
  const std::string_view piece = pieces[chance.below(pieces.size())];
  const std::size_t at = chance.below(text.size() + 1);
  text.insert(text.begin() + static_cast<std::ptrdiff_t>(at), piece.begin(), piece.end());
}

std::size_t mutate_token_behind_options(std::uint8_t* data, std::size_t size, std::size_t max,
                                        unsigned seed) {
  Chance chance(seed);
  Bytes token(data + (size != 0 ? 1 : 0), data + size);
  const std::uint8_t options = size != 0 && !chance.one_in(8) ? data[0] : chance.one_in(2);
  const bool message = token.size() >= 8 && as_text(ByteView(token).first(7)) == "NTLMSSP";
  if (message || chance.one_in(3)) {
    mutate_message(token, chance);
  } else {
    mutate_pairs(token, chance);
  }
  token.insert(token.begin(), options);
  return give_back(token, data, max);
}

void edit(Bytes& token, Input changes) {
  while (!changes.empty() && !token.empty()) {
    const unsigned what = changes.u8() % 4;
    const std::size_t at = changes.below(token.size());
    const std::uint8_t value = changes.u8();
    if (what == 0) {
      token.resize(at);
    } else if (what == 1) {
      token.insert(token.begin() + static_cast<std::ptrdiff_t>(at), value);
    } else {
      token[at] ^= value;
    }
  }
}

}  // namespace gssntlm::fuzz
