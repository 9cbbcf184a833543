#include <algorithm>
#include <array>

#include "mech/base/text.h"
#include "tools/decode/output.h"
#include "tools/html_text.h"

namespace gssntlm::tools {
namespace {

// Colours of fields, in turn; readable on white and on black alike with black text.
constexpr std::array<const char*, 10> kInks = {"#ffd6a5", "#caffbf", "#9bf6ff", "#a0c4ff",
                                               "#ffc6ff", "#fdffb6", "#bdb2ff", "#b5e2c4",
                                               "#f4b6b6", "#d9d9d9"};

constexpr const char* kHead =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
    "<title>NTLM exchange</title>\n<style>\n"
    ":root{color-scheme:light dark}\n"
    "*{box-sizing:border-box}\n"
    "body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:60rem;"
    "overflow-wrap:anywhere}\n"
    "h1{font-size:1.4rem}h2{font-size:1.15rem;margin-top:2rem}\n"
    ".way{display:grid;grid-template-columns:auto 1fr auto;gap:.3rem .6rem;align-items:center}\n"
    ".end{font-weight:600;text-align:center}\n"
    ".line{width:2px;background:currentColor;justify-self:center;align-self:stretch;"
    "min-height:3.2rem}\n"
    ".arrow{position:relative;text-align:center;border-bottom:2px solid;padding-bottom:.2rem}\n"
    ".arrow a{color:inherit}\n"
    ".right::after,.left::after{content:'';position:absolute;bottom:-6px;border:5px solid "
    "transparent}\n"
    ".right::after{right:-2px;border-left:9px solid;border-right:0}\n"
    ".left::after{left:-2px;border-right:9px solid;border-left:0}\n"
    ".hex{font:13px/1.7 ui-monospace,monospace;border:1px solid #8888;border-radius:.4rem;"
    "padding:.5rem}\n"
    ".hex span,.key{color:#000;padding:.1rem 0}.key{padding:.1rem .4rem;border-radius:.25rem}\n"
    "table{border-collapse:collapse;width:100%;font-size:.9rem;table-layout:fixed}\n"
    "td{border-top:1px solid #8884;padding:.3rem .4rem;vertical-align:top}\n"
    "td:first-child{width:38%}.sub .key{margin-left:.8rem}\n"
    ".dim{opacity:.75}.odd{border-left:4px solid #d9822b;padding:.2rem .6rem;margin:.4rem 0}\n"
    ".good{border-left-color:#2b8a3e}.open{border-left-color:#8888}\n"
    "</style></head><body>\n";

std::string anchor(std::size_t number) {
  return std::string("m").append(std::to_string(number));
}

void add_arrow(std::string& page, const Token& t, std::size_t number) {
  page.append("<div class=\"line\"></div><div class=\"arrow ");
  page.append(is_from_server(t) ? "left" : "right").append("\"><a href=\"#").append(anchor(number));
  page.append("\">").append(html_text(label_text(t))).append("</a> <span class=\"dim\">");
  page.append(html_text(size_text(t)));
  page.append(t.packet == 0 ? "" : ", packet " + std::to_string(t.packet));
  page.append(t.fault ? ", malformed" : t.oddities.empty() ? "" : ", see notes");
  page.append(t.answer.empty() ? "" : ", answer: " + html_text(t.answer));
  page.append("</span></div><div class=\"line\"></div>\n");
}

// `number` is that of the first token.
void add_diagram(std::string& page, const Exchange& exchange, std::size_t number) {
  page.append(
      "<div class=\"way\"><div class=\"end\">Client</div><div></div>"
      "<div class=\"end\">Server</div>\n");
  for (const Token& t : exchange.tokens) {
    add_arrow(page, t, number++);
  }
  page.append("</div>\n");
}

// Which field colours each byte: the last one that covers it, for parts come after their wholes.
std::vector<std::size_t> owners(const Token& t) {
  std::vector<std::size_t> owner(t.raw.size(), 0);
  for (std::size_t i = 0; i < t.fields.size(); ++i) {
    const Field& f = t.fields[i];
    const std::size_t end = std::min(f.offset + f.size, owner.size());
    for (std::size_t at = f.offset; at < end; ++at) {
      owner[at] = i + 1;
    }
  }
  return owner;
}

const char* ink_of(std::size_t field) noexcept {
  return kInks[(field - 1) % kInks.size()];
}

void add_bytes(std::string& page, const Token& t) {
  const std::vector<std::size_t> owner = owners(t);
  page.append("<div class=\"hex\">");
  for (std::size_t at = 0; at < owner.size();) {
    std::size_t end = at;
    while (end < owner.size() && owner[end] == owner[at]) {
      ++end;
    }
    if (owner[at] != 0) {
      const Field& f = t.fields[owner[at] - 1];
      page.append("<span style=\"background:").append(ink_of(owner[at]));
      page.append("\" title=\"").append(html_text(f.name + " " + f.value)).append("\">");
    }
    for (std::size_t b = at; b < end; ++b) {
      page.append(hex_text(ByteView(t.raw).subspan(b, 1))).append(" ");
    }
    page.append(owner[at] != 0 ? "</span>" : "");
    at = end;
  }
  page.append("</div>\n");
}

void add_token(std::string& page, const Token& t, std::size_t number) {
  page.append("<h2 id=\"").append(anchor(number)).append("\">").append(std::to_string(number));
  page.append(". ").append(html_text(label_text(t))).append("</h2>\n");
  if (t.fault) {
    page.append("<p class=\"odd\">Malformed at byte ").append(std::to_string(t.fault->offset));
    page.append(": ").append(html_text(t.fault->text)).append("</p>\n");
  }
  for (const std::string& oddity : t.oddities) {
    page.append("<p class=\"odd\">").append(html_text(oddity)).append("</p>\n");
  }
  add_bytes(page, t);
  page.append("<table>\n");
  for (std::size_t i = 0; i < t.fields.size(); ++i) {
    const Field& f = t.fields[i];
    page.append(f.depth != 0 ? "<tr class=\"sub\">" : "<tr>");
    page.append("<td><span class=\"key\" style=\"background:").append(ink_of(i + 1)).append("\">");
    page.append(html_text(f.name)).append("</span></td><td>").append(html_text(f.value));
    if (!f.meaning.empty()) {
      page.append(" <span class=\"dim\">").append(html_text(f.meaning)).append("</span>");
    }
    page.append("</td></tr>\n");
  }
  page.append("</table>\n");
}

const char* class_of(Verdict verdict) noexcept {
  return verdict == Verdict::kGood ? " good" : verdict == Verdict::kOpen ? " open" : "";
}

}  // namespace

std::string render_html(const std::vector<Exchange>& exchanges,
                        const std::vector<Finding>& findings) {
  std::string page(kHead);
  page.append("<h1>NTLM exchange").append(exchanges.size() > 1 ? "s" : "").append("</h1>\n");
  std::size_t first = 1;
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    if (exchanges.size() > 1 || !exchanges[i].connection.empty()) {
      page.append("<h2>Exchange ").append(std::to_string(i + 1)).append(" <span class=\"dim\">");
      page.append(html_text(exchanges[i].connection)).append("</span></h2>\n");
    }
    add_diagram(page, exchanges[i], first);
    first += exchanges[i].tokens.size();
  }
  for (const Finding& f : findings) {
    page.append("<p class=\"odd").append(class_of(f.verdict)).append("\"><b>");
    page.append(html_text(f.part)).append("</b>: ").append(html_text(f.text)).append("</p>\n");
  }
  std::size_t number = 0;
  for (const Exchange& e : exchanges) {
    for (const Token& t : e.tokens) {
      add_token(page, t, ++number);
    }
  }
  return page.append("</body></html>\n");
}

}  // namespace gssntlm::tools
