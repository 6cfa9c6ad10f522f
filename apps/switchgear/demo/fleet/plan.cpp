// SPDX-License-Identifier: Apache-2.0
#include "plan.hpp"

#include <algorithm>

namespace switchgear::demo::fleet {

std::string_view to_string(fault f) noexcept {
  switch (f) {
    case fault::none: return "none";
    case fault::kill: return "kill";
    case fault::stop: return "stop";
    case fault::flush: return "flush";
    case fault::restart: return "restart";
    case fault::cut: return "cut";
  }
  return "none";
}

std::string_view to_string(phase p) noexcept {
  switch (p) {
    case phase::opening: return "opening";
    case phase::open: return "open";
    case phase::probing: return "probing";
    case phase::ramp: return "ramp";
    case phase::healthy: return "healthy";
  }
  return "healthy";
}

std::optional<std::vector<fault>> faults_of(std::string_view list) {
  if (list == "none") return std::vector<fault>{};
  if (list == "all") return std::vector<fault>(all_faults.begin(), all_faults.end());
  std::vector<fault> named;
  for (bool more = true; more;) {
    const auto comma = list.find(',');
    const std::string_view word = list.substr(0, comma);
    const auto found = std::ranges::find_if(all_faults, [&](fault f) { return to_string(f) == word; });
    if (found == all_faults.end()) return std::nullopt;
    if (std::ranges::find(named, *found) == named.end()) named.push_back(*found);
    more = comma != list.npos;
    if (more) list.remove_prefix(comma + 1);
  }
  std::ranges::sort(named);
  return named;
}

std::vector<round_plan> plan_rounds(const std::vector<fault>& faults, int processes, std::optional<int> rounds) {
  std::vector<round_plan> plan;
  const auto add = [&](fault what, phase when) { plan.push_back({.what = what, .when = when}); };
  // Along the diagonals: after the first few rounds every fault and every phase has had its turn, should that be the end.
  for (std::size_t pass = 0; pass < all_phases.size(); ++pass) {
    for (std::size_t i = 0; i < faults.size(); ++i) {
      add(fault::none, phase::opening);
      add(faults[i], all_phases[(i + pass) % all_phases.size()]);
    }
  }
  add(fault::none, phase::opening);
  const auto wanted = static_cast<std::size_t>(rounds.value_or(faults.empty() ? 10 : static_cast<int>(plan.size())));
  const std::size_t period = plan.size();
  while (plan.size() < wanted) plan.push_back(plan[plan.size() - period]);
  plan.resize(wanted);
  // Two by two, so that a quiet round and the one with a fault after it go down in the same way; with an odd number of faults
  // each of them meets both ways.
  for (std::size_t i = 0; i < plan.size(); ++i) {
    plan[i].killed = i / 2 % 2 == 0;
    plan[i].first = static_cast<int>(i) % std::max(1, processes - 1);
  }
  return plan;
}

}  // namespace switchgear::demo::fleet
