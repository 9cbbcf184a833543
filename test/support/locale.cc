// Programs that host the mechanism call setlocale(); so do the tests, before anything runs.
#include <clocale>
#include <locale>
#include <stdexcept>

namespace {

const bool kFollowsEnvironment = [] {
  std::setlocale(LC_ALL, "");
  try {
    std::locale::global(std::locale(""));
  } catch (const std::runtime_error&) {
    return false;  // the environment names a locale that is not here
  }
  return true;
}();

}  // namespace
