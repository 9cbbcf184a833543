// Commands and their options. It hides CLI11, whose header takes longer to compile than the rest of
// a command.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace gssntlm::tools {

/// An option or an argument; lives as long as its CommandLine.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option required();
  Option excludes(Option other);
  Option one_of(const std::vector<std::string>& values);

 private:
  CLI::Option* option_;
};

/// The program or one of its commands; lives as long as its CommandLine.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}

  Command add_command(const char* name, const char* about);
  /// One with dashes is an option, one without the argument. What is given goes to `value`, which
  /// must outlive the parsing.
  Option add_option(const char* name, std::string& value, const char* about);
  Option add_option(const char* name, std::vector<std::string>& values, const char* about);
  Option add_flag(const char* name, bool& value, const char* about);
  void require_command();
  void footer(const char* text);
  /// Called once the whole line is valid.
  void callback(std::function<void()> run);

 private:
  CLI::App* app_;
};

class CommandLine {
 public:
  CommandLine(const char* name, const char* about, const char* version);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  [[nodiscard]] Command program() const { return Command(app_.get()); }
  /// Runs the callback of the command that was given. An exit status when there was none to run:
  /// kDone after --help and --version, kBadUsage after a complaint.
  [[nodiscard]] std::optional<int> parse(int argc, char** argv);

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace gssntlm::tools
