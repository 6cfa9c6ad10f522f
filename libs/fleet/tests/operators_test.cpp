// SPDX-License-Identifier: Apache-2.0
#include "member_support.hpp"

namespace {

using namespace test_support;
using testing::ElementsAre;

class fleet_control : public member_test {
 protected:
  fleet::control control_{"redis://127.0.0.1:" + std::to_string(server_.port()), "test"};
};

TEST_F(fleet_control, of_an_empty_store_there_is_nothing_to_tell_and_it_stays_empty) {
  EXPECT_TRUE(control_.records().empty());
  EXPECT_TRUE(control_.members().empty());
  EXPECT_TRUE(control_.views("api").empty());
  EXPECT_EQ(control_.record_of("api").epoch, 0u);
  EXPECT_EQ(command({"DBSIZE"}).integer, 0);
}

TEST_F(fleet_control, an_action_reaches_the_circuits_of_the_fleet) {
  const auto a = make();
  auto one = a->circuits.get("api", quick_to_open());
  std::this_thread::sleep_for(300ms);
  const fleet::decision d = control_.operate("api", fleet::operator_action::force_open, "Ada", "maintenance", 10min);
  EXPECT_EQ(d.state, sg::state::forced_open);
  EXPECT_EQ(d.epoch, 1u);
  EXPECT_EQ(d.owner, "Ada");
  EXPECT_EQ(d.reason, "maintenance");
  EXPECT_EQ(d.cause, "operator");
  ASSERT_TRUE(d.remaining.has_value());
  EXPECT_GT(*d.remaining, 9min);
  EXPECT_TRUE(soon([&] { return one.state() == sg::state::forced_open; }, 5s));
  control_.operate("api", fleet::operator_action::close, "Ada", "done");
  EXPECT_TRUE(soon([&] { return one.state() == sg::state::closed; }, 5s));
}

TEST_F(fleet_control, an_action_waits_for_circuits_that_come_later) {
  control_.operate("api", fleet::operator_action::disable, "Ada", "unreliable");
  const auto a = make();
  auto one = a->circuits.get("api", quick_to_open());
  EXPECT_TRUE(soon([&] { return one.state() == sg::state::disabled; }, 5s));
}

TEST_F(fleet_control, it_sees_members_records_and_views) {
  const auto a = make(), b = make();
  auto one = a->circuits.get("api", quick_to_open()), two = b->circuits.get("api", quick_to_open());
  std::this_thread::sleep_for(300ms);
  fail(one, 3);
  ASSERT_TRUE(soon([&] { return control_.record_of("api").epoch == 1; }, 5s));
  ASSERT_EQ(control_.records().size(), 1u);
  const fleet::decision d = control_.records()[0];
  EXPECT_EQ(d.state, sg::state::open);
  EXPECT_EQ(d.failure_count, 3u);
  EXPECT_EQ(d.by, a->member->instance());
  std::vector<std::string> both{a->member->instance(), b->member->instance()};
  std::sort(both.begin(), both.end());
  EXPECT_EQ(control_.members(), both);
  EXPECT_TRUE(soon([&] { return control_.views("api").size() == 2; }, 5s));
}

TEST_F(fleet_control, more_records_than_fit_into_one_answer_all_come) {
  for (int i = 0; i < 1100; ++i) control_.operate("c" + std::to_string(i), fleet::operator_action::close, "", "");
  EXPECT_EQ(control_.records().size(), 1100u);
}

TEST_F(fleet_control, it_connects_again_to_a_server_that_was_restarted) {
  EXPECT_TRUE(control_.members().empty());
  server_.restart_empty();
  EXPECT_TRUE(control_.members().empty());
}

TEST_F(fleet_control, a_server_that_hangs_is_given_up_in_time) {
  fleet::control impatient("redis://127.0.0.1:" + std::to_string(server_.port()), "test", 200ms);
  server_.stop();
  const auto start = real_clock::now();
  EXPECT_THROW((void)impatient.members(), sg::redis::io_timeout);
  EXPECT_LT(ms_since(start), 1000);
}

TEST_F(fleet_control, what_is_wrong_is_refused_before_anybody_is_asked) {
  EXPECT_THROW((void)control_.record_of(""), sg::config_error);
  EXPECT_THROW((void)control_.views("a\nb"), sg::config_error);
  EXPECT_THROW(control_.operate("", fleet::operator_action::close, "", ""), sg::config_error);
  EXPECT_THROW(control_.operate("api", fleet::operator_action::disable, "", "", 0s), sg::config_error);
  EXPECT_THROW(fleet::control("http://127.0.0.1"), sg::config_error);
  EXPECT_THROW(fleet::control("redis://127.0.0.1", "no spaces please"), sg::config_error);
  EXPECT_THROW(fleet::control("redis://127.0.0.1", "test", 0s), sg::config_error);
}

}  // namespace
