// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include "../tally.hpp"
#include "latency.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace switchgear::demo::fleet {
namespace {

using nlohmann::json;
using std::chrono::nanoseconds;

std::string text(std::int64_t ns) { return short_time(nanoseconds(ns)); }

struct probe_counts {
  int fleet = 0, local = 0, quiet_local = 0, most_fleet = 0, most_local = 0, most_local_of_one = 0;
};

probe_counts probes_of(const results& r) {
  probe_counts all;
  for (const round_record& round : r.rounds) {
    all.fleet += round.fleet_probes;
    all.local += round.local_probes;
    if (round.plan.what == fault::none) all.quiet_local += round.local_probes;
    all.most_fleet = std::max(all.most_fleet, round.most_fleet);
    all.most_local = std::max(all.most_local, round.most_local);
    all.most_local_of_one = std::max(all.most_local_of_one, round.most_local_of_one);
  }
  return all;
}

std::string number_of_block(const histogram& blocks, double share) {
  return number("%.1f ns", static_cast<double>(blocks.quantile(share)) / latency_probe::block);
}

void print_propagation(std::string_view what, const std::vector<std::int64_t>& delays, screen& to) {
  if (delays.empty()) return;
  to.line("  " + left(what, 34) + right(std::to_string(delays.size()), 7) + right(short_time(quantile(delays, 0.5)), 10) +
          right(short_time(quantile(delays, 0.99)), 10) + right(text(*std::ranges::max_element(delays)), 10));
}

void print_probes(const results& r, screen& to) {
  const probe_counts p = probes_of(r);
  to.line("  probes, counted at the upstream         sent   most at a time   allowed", colour::bold);
  const auto row = [&](std::string_view what, int sent, int most) {
    to.line("  " + left(what, 34) + right(std::to_string(sent), 10) + right(std::to_string(most), 17) +
            right(std::to_string(r.limit), 10));
  };
  row("of the fleet", p.fleet, p.most_fleet);
  row("of one instance without the store", p.local, p.most_local_of_one);
}

void print_latencies(const results& r, screen& to) {
  to.line("  a guarded call that does nothing        p50       p99    p50, p99 of blocks", colour::bold);
  for (const phase p : all_phases) {
    const latencies& l = r.quiet[static_cast<std::size_t>(p)];
    if (l.single.count() == 0) continue;
    to.line("  " + left("no fault, " + std::string(to_string(p)), 31) + right(text(l.single.quantile(0.5)), 12) +
            right(text(l.single.quantile(0.99)), 10) + right(number_of_block(l.blocks, 0.5), 12) +
            right(number_of_block(l.blocks, 0.99), 10));
  }
}

void print_faults(const results& r, screen& to) {
  const auto all = compare(r.rounds);
  if (all.empty()) return;
  to.line("  fault     in the phase     p99   against quiet   in blocks   all linked after", colour::bold);
  std::map<fault, std::pair<std::vector<double>, std::vector<double>>> of;
  for (const comparison& c : all) {
    const round_record& round = r.rounds[c.round];
    of[round.plan.what].first.push_back(c.single_ratio);
    of[round.plan.what].second.push_back(c.block_ratio);
    const auto linked = round.healed && round.linked ? text(*round.linked - *round.healed) : "·";
    to.line("  " + left(to_string(round.plan.what), 10) + left(to_string(round.plan.when), 10) +
            right(text(round.timed.single.quantile(0.99)), 10) + right(number("%.2f", c.single_ratio), 16) +
            right(number("%.2f", c.block_ratio), 12) + right(linked, 19));
  }
  for (const auto& [what, ratios] : of) {
    to.line("  " + left(to_string(what), 10) + left("median of all", 20) + right(number("%.2f", median(ratios.first)), 16) +
            right(number("%.2f", median(ratios.second)), 12));
  }
}

json times(const std::vector<std::int64_t>& delays) {
  return {{"count", delays.size()},
          {"p50_ns", quantile(delays, 0.5).count()},
          {"p99_ns", quantile(delays, 0.99).count()},
          {"most_ns", delays.empty() ? 0 : *std::ranges::max_element(delays)}};
}

json times(const latencies& l) {
  const auto block = [&](double share) { return static_cast<double>(l.blocks.quantile(share)) / latency_probe::block; };
  return {{"count", l.single.count()},
          {"p50_ns", l.single.quantile(0.5)},
          {"p99_ns", l.single.quantile(0.99)},
          {"blocks_p50_ns", block(0.5)},
          {"blocks_p99_ns", block(0.99)}};
}

json one(const round_record& round, const results& r) {
  const auto after = [](const auto& from, const auto& to) { return from && to ? json(*to - *from) : json(); };
  const bool faulty = round.plan.what != fault::none;
  const std::optional<std::int64_t> down = round.down;
  return {{"fault", to_string(round.plan.what)},
          {"phase", faulty ? json(to_string(round.plan.when)) : json()},
          {"upstream", round.plan.killed ? "killed" : "sick"},
          {"opened", std::ranges::count_if(round.opened, [](const auto& o) { return o.has_value(); })},
          {"propagation", times(propagation(round, r.deciding()))},
          {"whole_after_ns", after(round.revived, round.whole)},
          {"injected_after_ns", after(down, round.injected)},
          {"fault_lasted_ns", after(round.injected, round.healed)},
          {"linked_after_ns", after(round.healed, round.linked)},
          {"fleet_probes", round.fleet_probes},
          {"local_probes", round.local_probes},
          {"most_fleet_probes", round.most_fleet},
          {"most_local_probes", round.most_local},
          {"most_local_probes_of_one", round.most_local_of_one},
          {"latency", times(round.timed)},
          {"problems", round.problems}};
}

}  // namespace

