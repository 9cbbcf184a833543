#include <algorithm>

#include "mech/base/text.h"
#include "tools/report/output.h"

namespace gssntlm::tools {
namespace {

std::string right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

// A name, on one line of a terminal.
std::string one_line(std::string_view name) {
  std::string text = terminal_text(name);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return text;
}

std::string more(std::size_t shown, std::size_t all) {
  return all > shown ? "              " + grouped(all - shown) + " more; --top shows more of them\n"
                     : std::string();
}

void add_dimension(std::string& out, const Dimension& d, const Counts& counts, std::size_t top) {
  if (counts.size() == 0) {
    return;
  }
  out.append("\n").append(d.title).append("\n");
  out.append("  succeeded   rejected\n");
  const auto list = counts.sorted();
  const std::size_t shown = std::min(top, list.size());
  for (std::size_t i = 0; i < shown; ++i) {
    out.append(right(grouped(list[i].second.good), 11))
        .append(right(grouped(list[i].second.bad), 11))
        .append("  ")
        .append(one_line(list[i].first))
        .append("\n");
  }
  if (counts.others().all() != 0) {
    out.append(right(grouped(counts.others().good), 11))
        .append(right(grouped(counts.others().bad), 11))
        .append("  (others, beyond ")
        .append(grouped(Counts::kMost))
        .append(" names)\n");
  }
  out.append(more(shown, list.size()));
}

void add_plan(std::string& out, const Plan& plan, const Counts& broken, std::size_t top) {
  out.append("  ").append(plan.title).append(" (").append(plan.how).append("): ");
  out.append(broken_text(broken)).append("\n");
  const auto list = broken.sorted();
  const std::size_t shown = std::min(top, list.size());
  for (std::size_t i = 0; i < shown; ++i) {
    out.append(right(grouped(list[i].second.good), 14))
        .append("  ")
        .append(one_line(list[i].first))
        .append("\n");
  }
  out.append(more(shown, list.size()));
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3;) {
    i -= 3;
    text.insert(i, ",");
  }
  return text;
}

std::uint64_t broken_logins(const Counts& broken) {
  std::uint64_t logins = broken.others().good;
  for (const auto& [name, count] : broken.sorted()) {
    logins += count.good;
  }
  return logins;
}

std::string broken_text(const Counts& broken) {
  if (broken.size() == 0) {
    return "breaks nothing";
  }
  const std::uint64_t logins = broken_logins(broken);
  const bool many = broken.others().good != 0;
  return "breaks " + grouped(logins) + (logins == 1 ? " login of " : " logins of ") +
         (many ? "more than " : "") + grouped(broken.size()) +
         (broken.size() == 1 ? " client" : " clients");
}

std::string render_report(const Tally& tally, std::size_t top) {
  std::string out = grouped(tally.records) + (tally.records == 1 ? " record" : " records");
  if (tally.records != 0) {
    out.append(", ").append(one_line(tally.first)).append(" to ");
    out.append(one_line(tally.last));
  }
  out.append("\n");
  if (tally.others != 0) {
    out.append(grouped(tally.others)).append(" lines are no audit records\n");
  }
  for (const Dimension& d : dimensions()) {
    add_dimension(out, d, tally.of(d.by), top);
  }
  out.append("\nWhat breaks if it is rejected from tomorrow\n");
  for (std::size_t i = 0; i < kPlans; ++i) {
    add_plan(out, plans()[i], tally.broken[i], top);
  }
  return out;
}

}  // namespace gssntlm::tools
