#include <algorithm>

#include "tools/html_text.h"
#include "tools/report/output.h"

namespace gssntlm::tools {
namespace {

constexpr const char* kHead =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n"
    "<title>NTLM report</title>\n<style>\n"
    ":root{color-scheme:light dark}\n"
    "*{box-sizing:border-box}\n"
    "body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:60rem;"
    "overflow-wrap:anywhere}\n"
    "h1{font-size:1.4rem}h2{font-size:1.15rem;margin-top:2rem}\n"
    "table{border-collapse:collapse;width:100%;font-size:.9rem;table-layout:fixed}\n"
    "th{text-align:left}td{border-top:1px solid #8884;padding:.25rem .4rem;vertical-align:top}\n"
    "td.n,th.n{width:6.5rem;text-align:right;font-variant-numeric:tabular-nums}\n"
    ".bar{display:flex;height:.45rem;margin-top:.15rem}\n"
    ".good{background:#2b8a3e}.bad{background:#c92a2a}\n"
    ".dim{opacity:.75}\n"
    "</style></head><body>\n";

std::string percent(std::uint64_t part, std::uint64_t whole) {
  return std::to_string(whole == 0 ? 0 : part * 100 / whole) + "%";
}

std::string part(const char* kind, std::uint64_t count, std::uint64_t whole) {
  return count == 0 ? std::string()
                    : std::string("<span class=\"") + kind +
                          "\" style=\"width:" + percent(count, whole) + ";min-width:2px\"></span>";
}

void add_row(std::string& page, std::string_view name, const Count& count, std::uint64_t most) {
  page.append("<tr><td>").append(html_text(name)).append("<div class=\"bar\">");
  page.append(part("good", count.good, most)).append(part("bad", count.bad, most));
  page.append("</div></td><td class=\"n\">").append(grouped(count.good));
  page.append("</td><td class=\"n\">").append(grouped(count.bad)).append("</td></tr>\n");
}

void add_table(std::string& page, const Counts& counts, std::size_t top) {
  const auto list = counts.sorted();
  const std::size_t shown = std::min(top, list.size());
  const std::uint64_t most =
      std::max(list.empty() ? 0 : list.front().second.all(), counts.others().all());
  page.append(
      "<table><tr><th>Name</th><th class=\"n\">Succeeded</th><th "
      "class=\"n\">Rejected</th></tr>\n");
  for (std::size_t i = 0; i < shown; ++i) {
    add_row(page, list[i].first, list[i].second, most);
  }
  if (counts.others().all() != 0) {
    add_row(page, "(others, beyond " + grouped(Counts::kMost) + " names)", counts.others(), most);
  }
  page.append("</table>\n");
  if (list.size() > shown) {
    page.append("<p class=\"dim\">").append(grouped(list.size() - shown)).append(" more</p>\n");
  }
}

}  // namespace

std::string render_report_page(const Tally& tally, std::size_t top) {
  std::string page = kHead;
  page.append("<h1>NTLM report</h1>\n<p>").append(grouped(tally.records)).append(" records");
  if (tally.records != 0) {
    page.append(", ").append(html_text(tally.first)).append(" to ").append(html_text(tally.last));
  }
  page.append(".");
  if (tally.others != 0) {
    page.append(" ").append(grouped(tally.others)).append(" lines are no audit records.");
  }
  page.append("</p>\n<h2>What breaks if it is rejected from tomorrow</h2>\n");
  for (std::size_t i = 0; i < kPlans; ++i) {
    page.append("<h3>").append(html_text(plans()[i].title)).append("</h3>\n<p>");
    page.append(html_text(plans()[i].how)).append(": ").append(broken_text(tally.broken[i]));
    page.append("</p>\n");
    if (tally.broken[i].size() != 0) {
      add_table(page, tally.broken[i], top);
    }
  }
  for (const Dimension& d : dimensions()) {
    if (tally.of(d.by).size() != 0) {
      page.append("<h2>").append(d.title).append("</h2>\n");
      add_table(page, tally.of(d.by), top);
    }
  }
  return page.append("</body></html>\n");
}

}  // namespace gssntlm::tools
