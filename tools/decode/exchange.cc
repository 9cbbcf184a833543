#include "tools/decode/exchange.h"

#include <algorithm>
#include <utility>

namespace gssntlm::tools {
namespace {

bool has_type(const Exchange& e, MessageType from) noexcept {
  return std::any_of(e.tokens.begin(), e.tokens.end(),
                     [&](const Token& t) { return t.type && *t.type >= from; });
}

// Whether `t` cannot belong to the logon that `e` is of.
bool begins_another(const Exchange& e, const Token& t) noexcept {
  if (t.type) {
    return has_type(e, *t.type);
  }
  const bool offer = t.spnego && t.spnego->kind == SpnegoToken::Kind::kInit;
  return offer && has_type(e, MessageType::kNegotiate);
}

class Examination {
 public:
  void take(Conversation& conversation) {
    if (!conversation.connection.empty()) {
      begin(conversation.connection);
    }
    for (FoundToken& found : conversation.tokens) {
      take(found, conversation.connection);
    }
    note_answer(conversation.after);
  }
  std::vector<Exchange> finish() { return std::move(exchanges_); }

 private:
  void begin(const std::string& connection) {
    if (exchanges_.empty() || !exchanges_.back().tokens.empty()) {
      exchanges_.emplace_back();
    }
    exchanges_.back().connection = connection;
  }
  Token* last() {
    const bool none = exchanges_.empty() || exchanges_.back().tokens.empty();
    return none ? nullptr : &exchanges_.back().tokens.back();
  }
  // What the server said to the last message, which the client sent.
  void note_answer(const Statuses& statuses) {
    Token* const before = last();
    if (before != nullptr && !is_from_server(*before)) {
      before->answer = statuses.first;
    }
  }
  void take(FoundToken& found, const std::string& connection) {
    Token token = examine(std::move(found.bytes), last());
    token.from_server = found.from_server;
    token.packet = found.packet;
    if (!found.damage.empty()) {
      token.oddities.insert(token.oddities.begin(), std::move(found.damage));
    }
    if (is_from_server(token)) {
      token.answer = token.answer.empty() ? found.before.last : token.answer;
    } else {
      note_answer(found.before);
    }
    if (exchanges_.empty() || begins_another(exchanges_.back(), token)) {
      begin(connection);
    }
    exchanges_.back().tokens.push_back(std::move(token));
  }

  std::vector<Exchange> exchanges_;
};

bool has_nt_response(const Token& t) {
  return std::find(t.unreadable.begin(), t.unreadable.end(), "nt_response") == t.unreadable.end();
}

Messages messages_of(const Exchange& e) {
  Messages m;
  for (const Token& t : e.tokens) {
    m.negotiate = t.negotiate ? &t : m.negotiate;
    m.challenge = t.challenge ? &t : m.challenge;
    m.authenticate = t.authenticate ? &t : m.authenticate;
  }
  return m;
}

const Token* find_type(const std::vector<Exchange>& exchanges, MessageType type) {
  for (auto e = exchanges.rbegin(); e != exchanges.rend(); ++e) {
    for (const Token& t : e->tokens) {
      if (t.type == type) {
        return &t;
      }
    }
  }
  return nullptr;
}

}  // namespace

std::vector<Exchange> examine(std::vector<Conversation> conversations) {
  Examination examination;
  for (Conversation& c : conversations) {
    examination.take(c);
  }
  return examination.finish();
}

std::optional<Messages> last_checkable(const std::vector<Exchange>& exchanges) {
  for (auto e = exchanges.rbegin(); e != exchanges.rend(); ++e) {
    const Messages m = messages_of(*e);
    if (m.challenge != nullptr && m.authenticate != nullptr && has_nt_response(*m.authenticate)) {
      return m;
    }
  }
  return std::nullopt;
}

std::string why_not_checkable(const std::vector<Exchange>& exchanges) {
  for (const MessageType type : {MessageType::kAuthenticate, MessageType::kChallenge}) {
    const std::string name = type == MessageType::kChallenge ? "CHALLENGE" : "AUTHENTICATE";
    const Token* const t = find_type(exchanges, type);
    if (t == nullptr) {
      return "the password cannot be checked: there is no " + name;
    }
    if (t->fault) {
      return "the password cannot be checked: " + name + " is malformed: " + t->fault->text;
    }
  }
  return "the password cannot be checked: AUTHENTICATE does not follow CHALLENGE in one exchange";
}

}  // namespace gssntlm::tools
