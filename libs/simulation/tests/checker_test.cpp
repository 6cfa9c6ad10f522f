// SPDX-License-Identifier: Apache-2.0
#include "checker.hpp"

using namespace std::chrono_literals;
namespace simulation = switchgear::simulation;
namespace fleet = switchgear::fleet;

namespace {

constexpr std::int64_t second = 1'000'000'000;

class simulation_checker : public testing::Test {
 protected:
  simulation_checker() : node_(now_, 0, 0), other_(now_, 0, 0) {
    for (simulation::node* n : {&node_, &other_}) {
      n->name = n == &node_ ? "one" : "two";
      n->breaker = std::make_unique<switchgear::circuit_breaker>("upstream", switchgear::config{}, n->clock);
      n->agent = std::make_unique<fleet::agent>(fleet::options{}, n->name, n == &node_ ? 1 : 2);
      n->agent->add(*n->breaker);
    }
  }
  [[nodiscard]] std::string violated() const { return checker_.found() ? checker_.found()->rule : ""; }

  std::int64_t now_ = 0;
  simulation::node node_, other_;
  static constexpr simulation::bounds all_a_second{
      .notices = second, .agrees = second, .lags = second, .ramps = second, .probes_in = 10 * second};
  simulation::checker checker_{all_a_second, 1, now_};
};

TEST_F(simulation_checker, as_many_probes_as_the_limit_allows_are_no_violation) {
  const auto first = checker_.probe_leaves(node_, second);
  checker_.probe_ended(first);
  checker_.probe_leaves(other_, second);
  EXPECT_EQ(violated(), "");
}

TEST_F(simulation_checker, one_probe_more_than_the_limit_is_a_violation_that_names_the_holders) {
  checker_.probe_leaves(node_, second);
  checker_.probe_leaves(other_, second);
  ASSERT_EQ(violated(), "never more probes than the limit");
  EXPECT_NE(checker_.found()->what.find("one, two"), std::string::npos);
}

TEST_F(simulation_checker, a_lease_that_its_holder_does_not_believe_in_any_more_does_not_count) {
  checker_.probe_leaves(node_, second);
  now_ = second;
  checker_.probe_leaves(other_, 2 * second);
  EXPECT_EQ(violated(), "");
}

TEST_F(simulation_checker, an_epoch_that_goes_back_is_a_violation) {
  node_.epoch = 3;
  checker_.look(node_);  // its agent knows of no decision
  EXPECT_EQ(violated(), "epochs only grow");
}

TEST_F(simulation_checker, a_gate_without_a_link_is_a_violation) {
  using switchgear::machine::gate_word;
  checker_.look(node_);
  ASSERT_EQ(violated(), "");
  switchgear::detail::breaker_access::set_gate(*node_.breaker, gate_word{}, gate_word::make(gate_word::phase::shut));
  checker_.look(node_);
  EXPECT_EQ(violated(), "no gate is shut without a link");
}

TEST_F(simulation_checker, an_instance_that_does_not_notice_that_it_is_cut_off_is_a_violation) {
  node_.agent->link_up(0ns);
  node_.cut_since = 0;
  now_ = second;
  checker_.look(node_);
  EXPECT_EQ(violated(), "");
  now_ = second + 1;
  checker_.look(node_);
  EXPECT_EQ(violated(), "an isolated instance is on its own in time");
}

TEST_F(simulation_checker, an_instance_that_does_not_come_back_after_healing_is_a_violation) {
  now_ = second;
  checker_.look(node_);
  EXPECT_EQ(violated(), "");
  now_ = second + 1;
  checker_.look(node_);
  EXPECT_EQ(violated(), "agreement after healing");
}

TEST_F(simulation_checker, a_decision_that_an_undisturbed_instance_does_not_know_in_time_is_a_violation) {
  node_.agent->link_up(0ns);
  now_ = 2 * second;
  checker_.store_says({.epoch = 1, .state = "open", .due = false});
  now_ = 3 * second - 1;
  checker_.look(node_);
  EXPECT_EQ(violated(), "");
  now_ = 3 * second;
  checker_.look(node_);
  EXPECT_EQ(violated(), "agreement after healing");
}

TEST_F(simulation_checker, a_call_that_was_rejected_and_that_the_twin_admitted_is_a_violation) {
  checker_.compare(node_, true, true);
  checker_.compare(node_, false, false);
  EXPECT_EQ(violated(), "");
  checker_.compare(node_, false, true);
  EXPECT_EQ(violated(), "alone it is as if it had always been alone");
}

TEST_F(simulation_checker, a_recovery_that_does_not_get_on_is_a_violation) {
  now_ = 20 * second;
  checker_.progress(false);
  now_ = 30 * second;
  checker_.progress(true);
  EXPECT_EQ(violated(), "");
  now_ = 30 * second + 1;
  checker_.progress(true);
  EXPECT_EQ(violated(), "a recovery gets on");
}

TEST_F(simulation_checker, a_violation_shows_what_came_before_and_only_the_first_one_is_kept) {
  for (int i = 0; i < 200; ++i) checker_.note("one", "step", std::to_string(i));
  now_ = 5 * second;
  checker_.violate("first", "what", "one");
  checker_.violate("second", "what", "two");
  ASSERT_EQ(violated(), "first");
  EXPECT_EQ(checker_.found()->at, 5s);
  ASSERT_EQ(checker_.found()->events.size(), 64u);
  EXPECT_EQ(checker_.found()->events.back(), "0s one step 199");
}

}  // namespace
