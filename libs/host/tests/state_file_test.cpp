// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <atomic>
#include <csignal>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace switchgear::host::tests {
namespace {

TEST_F(state_file_tests, opens_after_failures_and_recovers_through_a_probe) {
  state_file file = open();
  call(file, verdict::failure);
  admission a = file.acquire();
  const settlement opened = file.settle(a.permit, verdict::failure, "exit status 3");
  ASSERT_EQ(opened.changes.size(), 1u);
  EXPECT_EQ(opened.changes[0].reason, "2 consecutive failures (threshold 2)");
  EXPECT_EQ(view().snapshot.last_failure, "exit status 3");

  a = file.acquire();
  EXPECT_FALSE(a.admitted());
  EXPECT_EQ(a.rejection.reason, rejection_reason::open);
  EXPECT_EQ(a.rejection.retry_after, std::chrono::nanoseconds(10s).count());
  EXPECT_EQ(a.reason, "2 consecutive failures (threshold 2)");

  host.pass(10s);
  EXPECT_EQ(state_of(), state::half_open);  // told without being done
  EXPECT_EQ(view().snapshot.generation, 1u);
  a = file.acquire();
  EXPECT_EQ(a.permit.is, machine::grant::kind::probe);
  EXPECT_FALSE(file.acquire().admitted());
  EXPECT_EQ(file.settle(a.permit, verdict::success).changes.size(), 1u);

  const auto history = view().snapshot.state_changes;
  ASSERT_EQ(history.size(), 3u);
  EXPECT_EQ(history[0].to_state, state::open);
  EXPECT_EQ(history[0].failure_count, 2u);
  EXPECT_EQ(history[1].to_state, state::half_open);
  EXPECT_EQ(history[2].to_state, state::closed);
  EXPECT_EQ(history[2].generation, 3u);
}

TEST_F(state_file_tests, is_one_circuit_for_all_who_open_it) {
  state_file one = open();
  state_file two = open();
  call(one, verdict::failure);
  call(two, verdict::failure);
  EXPECT_FALSE(one.acquire().admitted());
  EXPECT_FALSE(two.acquire().admitted());
  EXPECT_EQ(view().snapshot.metrics.rejections, 2u);
}

TEST_F(state_file_tests, outlives_everybody_who_had_it_open) {
  {
    state_file file = open();
    trip_by_failures(file);
  }
  EXPECT_FALSE(open().acquire().admitted());
}

TEST_F(state_file_tests, a_probe_that_never_comes_back_frees_its_slot_when_its_lease_ends) {
  state_file file = open();
  trip_by_failures(file);
  host.pass(10s);
  const admission lost = file.acquire();
  ASSERT_TRUE(lost.admitted());
  host.pass(10s - 1ns);
  EXPECT_FALSE(file.acquire().admitted());
  host.pass(1ns);
  const admission next = file.acquire();
  EXPECT_TRUE(next.admitted());
  const settlement late = file.settle(lost.permit, verdict::failure, "too late");
  EXPECT_TRUE(late.late);
  EXPECT_TRUE(late.lease_ended);
  EXPECT_EQ(state_of(), state::half_open);
  EXPECT_EQ(view().snapshot.metrics.expired_probes, 1u);
}

TEST_F(state_file_tests, reconfiguring_keeps_what_is_not_named_and_all_that_is_known) {
  state_file file = open();
  call(file, verdict::failure);
  const std::vector<config_patch> layers = {config_patch{}.set("window", raw_value::untyped("5")),
                                            config_patch{}.set("failure_threshold", raw_value::untyped("3"))};
  std::vector<problem> problems;
  admission a = file.acquire(layers, problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(a.configuration.failure_threshold, 3);
  EXPECT_EQ(a.configuration.open_duration, 10s);
  file.settle(a.permit, verdict::failure);
  const auto seen = view();
  EXPECT_EQ(seen.snapshot.consecutive_failures, 2u);
  EXPECT_EQ(seen.snapshot.window.failures, 2u);
  EXPECT_EQ(seen.configuration.window, calls(5));
  a = file.acquire();
  EXPECT_EQ(file.settle(a.permit, verdict::failure).changes.size(), 1u);
}

TEST_F(state_file_tests, a_smaller_count_window_keeps_the_newest_verdicts_and_a_time_window_starts_empty) {
  config c = two_failures();
  c.failure_threshold = 100;
  state_file file = open(c);
  for (int i = 0; i < 40; ++i) call(file, i < 38 ? verdict::failure : verdict::success);
  EXPECT_TRUE(file.reconfigure(std::vector{config_patch{}.set("window", raw_value::untyped("3"))}).empty());
  EXPECT_EQ(view().snapshot.window.calls, 3u);
  EXPECT_EQ(view().snapshot.window.failures, 1u);
  EXPECT_TRUE(file.reconfigure(std::vector{config_patch{}.set("window", raw_value::untyped("60s"))}).empty());
  EXPECT_EQ(view().snapshot.window.calls, 0u);
  call(file, verdict::failure);
  EXPECT_EQ(view().snapshot.window.failures, 1u);
  host.pass(2min);
  EXPECT_EQ(view().snapshot.window.failures, 0u);
}

TEST_F(state_file_tests, an_invalid_reconfiguration_changes_nothing) {
  state_file file = open();
  const auto before = bytes_of(path_of());
  std::vector<problem> problems;
  const std::vector layers = {config_patch{}.set("failure_threshold", raw_value::untyped("-1"))};
  const admission a = file.acquire(layers, problems);
  EXPECT_FALSE(a.admitted());
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].key, "failure_threshold");
  EXPECT_EQ(view().configuration, two_failures());
  EXPECT_EQ(view().snapshot.metrics.total_calls(), 0u);
}

