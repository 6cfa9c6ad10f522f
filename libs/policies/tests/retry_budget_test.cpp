// SPDX-License-Identifier: Apache-2.0
#include <switchgear/errors.hpp>
#include <switchgear/retry_budget.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace {

namespace sg = switchgear;

int spend_all(const sg::retry_budget& b, int tries = 10'000) {
  int spent = 0;
  while (tries-- > 0 && b.spend()) ++spent;
  return spent;
}

void earn(const sg::retry_budget& b, int calls) {
  for (int i = 0; i < calls; ++i) b.earn();
}

TEST(retry_budget, begins_with_its_reserve) {
  const sg::retry_budget b({.ratio = 0.1, .reserve = 3});
  EXPECT_EQ(spend_all(b), 3);
}

TEST(retry_budget, earns_its_ratio_with_each_call) {
  const sg::retry_budget b({.ratio = 0.1, .reserve = 0});
  earn(b, 9);
  EXPECT_FALSE(b.spend());
  earn(b, 1);
  EXPECT_TRUE(b.spend());
  EXPECT_FALSE(b.spend());
}

TEST(retry_budget, saves_no_more_than_its_limit) {
  const sg::retry_budget b({.ratio = 1.0, .reserve = 0, .max_saved = 5});
  earn(b, 1000);
  EXPECT_EQ(spend_all(b), 5);
}

TEST(retry_budget, with_a_ratio_of_zero_never_earns) {
  const sg::retry_budget b({.ratio = 0.0, .reserve = 0});
  earn(b, 1000);
  EXPECT_FALSE(b.spend());
}

TEST(retry_budget, copies_share_one_balance) {
  const sg::retry_budget b({.reserve = 1});
  const sg::retry_budget same = b;  // NOLINT: the copy is what is tested
  EXPECT_TRUE(same.spend());
  EXPECT_FALSE(b.spend());
}

TEST(retry_budget, counts_calls_retries_and_refusals) {
  const sg::retry_budget b({.ratio = 0.5, .reserve = 1});
  earn(b, 1);
  (void)b.spend();
  (void)b.spend();
  EXPECT_EQ(b.metrics().calls, 1u);
  EXPECT_EQ(b.metrics().retries, 1u);
  EXPECT_EQ(b.metrics().refused, 1u);
  EXPECT_DOUBLE_EQ(b.metrics().saved, 0.5);
}

TEST(retry_budget, takes_back_what_was_not_used) {
  const sg::retry_budget b({.ratio = 0, .reserve = 1});
  ASSERT_TRUE(b.spend());
  b.give_back();
  EXPECT_EQ(b.metrics().retries, 0u);
  EXPECT_EQ(spend_all(b), 1);
}

TEST(retry_budget, takes_back_no_more_than_it_gave) {
  const sg::retry_budget b({.ratio = 0, .reserve = 1});
  b.give_back();
  EXPECT_EQ(spend_all(b), 1);
}

TEST(retry_budget, tells_of_refusals) {
  const sg::retry_budget b({.name = "payments", .reserve = 0});
  std::vector<std::string> lines;
  const auto subscription = b.observe([&](const sg::policy_event& e) { lines.push_back(log_line(e)); });
  (void)b.spend();
  sg::drain_events();
  EXPECT_THAT(lines, testing::ElementsAre("retry_budget payments: rejected: retries would exceed their share of the traffic"));
}

TEST(retry_budget, refuses_bad_options_with_all_problems) {
  try {
    sg::retry_budget({.name = "", .ratio = 1.5, .reserve = -1, .max_saved = -1});
    FAIL();
  } catch (const sg::config_error& e) {
    ASSERT_EQ(e.problems().size(), 4u);
    EXPECT_EQ(e.problems()[0].message, "a policy needs a name");
    EXPECT_EQ(e.problems()[1].message, "out of range");
  }
}

TEST(retry_budget, never_pays_for_more_than_was_earned_while_threads_race) {
  const sg::retry_budget b({.ratio = 0.25, .reserve = 7, .max_saved = 1'000'000});
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 4000; ++i) {
        b.earn();
        (void)b.spend();
      }
    });
  }
  threads.clear();
  const auto m = b.metrics();
  EXPECT_EQ(m.calls, 16'000u);
  EXPECT_EQ(m.retries + m.refused, 16'000u);
  EXPECT_EQ(m.retries + static_cast<std::uint64_t>(spend_all(b)), 4007u);
}

}  // namespace
