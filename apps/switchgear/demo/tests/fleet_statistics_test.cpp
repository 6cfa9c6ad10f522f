// SPDX-License-Identifier: Apache-2.0
#include "../fleet/histogram.hpp"
#include "../fleet/overlap.hpp"
#include "../fleet/plan.hpp"
#include "../fleet/record.hpp"

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

using namespace switchgear::demo::fleet;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

namespace {

// --- histogram ---

TEST(fleet_histogram, is_exact_for_short_times) {
  histogram h;
  for (int i = 1; i <= 1000; ++i) h.add(i);
  EXPECT_EQ(h.count(), 1000u);
  EXPECT_EQ(h.quantile(0.5), 500);
  EXPECT_EQ(h.quantile(0.99), 990);
  EXPECT_EQ(h.quantile(0), 1);
  EXPECT_EQ(h.quantile(1), 1000);
}

TEST(fleet_histogram, is_within_one_part_in_512_for_long_ones) {
  for (std::int64_t value = 1024; value < 15'000'000'000; value = value * 21 / 16 + 7) {
    histogram h;
    h.add(value);
    EXPECT_LE(h.quantile(0.5), value);
    EXPECT_GE(h.quantile(0.5), value - value / 512) << value;
  }
}

TEST(fleet_histogram, keeps_the_order_over_all_buckets) {
  std::int64_t before = -1;
  for (std::int64_t value = 0; value < 200'000; value += value < 3000 ? 50 : 997) {
    histogram h;
    h.add(value);
    EXPECT_GE(h.quantile(1), before);
    before = h.quantile(1);
  }
}

TEST(fleet_histogram, takes_what_is_out_of_range_as_the_nearest) {
  histogram h;
  h.add(-5);
  EXPECT_EQ(h.quantile(1), 0);
  h.add(std::int64_t{1} << 60);
  EXPECT_GT(h.quantile(1), 10'000'000'000);
  EXPECT_EQ(h.count(), 2u);
}

TEST(fleet_histogram, adds_up_and_goes_through_a_pipe) {
  histogram a, b;
  for (int i = 0; i < 10; ++i) a.add(20), b.add(5'000'000);
  b.add(histogram::from(nlohmann::json::parse(a.to_json().dump())));
  EXPECT_EQ(b.count(), 20u);
  EXPECT_EQ(b.quantile(0.5), 20);
  EXPECT_GT(b.quantile(0.51), 4'900'000);
  b.clear();
  EXPECT_EQ(b.count(), 0u);
  EXPECT_EQ(b.quantile(0.5), 0);
}

TEST(fleet_histogram, refuses_a_bucket_that_it_does_not_have) {
  EXPECT_THROW((void)histogram::from(nlohmann::json::parse("[[1000000, 1]]")), std::out_of_range);
}

// --- probes at the upstream ---

TEST(fleet_overlap, counts_the_probes_that_are_there_at_a_time) {
  overlap o;
  o.begin(1, probe_kind::fleet, 0);
  o.begin(2, probe_kind::fleet, 1);
  EXPECT_EQ(o.fleet(), 2);
  EXPECT_TRUE(o.end(1));
  o.begin(3, probe_kind::fleet, 2);
  EXPECT_EQ(o.fleet(), 2);
  EXPECT_TRUE(o.end(2));
  EXPECT_TRUE(o.end(3));
  EXPECT_EQ(o.fleet(), 0);
}

TEST(fleet_overlap, counts_those_of_instances_on_their_own_apart) {
  overlap o;
  o.begin(1, probe_kind::local, 4);
  o.begin(2, probe_kind::local, 4);
  o.begin(3, probe_kind::local, 5);
  o.begin(4, probe_kind::fleet, 4);
  EXPECT_EQ(o.fleet(), 1);
  EXPECT_EQ(o.local(), 3);
  EXPECT_EQ(o.local_of(4), 2);
  EXPECT_EQ(o.local_of(5), 1);
  EXPECT_EQ(o.local_of(6), 0);
}

TEST(fleet_overlap, ordinary_calls_and_ends_without_a_beginning_change_nothing) {
  overlap o;
  o.begin(1, probe_kind::none, 0);
  EXPECT_FALSE(o.end(1));
  o.begin(2, probe_kind::fleet, 0);
  o.begin(2, probe_kind::fleet, 0);
  EXPECT_EQ(o.fleet(), 1);
  EXPECT_TRUE(o.end(2));
  EXPECT_FALSE(o.end(2));
  EXPECT_EQ(o.fleet(), 0);
}

TEST(fleet_overlap, finds_the_headers_of_a_request) {
  const std::string_view head = "GET / HTTP/1.1\r\nHost: x\r\nx-switchgear-probe:  fleet \r\nX-Switchgear-Instance: 7";
  EXPECT_EQ(header_of(head, probe_header), "fleet");
  EXPECT_EQ(header_of(head, instance_header), "7");
  EXPECT_EQ(header_of(head, "X-Switchgear"), std::nullopt);
  EXPECT_EQ(header_of("X-Switchgear-Probe: local", probe_header), std::nullopt) << "the first line is the request's";
  EXPECT_EQ(probe_kind_of("local"), probe_kind::local);
  EXPECT_EQ(probe_kind_of("fleets"), std::nullopt);
}

// --- rounds ---

TEST(fleet_plan, lets_each_fault_meet_each_phase_with_quiet_rounds_between) {
  const auto plan = plan_rounds({all_faults.begin(), all_faults.end()}, 8, {});
  ASSERT_THAT(plan, SizeIs(51));
  std::set<std::pair<fault, phase>> met;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    EXPECT_EQ(plan[i].what == fault::none, i % 2 == 0) << i;
    EXPECT_LT(plan[i].first, 7);
    if (plan[i].what != fault::none) met.emplace(plan[i].what, plan[i].when);
  }
  EXPECT_THAT(met, SizeIs(25));
  EXPECT_EQ(std::ranges::count_if(plan, &round_plan::killed), 26);
}

TEST(fleet_plan, shows_every_fault_and_every_phase_in_the_first_rounds) {
  const auto plan = plan_rounds({all_faults.begin(), all_faults.end()}, 8, 10);
  std::set<fault> faults;
  std::set<phase> phases;
  for (const round_plan& p : plan) {
    if (p.what != fault::none) faults.insert(p.what), phases.insert(p.when);
  }
  EXPECT_THAT(faults, SizeIs(5));
  EXPECT_THAT(phases, SizeIs(5));
}

TEST(fleet_plan, goes_on_from_the_beginning_when_more_rounds_are_wanted) {
  EXPECT_THAT(plan_rounds({fault::stop}, 2, 30), SizeIs(30));
  EXPECT_THAT(plan_rounds({}, 2, 3), SizeIs(3));
  EXPECT_THAT(plan_rounds({}, 2, {}), SizeIs(10));
}

TEST(fleet_plan, reads_a_list_of_faults) {
  EXPECT_THAT(faults_of("cut,kill,cut").value(), ElementsAre(fault::kill, fault::cut));
  EXPECT_THAT(faults_of("none").value(), IsEmpty());
  EXPECT_THAT(faults_of("all").value(), SizeIs(5));
  for (const char* wrong : {"", "kill,", ",kill", "kil", "kill stop", "none,kill"}) EXPECT_FALSE(faults_of(wrong)) << wrong;
}

// --- what is made of it ---

round_record opened_at(std::vector<std::optional<std::int64_t>> times) {
  round_record r;
  r.opened = std::move(times);
  return r;
}

TEST(fleet_record, measures_from_the_first_opening_to_each_of_the_others) {
  EXPECT_THAT(propagation(opened_at({300, 100, 150, std::nullopt}), 1), ElementsAre(50, 200));
}

TEST(fleet_record, measures_from_the_opening_that_makes_the_quorum) {
  EXPECT_THAT(propagation(opened_at({300, 100, 150, 190}), 2), ElementsAre(40, 150));
}

TEST(fleet_record, leaves_out_the_instance_that_cannot_hear_of_it) {
  EXPECT_THAT(propagation(opened_at({100, 900, 110}), 1, 1), ElementsAre(10));
  EXPECT_THAT(propagation(opened_at({std::nullopt, std::nullopt}), 1), IsEmpty());
}

latencies of(std::int64_t ns) {
  latencies l;
  for (int i = 0; i < 100; ++i) l.single.add(ns), l.blocks.add(100 * ns);
  return l;
}

round_record timed(fault what, std::int64_t ns, phase when = phase::open) {
  round_record r;
  r.plan.what = what;
  r.plan.when = when;
  r.timed = of(ns);
  return r;
}

TEST(fleet_record, compares_each_fault_with_the_quiet_rounds_around_it) {
  const std::vector<round_record> rounds{timed(fault::none, 100), timed(fault::kill, 150), timed(fault::none, 100),
                                         timed(fault::stop, 50), timed(fault::cut, 70)};
  const auto found = compare(rounds);
  ASSERT_THAT(found, SizeIs(2)) << "the last one has no quiet neighbour";
  EXPECT_EQ(found[0].round, 1u);
  EXPECT_DOUBLE_EQ(found[0].single_ratio, 1.5);
  EXPECT_NEAR(found[0].block_ratio, 1.5, 0.01);
  EXPECT_DOUBLE_EQ(found[1].single_ratio, 0.5);
}

TEST(fleet_record, finds_the_middle) {
  EXPECT_EQ(median({}), 0);
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
}

TEST(fleet_record, a_late_opening_and_a_slow_call_are_misses_and_no_problems) {
  results r;
  r.processes = 2;
  for (int i = 0; i < 3; ++i) {
    r.rounds.push_back(timed(fault::none, 100));
    r.rounds.push_back(timed(fault::kill, 110 + i));
  }
  r.rounds[0].opened = {0, propagation_target + 1};
  EXPECT_THAT(r.misses(), SizeIs(2));
  EXPECT_THAT(r.problems(), IsEmpty());
  r.rounds[0].opened = {0, propagation_target};
  EXPECT_THAT(r.misses(), SizeIs(1));
  r.rounds[3].timed = of(110);
  EXPECT_THAT(r.misses(), IsEmpty()) << "the middle one of three is within the target";
}

TEST(fleet_record, a_fault_while_the_circuits_open_is_counted_apart) {
  results r;
  r.processes = 3;
  r.rounds = {timed(fault::kill, 1, phase::opening), timed(fault::cut, 1, phase::opening), timed(fault::cut, 1, phase::ramp)};
  r.rounds[0].opened = {10, 20, 30};
  r.rounds[1].opened = {10, 25, 500};  // the last one is cut off
  r.rounds[2].opened = {10, 15, 16};
  EXPECT_THAT(r.disturbed_propagation(), ElementsAre(10, 20, 15));
  EXPECT_THAT(r.quiet_propagation(), ElementsAre(5, 6));
}

TEST(fleet_record, broken_promises_are_problems_with_their_round) {
  results r;
  r.rounds.resize(2);
  r.rounds[1].problems = {"too many"};
  EXPECT_THAT(r.problems(), ElementsAre("round 2: too many"));
}

}  // namespace
