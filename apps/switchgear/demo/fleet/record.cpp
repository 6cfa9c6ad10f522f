// SPDX-License-Identifier: Apache-2.0
#include "record.hpp"

#include "../screen.hpp"
#include "../tally.hpp"

#include <algorithm>

namespace switchgear::demo::fleet {
namespace {

/// The rounds whose fault has such a property, all put together.
std::vector<std::int64_t> propagation_of(const results& r, const auto& wanted) {
  std::vector<std::int64_t> all;
  for (const round_record& round : r.rounds) {
    if (!wanted(round.plan)) continue;
    const bool cut = round.plan.what == fault::cut && round.plan.when == phase::opening;
    const auto some = propagation(round, r.deciding(), cut ? r.processes - 1 : -1);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

bool disturbed(const round_plan& p) { return p.what != fault::none && p.when == phase::opening; }

double ratio(const histogram& a, const histogram& b) {
  return static_cast<double>(a.quantile(0.99)) / static_cast<double>(std::max<std::int64_t>(1, b.quantile(0.99)));
}

}  // namespace

std::vector<std::int64_t> propagation(const round_record& r, int deciding, int without) {
  std::vector<std::int64_t> openings;
  for (std::size_t i = 0; i < r.opened.size(); ++i) {
    if (r.opened[i] && static_cast<int>(i) != without) openings.push_back(*r.opened[i]);
  }
  std::ranges::sort(openings);
  const auto first = static_cast<std::size_t>(deciding);
  std::vector<std::int64_t> delays;
  for (std::size_t i = first; i < openings.size(); ++i) delays.push_back(openings[i] - openings[first - 1]);
  return delays;
}

std::vector<comparison> compare(const std::vector<round_record>& rounds) {
  std::vector<comparison> found;
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    const round_record& r = rounds[i];
    if (r.plan.what == fault::none || r.timed.single.count() == 0) continue;
    latencies quiet;
    if (i > 0 && rounds[i - 1].plan.what == fault::none) quiet.add(rounds[i - 1].timed);
    if (i + 1 < rounds.size() && rounds[i + 1].plan.what == fault::none) quiet.add(rounds[i + 1].timed);
    if (quiet.single.count() == 0) continue;
    found.push_back({i, ratio(r.timed.single, quiet.single), ratio(r.timed.blocks, quiet.blocks)});
  }
  return found;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::vector<std::int64_t> results::quiet_propagation() const {
  return propagation_of(*this, [](const round_plan& p) { return !disturbed(p); });
}

std::vector<std::int64_t> results::disturbed_propagation() const {
  return propagation_of(*this, [](const round_plan& p) { return disturbed(p); });
}

std::vector<std::string> results::problems() const {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    const round_record& r = rounds[i];
    for (const std::string& p : r.problems) all.push_back("round " + std::to_string(i + 1) + ": " + p);
  }
  return all;
}

std::vector<std::string> results::misses() const {
  std::vector<std::string> all;
  const auto p99 = quantile(quiet_propagation(), 0.99);
  if (opening != mode::evidence && p99.count() > propagation_target) {
    all.push_back("an opening reached the others within " + short_time(p99) + " (99th percentile), the target is " +
                  short_time(std::chrono::nanoseconds(propagation_target)));
  }
  std::map<fault, std::vector<double>> by_fault;
  for (const comparison& c : compare(rounds)) by_fault[rounds[c.round].plan.what].push_back(c.single_ratio);
  for (const auto& [what, ratios] : by_fault) {
    // Less than three say more about the machine than about the fault.
    if (const double m = median(ratios); ratios.size() >= 3 && m > latency_target) {
      all.push_back("the 99th percentile of guarded calls during the fault " + std::string(to_string(what)) + " is " +
                    number("%.2f", m) + " times that of quiet rounds");
    }
  }
  return all;
}

}  // namespace switchgear::demo::fleet