void print(const results& r, screen& to) {
  to.line();
  to.line("  from the first opening to the others    count       p50       p99      most", colour::bold);
  print_propagation("no fault", r.quiet_propagation(), to);
  print_propagation("a fault while they open", r.disturbed_propagation(), to);
  to.line();
  print_probes(r, to);
  to.line();
  print_latencies(r, to);
  to.line();
  print_faults(r, to);
  to.line();
  for (const std::string& s : r.skipped) to.line("  skipped: " + s, colour::yellow);
  for (const std::string& m : r.misses()) to.line("  MISSED: " + m, colour::yellow);
  const auto problems = r.problems();
  for (const std::string& p : problems) to.line("  BROKEN: " + p, colour::red);
  if (problems.empty()) {
    to.line("  Never more probes than allowed, and in the end everybody agreed.", colour::bold);
  }
}

json to_json(const results& r, bool strict) {
  const probe_counts p = probes_of(r);
  json quiet, rounds = json::array(), ratios = json::array();
  for (const phase of : all_phases) quiet[std::string(to_string(of))] = times(r.quiet[static_cast<std::size_t>(of)]);
  for (const round_record& round : r.rounds) rounds.push_back(one(round, r));
  for (const comparison& c : compare(r.rounds)) {
    const round_plan& plan = r.rounds[c.round].plan;
    ratios.push_back({{"fault", to_string(plan.what)},
                      {"phase", to_string(plan.when)},
                      {"p99_ratio", c.single_ratio},
                      {"blocks_p99_ratio", c.block_ratio}});
  }
  const auto problems = r.problems(), misses = r.misses();
  return {{"ok", problems.empty() && (!strict || misses.empty())},
          {"problems", problems},
          {"misses", misses},
          {"skipped", r.skipped},
          {"processes", r.processes},
          {"mode", mode_names[static_cast<int>(r.opening)]},
          {"limit", r.limit},
          {"seconds", r.seconds},
          {"store", r.store},
          {"propagation", {{"quiet", times(r.quiet_propagation())}, {"disturbed", times(r.disturbed_propagation())}}},
          {"probes",
           {{"fleet", p.fleet},
            {"local", p.local},
            {"local_in_quiet_rounds", p.quiet_local},
            {"most_fleet", p.most_fleet},
            {"most_local", p.most_local},
            {"most_local_of_one", p.most_local_of_one}}},
          {"latency_quiet", quiet},
          {"latency_ratios", ratios},
          {"instances", r.counts},
          {"rounds", rounds}};
}

}  // namespace switchgear::demo::fleet
