#include "tools/command_line.h"

#include <algorithm>
#include <cstdio>
#include <sstream>

#include <CLI/CLI.hpp>

#include "mech/base/text.h"
#include "tools/command_words.h"
#include "tools/console.h"

namespace gssntlm::tools {

Option Option::required() {
  option_->required();
  return *this;
}

Option Option::excludes(Option other) {
  option_->excludes(other.option_);
  return *this;
}

Option Option::one_of(const std::vector<std::string>& values) {
  option_->check(CLI::IsMember(values));
  return *this;
}

Command Command::add_command(const char* name, const char* about) {
  return Command(app_->add_subcommand(name, about));
}

Option Command::add_option(const char* name, std::string& value, const char* about) {
  return Option(app_->add_option(name, value, about));
}

Option Command::add_option(const char* name, std::vector<std::string>& values, const char* about) {
  return Option(app_->add_option(name, values, about));
}

Option Command::add_flag(const char* name, bool& value, const char* about) {
  return Option(app_->add_flag(name, value, about));
}

void Command::require_command() {
  app_->require_subcommand(1);
}

void Command::footer(const char* text) {
  app_->footer(text);
}

void Command::callback(std::function<void()> run) {
  app_->callback(std::move(run));
}

namespace {

CommandNames names_of(const CLI::App& app) {
  CommandNames names;
  for (const CLI::App* inner : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.inner.push_back(names_of(*inner));
    names.inner.back().name = inner->get_name();
  }
  return names;
}

}  // namespace

CommandLine::CommandLine(const char* name, const char* about, const char* version)
    : app_(std::make_unique<CLI::App>(about, name)) {
  app_->set_version_flag("--version", version);
  app_->get_formatter()->column_width(34);
}

CommandLine::~CommandLine() = default;

std::optional<int> CommandLine::parse(int argc, char** argv) {
  TypedWords typed = read_words({argv + std::min(argc, 1), argv + argc}, names_of(*app_));
  if (!typed.complaint.empty()) {
    complain(typed.complaint);
    return kBadUsage;
  }
  try {
    // The last one first.
    std::reverse(typed.words.begin(), typed.words.end());
    app_->parse(std::move(typed.words));
  } catch (const CLI::ParseError& e) {
    const bool asked = e.get_exit_code() == 0;  // --help, --version
    // What was typed is quoted in the error.
    std::ostringstream out;
    std::ostringstream err;
    app_->exit(e, out, err);
    std::fputs(terminal_text(out.str()).c_str(), stdout);
    std::fputs(terminal_text(err.str()).c_str(), stderr);
    return asked ? kDone : kBadUsage;
  }
  return std::nullopt;
}

}  // namespace gssntlm::tools
