// Runs a fuzz target without libFuzzer: over every input of the corpora given, and over what its
// mutator makes of them, the same in every run.
//
//   fuzz_TARGET [-mutations=N] CORPUS...    CORPUS: a tar archive, a directory, or one input
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
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

struct Input {
  std::string name;
  Bytes bytes;
};

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

[[noreturn]] void stop(const std::filesystem::path& path, const char* what) {
  std::fprintf(stderr, "%s: %s\n", path.c_str(), what);
  std::exit(2);
}

// The regular files of an archive in the ustar format, as corpus.sh makes it: short names, and
// nothing but files.
std::vector<Input> unpack(const std::filesystem::path& path) {
  constexpr std::size_t kBlock = 512;
  const Bytes archive = read_file(path);
  std::vector<Input> inputs;
  std::size_t at = 0;
  while (at + kBlock <= archive.size() && archive[at] != 0) {
    const char* header = reinterpret_cast<const char*>(archive.data() + at);
    const std::string name(header, strnlen(header, 100));
    const std::size_t size = std::strtoul(std::string(header + 124, 12).c_str(), nullptr, 8);
    at += kBlock;
    if (header[156] != '0' || size > archive.size() - at) {
      stop(path, "not an archive of test/fuzz/corpus.sh");
    }
    const auto from = archive.begin() + static_cast<std::ptrdiff_t>(at);
    inputs.push_back({name, Bytes(from, from + static_cast<std::ptrdiff_t>(size))});
    at += (size + kBlock - 1) / kBlock * kBlock;
  }
  return inputs;
}

std::vector<Input> corpus(const std::filesystem::path& path) {
  if (path.extension() == ".tar") {
    return unpack(path);
  }
  if (!std::filesystem::is_directory(path)) {
    return {{path.filename(), read_file(path)}};
  }
  std::vector<Input> inputs;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    inputs.push_back({entry.path().filename(), read_file(entry.path())});
  }
  std::sort(inputs.begin(), inputs.end(),
            [](const Input& a, const Input& b) { return a.name < b.name; });
  return inputs;
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
  bool whole = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with(kOption)) {
      mutations =
          static_cast<unsigned>(std::strtoul(argument.c_str() + kOption.size(), nullptr, 10));
      continue;
    }
    whole = whole || argument.ends_with(".tar");
    for (const Input& input : corpus(argument)) {
      std::printf("%s\n", input.name.c_str());
      std::fflush(stdout);
      run(input.bytes);
      run_mutations(input.bytes, mutations);
      ++inputs;
    }
  }
  if (const char* lacks = whole && corpus_lacks != nullptr ? corpus_lacks() : nullptr) {
    std::fprintf(stderr, "no input of the corpus has %s; make it again: sh test/fuzz/corpus.sh\n",
                 lacks);
    return 1;
  }
  std::printf("%zu inputs, each changed %u times: every oracle holds\n", inputs, mutations);
  return inputs != 0 ? 0 : 1;
}
