// Runs a fuzz target without libFuzzer: over every file of the directories given, and over what its
// mutator makes of them, the same in every run.
//
//   fuzz_TARGET [-mutations=N] DIRECTORY...
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "test/fuzz/fuzz.h"

namespace {

using gssntlm::Bytes;

constexpr std::size_t kMostBytes = 8192;

std::mt19937 g_random(20240229);

std::vector<std::filesystem::path> files_in(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The input that is running, which may be a mutator's and in no file.
const Bytes* g_input = nullptr;

void show_input(int) {
  std::fputs("with this input:\n", stderr);
  for (const std::uint8_t byte : *g_input) {
    std::fprintf(stderr, "%02x", byte);
  }
  std::fputs("\n", stderr);
  std::signal(SIGABRT, SIG_DFL);
}

// A copy that ends where its bytes end, so that sanitizers see reads past them.
void run(const Bytes& input) {
  g_input = &input;
  const gssntlm::Buffer exact = gssntlm::Buffer::copy_of(input);
  (void)LLVMFuzzerTestOneInput(exact.view().data(), exact.size());
}

void run_mutations(const Bytes& input, unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    Bytes changed = input;
    changed.resize(std::max(kMostBytes, input.size()));
    changed.resize(LLVMFuzzerCustomMutator(changed.data(), input.size(), changed.size(),
                                           static_cast<unsigned>(g_random())));
    run(changed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::string_view kOption = "-mutations=";
  std::signal(SIGABRT, show_input);
  unsigned mutations = 0;
  std::size_t inputs = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with(kOption)) {
      mutations =
          static_cast<unsigned>(std::strtoul(argument.c_str() + kOption.size(), nullptr, 10));
      continue;
    }
    for (const std::filesystem::path& file : files_in(argument)) {
      const Bytes input = read_file(file);
      std::printf("%s\n", file.filename().c_str());
      std::fflush(stdout);
      run(input);
      run_mutations(input, mutations);
      ++inputs;
    }
  }
  std::printf("%zu inputs, each changed %u times: every oracle holds\n", inputs, mutations);
  return inputs != 0 ? 0 : 1;
}
