// Settings files. Input: the text of one.
//
// What is read, written out key by key and read again is the same; every value is one that its key
// may have; what is refused says where.
#include <algorithm>

#include "mech/config/access_lists.h"
#include "mech/config/settings.h"
#include "mech/os/error_detail.h"
#include "test/fuzz/fuzz.h"

namespace gssntlm::fuzz {
namespace {

bool read(std::string_view text, Settings& settings) {
  forget_detail();
  const Status read = parse_settings(text, "a file", settings);
  const std::string_view detail = last_detail(static_cast<std::uint32_t>(Minor::kBadSetting));
  if (!read) {
    GSSNTLM_HOLDS(read.error().minor == Minor::kBadSetting);
    GSSNTLM_HOLDS(detail.find("settings file a file line ") != std::string_view::npos);
    GSSNTLM_HOLDS(std::none_of(detail.begin(), detail.end(),
                               [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
  }
  return read.ok();
}

// As the program shows it. The INI library reads no line that is longer than its buffer.
bool write(const Settings& settings, std::string& text) {
  constexpr std::size_t kLongest = 150;
  std::string section;
  for (const SettingKey& key : setting_keys()) {
    const std::string value = key.get(settings);
    if (key.section != section) {
      section = key.section;
      text.append("[").append(section).append("]\n");
    }
    text.append(key.name).append(" = ").append(value).append("\n");
    if (value.size() > kLongest) {
      return false;
    }
  }
  return true;
}

void check_values(const Settings& settings) {
  const Policy& policy = settings.policy;
  GSSNTLM_HOLDS(policy.initiator_level <= 5 && policy.acceptor_level <= 5);
  GSSNTLM_HOLDS(policy.min_key_bits == 128 || policy.min_key_bits == 56 ||
                policy.min_key_bits == 40);
  GSSNTLM_HOLDS(policy.max_skew_seconds <= 100ull * 365 * 86400);
  GSSNTLM_HOLDS(settings.winbind_timeout >= 1 && settings.winbind_timeout <= 300);
  GSSNTLM_HOLDS(settings.trace_level == 1 || settings.trace_level == 2);
  GSSNTLM_HOLDS(settings.users_file.empty() || settings.users_file[0] == '/');
  for (const Bytes* name : {&settings.names.nb_computer, &settings.names.nb_domain,
                            &settings.names.dns_computer, &settings.names.dns_domain}) {
    GSSNTLM_HOLDS(is_clean_name(*name) && name->size() <= 510);
  }
}

void check_rules(const Settings& settings) {
  const auto listed = [](const std::vector<std::string>& list) { return !list.empty(); };
  const bool target = outgoing_refusal("HTTP/www.corp.example", settings).has_value();
  GSSNTLM_HOLDS(!target || listed(settings.allow_targets) || listed(settings.deny_targets));
  const bool user = user_refusal({"user", "DOM"}, settings).has_value();
  GSSNTLM_HOLDS(!user || listed(settings.allow_users) || listed(settings.deny_users));
  if (settings.target_check != TargetCheck::kOff) {
    (void)target_refusal("HTTP/www.corp.example", settings);
  }
}

}  // namespace
}  // namespace gssntlm::fuzz

using namespace gssntlm;
using namespace gssntlm::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Settings settings;
  if (!read(as_text({data, size}), settings)) {
    return 0;
  }
  check_values(settings);
  check_rules(settings);
  std::string text;
  if (!write(settings, text)) {
    return 0;
  }
  Settings again;
  GSSNTLM_HOLDS(read(text, again));
  for (const SettingKey& key : setting_keys()) {
    GSSNTLM_HOLDS(key.get(again) == key.get(settings));
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
  constexpr std::string_view kValues[] = {"yes",  "no",  "0",   "5",     "128", "56",
                                          "36h",  "15m", "",    "*",     "off", "log",
                                          "file", "437", "850", "a, b*", "/x"};
  Chance chance(seed);
  Bytes text(data, data + size);
  if (chance.one_in(2)) {
    const auto keys = setting_keys();
    const SettingKey& key = keys[chance.below(keys.size())];
    std::string line("[");
    line.append(key.section).append("]\n").append(key.name).append(" = ");
    line.append(kValues[chance.below(std::size(kValues))]).append("\n");
    if (chance.one_in(3)) {
      line.append("  more, ").append(kValues[chance.below(std::size(kValues))]).append("\n");
    }
    text.insert(chance.one_in(2) ? text.begin() : text.end(), line.begin(), line.end());
  } else {
    mutate_bytes(text, max, chance);
  }
  return give_back(text, data, max);
}
