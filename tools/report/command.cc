// report: what months of audit say about who uses NTLM, and what would break without it.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>

#include <unistd.h>

#include "tools/commands.h"
#include "tools/console.h"
#include "tools/decode/page_file.h"
#include "tools/report/output.h"
#include "tools/report/source.h"

namespace gssntlm::tools {
namespace {

struct ReportOptions {
  std::vector<std::string> files;
  std::string html;
  std::string top = "10";
  bool json = false;
};

// How far it is, on a terminal.
class Progress {
 public:
  explicit Progress(std::uint64_t size) : size_(::isatty(STDERR_FILENO) != 0 ? size : 0) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() {
    if (shown_ > 0) {
      std::fputs("\r\033[K", stderr);
    }
  }
  void add(std::uint64_t bytes) {
    done_ += bytes;
    const int now =
        size_ == 0 ? 0 : static_cast<int>(std::min<std::uint64_t>(100, done_ * 100 / size_));
    if (now > shown_) {
      shown_ = now;
      std::string bar(static_cast<std::size_t>(now) / 2, '#');
      bar.resize(50, '.');
      std::fprintf(stderr, "\r[%s] %d%%", bar.c_str(), now);
    }
  }

 private:
  std::uint64_t size_;
  std::uint64_t done_ = 0;
  int shown_ = 0;
};

bool read_files(const std::vector<std::string>& files, Tally& tally) {
  AuditEntry entry;
  bool good = true;
  Progress progress(total_size(files));
  for (const std::string& file : files) {
    good = for_each_line(
               file,
               [&](std::string_view line) {
                 if (read_entry(line, entry)) {
                   tally.add(entry);
                 } else {
                   ++tally.others;
                 }
               },
               [&](std::uint64_t bytes) { progress.add(bytes); }) &&
           good;
  }
  return good;
}

std::optional<std::size_t> parse_top(const std::string& text) {
  std::size_t top = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), top);
  return error == std::errc() && end == text.data() + text.size() && top != 0 ? std::optional(top)
                                                                              : std::nullopt;
}

int run_report(const ReportOptions& o) {
  const std::optional<std::size_t> top = parse_top(o.top);
  if (!top) {
    complain("--top takes a number from 1");
    return kBadUsage;
  }
  Tally tally;
  const bool good = read_files(o.files, tally);
  if (!o.html.empty() && o.html != "-") {
    const int status = write_page(o.html, render_report_page(tally, *top));
    return good ? status : kFailed;
  }
  const std::string text = o.json           ? render_report_json(tally)
                           : o.html.empty() ? render_report(tally, *top)
                                            : render_report_page(tally, *top);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return good ? kDone : kFailed;
}

}  // namespace

void add_report_command(Command program, int& status) {
  auto o = std::make_shared<ReportOptions>();
  Command command = program.add_command(
      "report", "Report from audit files who uses NTLM, and what would break without it");
  command
      .add_option("file", o->files,
                  "Audit files, rotated and compressed (gzip) ones too; - for standard input")
      .required();
  Option json = command.add_flag("--json", o->json, "One JSON object with everything counted");
  command
      .add_option("--html", o->html,
                  "Write one page to this file, which only its owner can read, or to standard "
                  "output (-)")
      .excludes(json);
  command.add_option("--top", o->top, "How many of each kind to show (default: 10)");
  command.footer(
      "Exit status 1 if a file cannot be read; the others are reported.\n"
      "Example: gss-ntlm report /var/log/gss-ntlm-audit.log*");
  command.callback([o, &status] { status = run_report(*o); });
}

}  // namespace gssntlm::tools
