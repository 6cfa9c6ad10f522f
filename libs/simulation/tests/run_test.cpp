// SPDX-License-Identifier: Apache-2.0
#include <switchgear/errors.hpp>
#include <switchgear/simulation/report.hpp>

using namespace std::chrono_literals;
namespace simulation = switchgear::simulation;

namespace {

simulation::settings fleet_of(std::uint32_t instances, std::string plan) {
  simulation::settings s;
  s.instances = instances;
  s.duration = 120s;
  s.plan = std::move(plan);
  return s;
}

TEST(simulation_run, the_same_seed_gives_the_same_bytes_and_another_one_does_not) {
  simulation::comparison first, second, third;
  first.of = second.of = fleet_of(15, "chaos");
  third.of = first.of;
  third.of.seed = 2;
  first.shared = simulation::run(first.of);
  second.shared = simulation::run(second.of);
  third.shared = simulation::run(third.of);
  EXPECT_EQ(to_json(first), to_json(second));
  EXPECT_EQ(to_svg(first), to_svg(second));
  EXPECT_NE(to_json(first), to_json(third));
}

TEST(simulation_run, sharing_finds_out_sooner_wastes_less_and_probes_less) {
  auto s = fleet_of(40, "outage");
  const auto shared = simulation::run(s);
  s.sharing = false;
  const auto alone = simulation::run(s);
  ASSERT_TRUE(shared.most_know && alone.most_know);
  EXPECT_LT(*shared.most_know, *alone.most_know);
  EXPECT_LT(shared.wasted, alone.wasted);
  EXPECT_LT(shared.probes, alone.probes);
  EXPECT_EQ(shared.probes_at_once, 1u);
  EXPECT_EQ(shared.calls, alone.calls) << "the same calls";
  EXPECT_TRUE(shared.full_service);
  EXPECT_GT(shared.messages, 0);
  EXPECT_EQ(alone.messages, 0);
}

TEST(simulation_run, in_quiet_times_every_call_is_admitted_and_nothing_is_decided) {
  const auto r = simulation::run(fleet_of(10, "calm"));
  EXPECT_FALSE(r.violated);
  EXPECT_EQ(r.rejected, 0u);
  EXPECT_EQ(r.totals.local_decisions, 0u);
  EXPECT_FALSE(r.first_knows);
  EXPECT_NEAR(static_cast<double>(r.calls), 10 * 120 * 2, 200);
}

TEST(simulation_run, a_slow_upstream_is_found_out_too) {
  const auto r = simulation::run(fleet_of(10, "slow"));
  EXPECT_FALSE(r.violated);
  EXPECT_TRUE(r.first_knows);
}

TEST(simulation_run, progress_is_told_in_order) {
  std::vector<std::chrono::nanoseconds> told;
  (void)simulation::run(fleet_of(3, "outage"), [&](std::chrono::nanoseconds at) { told.push_back(at); });
  ASSERT_GT(told.size(), 50u);
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_LE(told.back(), 120s);
}

TEST(simulation_run, every_problem_of_the_settings_is_told) {
  auto s = fleet_of(0, "no such plan");
  s.network.drift = 0.5;
  try {
    (void)simulation::run(s);
    FAIL();
  } catch (const switchgear::config_error& e) {
    const std::string what = e.what();
    for (const char* key : {"instances", "plan", "drift"}) EXPECT_NE(what.find(key), std::string::npos) << what;
  }
}

TEST(simulation_run, a_script_that_is_no_lua_is_refused) {
  auto s = fleet_of(2, "calm");
  s.script = "this is not lua";
  EXPECT_THROW((void)simulation::run(s), std::runtime_error);
}

}  // namespace
