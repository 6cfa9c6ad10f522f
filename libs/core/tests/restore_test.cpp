// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

// What a breaker that took up a saved state does next; what is saved and refused is in saved_state_test.cpp.

namespace {

using namespace shell;

TEST(restore, reset_metrics_also_takes_off_what_a_restored_state_brought) {
  sg::circuit_breaker old{"payments"};
  succeed_times(old, 7);
  sg::circuit_breaker breaker{"payments"};
  EXPECT_EQ(breaker.restore(old.save(), 0s), "");
  EXPECT_EQ(breaker.snapshot().metrics.successes, 7u);
  breaker.reset_metrics();
  EXPECT_EQ(breaker.snapshot().metrics.successes, 0u);
}

TEST(restore, refuses_a_saved_generation_that_would_read_as_older_than_a_fresh_block) {
  sg::circuit_breaker breaker{"payments"};
  sg::saved_state saved = breaker.save();
  saved.generation = (std::uint64_t{1} << 36) - 1;
  EXPECT_EQ(breaker.restore(saved, 0s), "");
  saved.generation = std::uint64_t{1} << 37;
  EXPECT_NE(breaker.restore(saved, 0s), "");
}

TEST(restore, judges_a_restored_window_at_the_first_verdict_also_a_success) {
  sg::config c;
  c.failure_threshold = 0;
  c.failure_rate_threshold = 0.9;
  c.window = sg::calls(10);
  sg::circuit_breaker lenient("payments", c);
  for (int i = 0; i < 5; ++i) {
    fail_times(lenient, 1);
    succeed_times(lenient, 1);
  }
  ASSERT_TRUE(lenient.is_closed());
  c.failure_rate_threshold = 0.3;
  sg::circuit_breaker strict("payments", c);
  EXPECT_EQ(strict.restore(lenient.save(), 0s), "");
  EXPECT_TRUE(strict.is_closed());
  succeed_times(strict, 1);
  EXPECT_TRUE(strict.is_open());
}

}  // namespace
