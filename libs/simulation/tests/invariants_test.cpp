// SPDX-License-Identifier: Apache-2.0
#include <switchgear/simulation/report.hpp>

#include "script.hpp"

using namespace std::chrono_literals;
namespace simulation = switchgear::simulation;
namespace fleet = switchgear::fleet;

namespace {

simulation::settings small(std::string plan, std::uint64_t seed) {
  simulation::settings s;
  s.instances = 10;
  s.duration = 60s;
  s.calls_per_second = 4;
  s.plan = std::move(plan);
  s.seed = seed;
  return s;
}

std::string broken(const simulation::report& r) {
  if (!r.violated) return {};
  std::string out = r.violated->rule + ": " + r.violated->what + " (" + r.violated->instance + ")";
  for (const auto& e : r.violated->events) out += "\n  " + e;
  return out;
}

/// The script of the store with one mistake in it.
std::string script_with(std::string_view right, std::string_view wrong) {
  std::string text(fleet::script_text());
  const std::size_t at = text.find(right);
  if (at == std::string::npos) throw std::logic_error("the script has changed: " + std::string(right));
  return text.replace(at, right.size(), wrong);
}

/// The rule that the first of some runs breaks.
std::string first_broken(simulation::settings s, int seeds) {
  for (int i = 0; i < seeds; ++i) {
    const auto r = simulation::run(s);
    if (r.violated) return r.violated->rule;
    ++s.seed;
  }
  return {};
}

class simulation_invariants : public testing::TestWithParam<simulation::plan_name> {};

TEST_P(simulation_invariants, hold_in_every_mode) {
  for (const auto mode : {fleet::sharing::any, fleet::sharing::quorum, fleet::sharing::evidence, fleet::sharing::local}) {
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
      auto s = small(std::string(GetParam().name), seed);
      s.fleet.opening = mode;
      s.circuit.half_open_max_calls = static_cast<std::int64_t>(seed);
      EXPECT_EQ(broken(simulation::run(s)), "") << "seed " << seed << " mode " << static_cast<int>(mode);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(plans, simulation_invariants, testing::ValuesIn(simulation::plan_names()), [](const auto& info) {
  std::string name(info.param.name);
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
});

TEST(simulation_chaos, breaks_no_invariant_with_many_seeds) {
  for (std::uint64_t seed = 100; seed < 130; ++seed) {
    auto s = small("chaos", seed);
    EXPECT_EQ(broken(simulation::run(s)), "") << "seed " << seed;
  }
}

TEST(simulation_chaos, breaks_no_invariant_with_clocks_that_are_off_by_two_percent_and_a_bad_network) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    auto s = small("chaos", seed);
    s.network.drift = 0.02;
    s.network.loss = 0.02;
    s.network.resets = 0.002;
    EXPECT_EQ(broken(simulation::run(s)), "") << "seed " << seed;
  }
}

// --- that the checks can fail ---

TEST(simulation_mistakes, a_script_that_ignores_the_limit_is_found_out) {
  auto s = small("outage", 1);
  s.instances = 40;
  const std::string rest = ", token, lease_ms)\n  end\nend\n\n-- keep";
  s.script = script_with("if not free then return busy(r, soonest) end\n    return grant(r, free" + rest,
                         "return grant(r, free or 1" + rest);
  EXPECT_EQ(first_broken(s, 10), "never more probes than the limit");
}

TEST(simulation_mistakes, a_script_without_a_quarantine_is_found_out) {
  auto s = small("chaos", 1);
  s.script = script_with("if quarantine >= 0 then return busy(r, quarantine) end", "");
  s.upstream.fails_after = 800ms;  // probes that are on their way while the store is lost
  EXPECT_NE(first_broken(s, 150), "");
}

TEST(simulation_mistakes, a_script_that_publishes_nothing_and_forgets_what_changed_is_found_out) {
  auto s = small("outage", 1);
  s.script = script_with("call('PUBLISH', prefix .. 'news', table.concat(message, '\\n'))", "");
  std::string text = s.script;
  const std::string listed = "call('ZADD', prefix .. 'changes', whole(r.version), r.name)";
  ASSERT_NE(text.find(listed), std::string::npos);
  s.script = text.replace(text.find(listed), listed.size(), "");
  EXPECT_EQ(first_broken(s, 3), "agreement after healing");
}

TEST(simulation_mistakes, a_script_that_never_grants_a_lease_is_found_out) {
  auto s = small("outage", 1);
  s.duration = 180s;
  s.script = script_with("if r.remaining > 0 then return busy(r, r.remaining) end", "if true then return busy(r, 100) end");
  EXPECT_EQ(first_broken(s, 1), "a recovery gets on");
}

TEST(simulation_mistakes, a_script_that_raises_an_error_is_no_link) {
  auto s = small("calm", 1);
  s.script = "return redis.call('GET')";
  EXPECT_EQ(first_broken(s, 1), "agreement after healing");
}

}  // namespace
