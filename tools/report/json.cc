#include <nlohmann/json.hpp>

#include "tools/report/output.h"

namespace gssntlm::tools {
namespace {

using Json = nlohmann::ordered_json;

Json list_of(const Counts& counts) {
  Json list = Json::array();
  for (const auto& [name, count] : counts.sorted()) {
    list.push_back({{"name", name}, {"succeeded", count.good}, {"rejected", count.bad}});
  }
  if (counts.others().all() != 0) {
    list.push_back({{"name", nullptr},
                    {"succeeded", counts.others().good},
                    {"rejected", counts.others().bad}});
  }
  return list;
}

Json plan_of(const Plan& plan, const Counts& broken) {
  Json clients = Json::array();
  for (const auto& [name, count] : broken.sorted()) {
    clients.push_back({{"name", name}, {"logins", count.good}});
  }
  if (broken.others().good != 0) {
    clients.push_back({{"name", nullptr}, {"logins", broken.others().good}});
  }
  return {{"plan", plan.key},
          {"rejects", plan.title},
          {"settings", plan.how},
          {"logins", broken_logins(broken)},
          {"clients", clients}};
}

}  // namespace

std::string render_report_json(const Tally& tally) {
  Json all = {{"schema", 1}, {"records", tally.records}, {"other_lines", tally.others}};
  if (tally.records != 0) {
    all["first"] = tally.first;
    all["last"] = tally.last;
  }
  for (const Dimension& d : dimensions()) {
    all[std::string(d.key)] = list_of(tally.of(d.by));
  }
  Json breaks = Json::array();
  for (std::size_t i = 0; i < kPlans; ++i) {
    breaks.push_back(plan_of(plans()[i], tally.broken[i]));
  }
  all["breaks"] = breaks;
  return all.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace gssntlm::tools