TEST_F(state_file_tests, overrides_carry_who_why_and_until_when) {
  state_file file = open();
  EXPECT_TRUE(file.force_open("deploy of the evening", "anna", 1h).acted);
  auto seen = view().snapshot;
  ASSERT_TRUE(seen.operator_override);
  EXPECT_EQ(seen.operator_override->owner, "anna");
  EXPECT_EQ(seen.operator_override->reason, "deploy of the evening");
  EXPECT_EQ(std::chrono::nanoseconds(seen.operator_override->until->time_since_epoch()).count(),
            host.at->wall + std::chrono::nanoseconds(1h).count());
  const admission a = file.acquire();
  EXPECT_EQ(a.rejection.reason, rejection_reason::forced_open);
  EXPECT_EQ(a.owner, "anna");

  const operation again = file.force_open("longer", "bert", 2h);
  EXPECT_TRUE(again.acted);
  EXPECT_TRUE(again.renewed);
  EXPECT_TRUE(again.changes.empty());
  EXPECT_EQ(view().snapshot.operator_override->owner, "bert");

  host.pass(2h);
  EXPECT_EQ(state_of(), state::closed);
  EXPECT_FALSE(view().snapshot.operator_override);
  EXPECT_TRUE(file.acquire().admitted());
  EXPECT_FALSE(file.release("nothing there").acted);
}

TEST_F(state_file_tests, operators_act_only_where_there_is_something_to_do) {
  state_file file = open();
  EXPECT_TRUE(file.trip("maintenance").acted);
  EXPECT_FALSE(file.trip("again").acted);
  EXPECT_EQ(view().reason, "maintenance");
  EXPECT_EQ(view().snapshot.state_changes.back().reason, "maintenance");
  EXPECT_FALSE(file.release("no override").acted);
  EXPECT_TRUE(file.reset("done").acted);
  EXPECT_EQ(state_of(), state::closed);
  EXPECT_TRUE(file.disable("noise", "anna", std::nullopt).acted);
  EXPECT_TRUE(file.release("quiet").acted);
  EXPECT_EQ(view().snapshot.state_changes.size(), 4u);
  file.reset_metrics();
  EXPECT_EQ(view().snapshot.metrics.transitions, 0u);
}

TEST_F(state_file_tests, an_action_that_is_due_is_told_before_the_one_that_was_asked_for) {
  state_file file = open();
  file.disable("for a while", "anna", 1s);
  host.pass(1s);
  const operation o = file.trip("now");
  ASSERT_EQ(o.changes.size(), 2u);
  EXPECT_EQ(o.changes[0].reason, "time-to-live of the override ended");
  EXPECT_EQ(o.changes[1].reason, "now");
}

TEST_F(state_file_tests, texts_are_bounded_and_stay_one_line_of_utf8) {
  state_file file = open();
  std::string reason = "a\x1b[31m\nb\xff";
  for (int i = 0; i < 1000; ++i) reason += "ä€";
  file.force_open(reason, std::string(5000, 'x'), std::nullopt);
  const auto seen = view().snapshot;
  ASSERT_TRUE(seen.operator_override);
  EXPECT_TRUE(seen.operator_override->reason.starts_with("a [31m b?ä€"));
  EXPECT_TRUE(seen.operator_override->reason.ends_with("…"));
  EXPECT_LE(seen.operator_override->reason.size(), 510u);
  EXPECT_GE(seen.operator_override->reason.size(), 500u);
  EXPECT_EQ(seen.operator_override->owner.size(), 254u);
  EXPECT_LE(seen.state_changes.back().reason.size(), 280u);
  EXPECT_TRUE(seen.state_changes.back().reason.ends_with("…"));
}

