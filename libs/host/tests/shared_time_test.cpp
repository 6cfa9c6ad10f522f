// SPDX-License-Identifier: Apache-2.0
#include "shared_fixture.hpp"

namespace switchgear::host::tests {
namespace {

class shared_time : public shared_tests {
 protected:
  /// The host is down for a while; its monotonic clock starts again.
  clock_source after_reboot(std::chrono::nanoseconds down, testing::manual_clock& fresh) {
    const std::int64_t wall = wall_at_0 + clock.now().count() + down.count();
    return [&fresh, wall] { return moment{{2}, fresh.now().count(), wall + fresh.now().count()}; };
  }
};

TEST_F(shared_time, an_open_period_goes_on_over_a_restart_of_all) {
  {
    const auto shared = open();
    fail(*breaker(*shared), 2);
  }
  clock.advance(9s);
  const auto shared = open();
  const auto b = breaker(*shared);
  EXPECT_EQ(b->snapshot().retry_after, 1s);
  clock.advance(1s);
  EXPECT_TRUE(b->try_acquire());
}

TEST_F(shared_time, goes_on_by_the_wall_clock_over_a_reboot) {
  {
    const auto shared = open();
    fail(*breaker(*shared, "payments", {.failure_threshold = 2, .open_duration = 60s, .success_threshold = 1}), 2);
  }
  testing::manual_clock fresh(3s);
  const auto source = after_reboot(30s, fresh);
  const auto views = read_shared_circuits(folder, shared_file_name_of("shop"), source).circuits;
  EXPECT_EQ(views.at(0).snapshot.state, state::open);
  const auto shared = shared_circuits::open(folder, "shop", small, source);
  const auto b = shared->breaker("payments", {}, {}, fresh);
  EXPECT_TRUE(b->is_open());
  EXPECT_LE(*b->snapshot().retry_after, 28s);
  EXPECT_GE(*b->snapshot().retry_after, 26s);
  fresh.advance(28s);
  EXPECT_TRUE(b->try_acquire());
}

TEST_F(shared_time, never_goes_back_even_when_the_wall_clock_does) {
  std::int64_t since = 0;
  {
    const auto shared = open();
    const auto b = breaker(*shared);
    clock.advance(1h);
    fail(*b, 2);
    since = static_cast<std::int64_t>(open_raw()->record(0).block().since.load() >> 4);
  }
  testing::manual_clock fresh(1s);
  const auto shared = shared_circuits::open(folder, "shop", small, after_reboot(-5h, fresh));
  const auto b = shared->breaker("payments", {}, {}, fresh);
  EXPECT_TRUE(b->is_open());
  EXPECT_LE(*b->snapshot().retry_after, 10s);
  EXPECT_GE(b->snapshot().time_in_state, 0s);
  const auto raw = shared_file::open(folder, shared_file_name_of("shop"), nullptr, after_reboot(-5h, fresh));
  EXPECT_GE(raw->timeline(raw->read_clock()), since);
}

TEST_F(shared_time, a_file_that_is_open_in_another_boot_is_refused) {
  const auto shared = open();
  testing::manual_clock fresh(3s);
  const state_error e = error_of([&] { shared_circuits::open(folder, "shop", small, after_reboot(1s, fresh)); });
  EXPECT_EQ(e.what_kind(), state_error::kind::refused);
  EXPECT_NE(std::string(e.what()).find("another boot"), std::string::npos) << e.what();
}

TEST_F(shared_time, a_rebase_that_was_killed_half_way_is_done_again) {
  {
    const auto shared = open();
    breaker(*shared);
    const auto raw = open_raw();
    raw->header().origin.store(12345);  // its first store
  }
  testing::manual_clock fresh(3s);
  EXPECT_NO_THROW(shared_circuits::open(folder, "shop", small, after_reboot(1s, fresh)));
}

TEST_F(shared_time, the_real_clock_is_the_one_of_the_breakers) {
  const auto shared = shared_circuits::open(folder, "shop", small);
  const auto b = shared->breaker("payments", {.failure_threshold = 1, .open_duration = 1h});
  fail(*b);
  EXPECT_GT(*b->snapshot().retry_after, 59min);
  EXPECT_LT(b->snapshot().time_in_state, 1min);
  const auto view = read_shared_circuits(folder, shared_file_name_of("shop")).circuits.at(0).snapshot;
  EXPECT_GT(*view.retry_after, 59min);
  EXPECT_LT(std::chrono::abs(*view.last_failure_time - std::chrono::system_clock::now()), 1min);
}

}  // namespace
}  // namespace switchgear::host::tests
