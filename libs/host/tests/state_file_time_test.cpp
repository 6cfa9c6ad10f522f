// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

namespace switchgear::host::tests {
namespace {

class state_file_time : public state_file_tests {
 protected:
  void SetUp() override {
    state_file file = open();
    trip_by_failures(file);
  }
  std::chrono::nanoseconds left() { return view().snapshot.retry_after.value_or(0ns); }
};

TEST_F(state_file_time, wall_clock_jumps_do_not_matter_while_the_host_is_up) {
  for (const auto jump : {24h * 365, -24h * 700}) {
    host.at->wall += std::chrono::nanoseconds(jump).count();
    EXPECT_EQ(left(), 10s);
    EXPECT_FALSE(open().acquire().admitted());
  }
  host.pass(10s);
  EXPECT_EQ(state_of(), state::half_open);
}

TEST_F(state_file_time, goes_on_after_a_reboot_by_what_the_wall_clock_says) {
  host.reboot(3s, 1s);
  EXPECT_EQ(left(), 6s);
  EXPECT_FALSE(open().acquire().admitted());  // and from here on by the clock of the new boot
  host.pass(6s);
  EXPECT_TRUE(open().acquire().admitted());
}

TEST_F(state_file_time, a_wall_clock_set_back_over_a_reboot_neither_extends_nor_wedges) {
  host.reboot(-24h, 1s);
  EXPECT_EQ(left(), 9s);  // the new boot alone has lasted a second
  (void)open().acquire();
  host.pass(9s);
  EXPECT_TRUE(open().acquire().admitted());
}

TEST_F(state_file_time, a_wall_clock_gone_mad_over_a_reboot_does_not_use_up_the_timeline) {
  for (int i = 0; i < 30; ++i) {
    host.reboot(24h * 365 * 90, 1s);
    (void)open().acquire();
    host.reboot(-24h * 365 * 90, 1s);
    (void)open().acquire();
  }
  state_file file = open();
  file.reset("");
  trip_by_failures(file);
  EXPECT_EQ(left(), 10s);
  host.pass(10s);
  EXPECT_TRUE(open().acquire().admitted());
}

TEST_F(state_file_time, a_clock_of_the_same_boot_that_is_behind_does_not_wedge) {
  host.at->since_boot -= std::chrono::nanoseconds(10min).count();  // a container with a clock of its own
  EXPECT_EQ(left(), 10s);
  (void)open().acquire();
  host.pass(10s);
  EXPECT_TRUE(open().acquire().admitted());
}

TEST_F(state_file_time, in_state_counts_from_the_moment_at_which_the_state_was_due) {
  host.pass(12s);
  EXPECT_EQ(state_of(), state::half_open);
  EXPECT_EQ(view().snapshot.time_in_state, 2s);
}

TEST_F(state_file_time, reading_changes_not_one_byte) {
  host.pass(12s);
  const auto before = bytes_of(path_of());
  (void)view();
  EXPECT_EQ(bytes_of(path_of()), before);
}

}  // namespace
}  // namespace switchgear::host::tests