TEST_F(state_file_tests, history_keeps_the_newest_transitions) {
  config c = two_failures();
  c.state_history = 5;
  state_file file = open(c);
  for (int i = 0; i < 4; ++i) {
    file.trip("trip " + std::to_string(i));
    file.reset("reset " + std::to_string(i));
  }
  auto history = view().snapshot.state_changes;
  ASSERT_EQ(history.size(), 5u);
  EXPECT_EQ(history.front().reason, "reset 1");
  EXPECT_EQ(history.back().reason, "reset 3");
  EXPECT_TRUE(file.reconfigure(std::vector{config_patch{}.set("state_history", raw_value::untyped("100000"))}).empty());
  for (int i = 0; i < 700; ++i) {
    file.trip("x");
    file.reset("y");
  }
  EXPECT_EQ(view().snapshot.state_changes.size(), 1000u);
  EXPECT_NO_THROW(open());
  EXPECT_TRUE(file.reconfigure(std::vector{config_patch{}.set("state_history", raw_value::untyped("0"))}).empty());
  file.trip("x");
  EXPECT_TRUE(view().snapshot.state_changes.empty());
}

TEST_F(state_file_tests, a_circuit_that_is_not_enabled_counts_nothing) {
  config c = two_failures();
  c.enabled = false;
  state_file file = open(c);
  for (int i = 0; i < 5; ++i) call(file, verdict::failure);
  EXPECT_EQ(state_of(), state::disabled);
  EXPECT_EQ(view().snapshot.metrics.total_calls(), 0u);
  EXPECT_FALSE(view().snapshot.operator_override);
  EXPECT_FALSE(file.trip("x").enabled);
}

TEST_F(state_file_tests, a_file_of_another_circuit_is_refused) {
  open();
  std::filesystem::copy_file(path_of(), path_of("other"));
  EXPECT_THROW(open(two_failures(), "other"), state_error);
  EXPECT_THROW(view("other"), state_error);
}

TEST_F(state_file_tests, a_file_cut_short_while_it_is_open_is_an_error_and_no_crash) {
  state_file file = open();
  std::filesystem::resize_file(path_of(), 100);
  EXPECT_THROW((void)file.acquire(), state_error);
}

TEST_F(state_file_tests, many_threads_with_files_of_their_own_lose_no_verdict) {
  config c;
  c.failure_threshold = 0;
  c.failure_count_threshold = 1'000'000;
  open(c);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      state_file file = open(c);
      for (int i = 0; i < 200; ++i) {
        const admission a = file.acquire();
        file.settle(a.permit, i % 2 == 0 ? verdict::success : verdict::failure);
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(view().snapshot.metrics.successes, 400u);
  EXPECT_EQ(view().snapshot.metrics.failures, 400u);
}

// A process that is killed at any moment of any operation leaves a file that the next one goes on with.
TEST_F(state_file_tests, survives_processes_killed_in_the_middle) {
  open();
  for (int round = 0; round < 60; ++round) {
    int steps[2];
    ASSERT_EQ(::pipe(steps), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(steps[0]);  // so that it ends with its reader, whatever becomes of the test
      state_file file = open();
      for (;;) {
        const admission a = file.acquire();
        if (a.admitted()) file.settle(a.permit, verdict::failure, "killed");
        file.reset("again");
        if (::write(steps[1], "x", 1) != 1) ::_exit(1);
      }
    }
    char step = 0;
    for (int i = 0; i < 1 + round % 7; ++i) ASSERT_EQ(::read(steps[0], &step, 1), 1);
    std::atomic<int> spin{0};  // somewhere in the next one
    while (spin.fetch_add(1) < round * 97) {
    }
    ::kill(child, SIGKILL);
    ::close(steps[0]);
    ::close(steps[1]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_NO_THROW(view()) << round;
    state_file file = open();
    ASSERT_TRUE(file.reset("a new round").acted);
    ASSERT_TRUE(file.acquire().admitted());
  }
  EXPECT_GT(view().snapshot.metrics.failures, 10u);
}

}  // namespace
}  // namespace switchgear::host::tests
