// SPDX-License-Identifier: Apache-2.0
#include "tally.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <numeric>

namespace switchgear::demo {
namespace {

nlohmann::json one(const tally& t) {
  return {{"passed", t.passed},
          {"failed", t.failed},
          {"rejected", t.rejected},
          {"failure_ns", t.failure_ns},
          {"rejection_ns", t.rejection_ns}};
}

tally one_from(const nlohmann::json& j) {
  tally t;
  j.at("passed").get_to(t.passed);
  j.at("failed").get_to(t.failed);
  j.at("rejected").get_to(t.rejected);
  j.at("failure_ns").get_to(t.failure_ns);
  j.at("rejection_ns").get_to(t.rejection_ns);
  return t;
}

}  // namespace

std::chrono::nanoseconds tally::wasted() const noexcept {
  const auto failures = std::accumulate(failure_ns.begin(), failure_ns.end(), std::int64_t{0});
  return std::chrono::nanoseconds(std::accumulate(rejection_ns.begin(), rejection_ns.end(), failures));
}

void tally::add(const tally& other) {
  passed += other.passed;
  failed += other.failed;
  rejected += other.rejected;
  failure_ns.insert(failure_ns.end(), other.failure_ns.begin(), other.failure_ns.end());
  rejection_ns.insert(rejection_ns.end(), other.rejection_ns.begin(), other.rejection_ns.end());
}

void tallies::add(const tallies& other) {
  for (std::size_t u = 0; u < upstream_names.size(); ++u) {
    guarded[u].add(other.guarded[u]);
    unguarded[u].add(other.unguarded[u]);
  }
}

nlohmann::json to_json(const tallies& t) {
  nlohmann::json j;
  for (std::size_t u = 0; u < upstream_names.size(); ++u) {
    j["guarded"].push_back(one(t.guarded[u]));
    j["unguarded"].push_back(one(t.unguarded[u]));
  }
  return j;
}

tallies tallies_from(const nlohmann::json& j) {
  tallies t;
  for (std::size_t u = 0; u < upstream_names.size(); ++u) {
    t.guarded[u] = one_from(j.at("guarded").at(u));
    t.unguarded[u] = one_from(j.at("unguarded").at(u));
  }
  return t;
}

std::chrono::nanoseconds quantile(std::vector<std::int64_t> values, double share) {
  if (values.empty()) return {};
  const auto at = std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return std::chrono::nanoseconds(values[at]);
}

}  // namespace switchgear::demo
