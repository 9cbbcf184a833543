#include <algorithm>
#include <cstdio>

#include "mech/base/text.h"
#include "tools/decode/output.h"

namespace gssntlm::tools {
namespace {

constexpr std::size_t kNameWidth = 26;
constexpr std::size_t kMostBytes = 16;
constexpr std::size_t kPlaceWidth = 12 + 2 * kMostBytes + 4;

enum class Ink { kTitle, kDim, kBad, kGood };

std::string paint(const TextStyle& style, Ink ink, const std::string& text) {
  if (!style.colour) {
    return text;
  }
  const char* code = ink == Ink::kTitle ? "\x1b[1;36m"
                     : ink == Ink::kDim ? "\x1b[2m"
                     : ink == Ink::kBad ? "\x1b[1;33m"
                                        : "\x1b[32m";
  return code + text + "\x1b[0m";
}

std::string title_of(const Token& t, std::size_t number) {
  std::string title = std::to_string(number) + ". ";
  title.append(label_text(t));
  title.append(", ").append(size_text(t));
  if (t.type || t.from_server || is_from_server(t)) {
    title.append(is_from_server(t) ? ", server to client" : ", client to server");
  }
  title.append(t.packet == 0 ? "" : ", packet " + std::to_string(t.packet));
  return title;
}

std::string place_text(const Token& t, const Field& f) {
  char text[40];
  std::snprintf(text, sizeof text, "%5zu +%-4zu ", f.offset, f.size);
  const ByteView all(t.raw);
  std::string hex = hex_text(all.subspan(f.offset, std::min(f.size, kMostBytes)));
  if (f.size > kMostBytes) {
    hex.append("...");
  }
  hex.resize(std::max(hex.size(), 2 * kMostBytes + 4), ' ');
  return text + hex;
}

}  // namespace

std::string render_text(const Token& t, std::size_t number, const TextStyle& style) {
  std::string out = paint(style, Ink::kTitle, title_of(t, number)) + "\n";
  for (const Field& f : t.fields) {
    std::string name(2 + 2 * std::size_t{f.depth}, ' ');
    name.append(f.name);
    name.resize(std::max(name.size() + 1, kNameWidth + 4), ' ');
    out.append(style.bytes ? paint(style, Ink::kDim, place_text(t, f)) : "");
    out.append(name).append(f.value);
    if (!f.meaning.empty()) {
      out.append(f.value.empty() ? "" : "  ").append(paint(style, Ink::kDim, f.meaning));
    }
    out.append("\n");
  }
  if (!t.answer.empty()) {
    std::string name("  Answer");
    name.resize(kNameWidth + 4, ' ');
    out.append(style.bytes ? std::string(kPlaceWidth, ' ') : "").append(name);
    out.append(printable_utf8(t.answer)).append("\n");
  }
  for (const std::string& oddity : t.oddities) {
    out.append("  ").append(paint(style, Ink::kBad, "! " + terminal_text(oddity))).append("\n");
  }
  if (t.fault) {
    out.append("  ")
        .append(
            paint(style, Ink::kBad,
                  "! malformed at byte " + std::to_string(t.fault->offset) + ": " + t.fault->text))
        .append("\n");
  }
  return out;
}

std::string render_text(const std::vector<Finding>& findings, const TextStyle& style) {
  std::string out = paint(style, Ink::kTitle, "Verdict") + "\n";
  for (const Finding& f : findings) {
    const bool good = f.verdict == Verdict::kGood;
    const bool bad = f.verdict == Verdict::kBad;
    std::string name = (good ? "  " : bad ? "! " : "? ") + f.part;
    name.resize(std::max(name.size() + 1, kNameWidth + 4), ' ');
    out.append(paint(style,
                     good  ? Ink::kGood
                     : bad ? Ink::kBad
                           : Ink::kDim,
                     name))
        .append(terminal_text(f.text))
        .append("\n");
  }
  return out;
}

std::string render_text(const Exchange& exchange, std::size_t number, const TextStyle& style) {
  std::string title = "Exchange " + std::to_string(number);
  title.append(exchange.connection.empty() ? "" : ": ").append(exchange.connection);
  return paint(style, Ink::kTitle, title) + "\n";
}

}  // namespace gssntlm::tools
