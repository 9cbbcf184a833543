#include "tools/decode/capture.h"

#include <algorithm>

#include "tools/decode/capture_streams.h"
#include "tools/decode/smb.h"
#include "tools/decode/words.h"
#include "tools/decode/wrapping.h"

namespace gssntlm::tools {
namespace {

constexpr std::string_view kSignature("NTLMSSP\0", 8);

// A token or a status, and where it ends.
struct Event {
  std::size_t packet = 0;
  bool by_a = false;
  std::size_t offset = 0;
  FoundToken token;  // empty: a status
  std::string status;
};

// What one side sent.
class Scan {
 public:
  Scan(std::vector<Event>& events, bool by_a) : events_(events), by_a_(by_a) {}

  void run(const Chunk& chunk) {
    chunk_ = &chunk;
    const ByteView bytes(chunk.bytes);
    for (const Extent& e : find_extents(bytes)) {
      add_token(Decoded{Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(e.offset),
                              bytes.begin() + static_cast<std::ptrdiff_t>(e.offset + e.size)),
                        {}},
                e.offset, e.size);
    }
    for (const SmbStatus& s : find_smb_statuses(bytes)) {
      add({0, by_a_, s.offset, {}, s.text}, s.size);
    }
    search_statuses(as_text(bytes));
    search_lines(as_text(bytes));
  }

 private:
  void add(Event event, std::size_t size) {
    event.packet = chunk_->packet_at(event.offset + size - 1);
    events_.push_back(std::move(event));
  }
  void add_token(Decoded decoded, std::size_t offset, std::size_t size) {
    FoundToken token{std::move(decoded.bytes), std::move(decoded.damage), {}, {}, 0};
    add({0, by_a_, offset, std::move(token), {}}, size);
  }

  void search_lines(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      const std::string_view line = text.substr(at, text.find('\n', at) - at);
      search_words(line, at);
      at += line.size() + 1;
    }
  }

  // Anywhere, because the content of the answer before it may not end its last line.
  void search_statuses(std::string_view text) {
    constexpr std::string_view kVersion("HTTP/1.");
    constexpr std::size_t kMostShown = 80;
    for (std::size_t at = text.find(kVersion); at != std::string_view::npos;
         at = text.find(kVersion, at + 1)) {
      const std::string_view rest = text.substr(at, kMostShown);
      std::string status = http_status(rest.substr(0, rest.find('\n')));
      if (!status.empty()) {
        const std::size_t size = status.size();
        add({0, by_a_, at, {}, std::move(status)}, size);
      }
    }
  }

  // Words behind a blank or at the start of the line, as in `Authorization: NTLM ...` and `334
  // ...`.
  void search_words(std::string_view line, std::size_t start) {
    for (std::size_t at = 0; at < line.size();) {
      if (!is_base64(line[at])) {
        ++at;
        continue;
      }
      const std::string_view rest = line.substr(at);
      const std::size_t size = base64_word(rest);
      const std::string_view word = rest.substr(0, size);
      const bool apart = at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t';
      if (apart && size >= kMinEncoded && begins_token(word, Encoding::kBase64)) {
        add_token(decode_digits(word, Encoding::kBase64), start + at, size);
      }
      at += size;
    }
  }

  std::vector<Event>& events_;
  const bool by_a_;
  const Chunk* chunk_ = nullptr;
};

// In the order in which they were captured; a status is in front of the token beside it.
std::vector<Event> events_of(const Connection& c) {
  std::vector<Event> events;
  for (const bool by_a : {true, false}) {
    for (const Chunk& chunk : c.sent[by_a ? 0 : 1].assemble()) {
      Scan(events, by_a).run(chunk);
    }
  }
  std::stable_sort(events.begin(), events.end(), [](const Event& x, const Event& y) {
    return x.packet != y.packet ? x.packet < y.packet
           : x.by_a != y.by_a   ? x.by_a
                                : x.offset < y.offset;
  });
  return events;
}

// Type of the NTLM message in a token; 0: none.
std::uint32_t type_in(const FoundToken& token) {
  const std::size_t at = as_text(token.bytes).find(kSignature);
  return at != std::string_view::npos && fits(token.bytes.size(), at, 12)
             ? load_le32(&token.bytes[at + 8])
             : 0;
}

// The messages tell, else the SYN, else the ports.
bool is_a_client(const Connection& c, const std::vector<Event>& events) {
  for (const Event& e : events) {
    const std::uint32_t type = type_in(e.token);
    if (type >= 1 && type <= 3) {
      return (type != 2) == e.by_a;
    }
  }
  return c.opened_by_a || (!c.opened_by_b && c.a.port > c.b.port);
}

Conversation conversation_of(const Connection& c, std::vector<Event>& events, Budget& budget) {
  const bool a_is_client = is_a_client(c, events);
  Collector found(budget);
  for (Event& e : events) {
    const bool from_server = e.by_a != a_is_client;
    if (!e.token.bytes.empty()) {
      e.token.from_server = from_server;
      e.token.packet = e.packet;
      found.add_token(std::move(e.token));
    } else if (from_server) {
      found.add_status(e.status);
    }
  }
  Conversation conversation = found.finish();
  conversation.connection =
      endpoint_text(a_is_client ? c.a : c.b) + " to " + endpoint_text(a_is_client ? c.b : c.a);
  return conversation;
}

std::string count_text(std::size_t count, const char* what) {
  return std::to_string(count) + (count == 1 ? " packet " : " packets ") + what;
}

void add_notes(CaptureContent& content, const Skipped& skipped, const CaptureReader& reader,
               bool full) {
  std::vector<std::string>& notes = content.notes;
  if (!reader.problem().empty()) {
    notes.push_back(reader.problem());
  }
  if (skipped.link != 0) {
    notes.push_back(count_text(skipped.link, "of the link type ") +
                    std::to_string(skipped.link_type) + ", which is not supported");
  }
  if (skipped.fragments != 0) {
    notes.push_back(count_text(skipped.fragments, "in fragments, which are not read"));
  }
  if (skipped.cut != 0) {
    notes.push_back(count_text(skipped.cut, "cut by the snapshot length of the capture"));
  }
  if (full) {
    notes.push_back("only the first " + std::to_string(kMostConnections) +
                    " connections are read; filter the capture first");
  }
}

}  // namespace

CaptureContent read_capture(ByteView file) {
  CaptureContent content;
  CaptureReader reader(file);
  Skipped skipped;
  Connections connections;
  while (const std::optional<Packet> packet = reader.next()) {
    ++content.packets;
    if (const std::optional<Segment> segment = segment_of(*packet, skipped)) {
      connections.add(*segment, packet->number);
    }
  }
  content.connections = connections.all().size();
  Budget budget;
  bool all = true;
  for (const Connection& c : connections.all()) {
    std::vector<Event> events = events_of(c);
    const bool ntlm = std::any_of(events.begin(), events.end(),
                                  [](const Event& e) { return type_in(e.token) != 0; });
    if (ntlm && all) {
      content.conversations.push_back(conversation_of(c, events, budget));
      all = content.conversations.back().all && budget.tokens != 0;
    }
  }
  if (!all) {
    content.notes.emplace_back("more tokens than are shown; only the first are");
  }
  add_notes(content, skipped, reader, connections.is_full());
  return content;
}

}  // namespace gssntlm::tools
