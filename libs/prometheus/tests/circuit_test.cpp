// SPDX-License-Identifier: Apache-2.0
#include "exposition.hpp"

#include <switchgear/prometheus_collector.hpp>
#include <switchgear/testing/breakers.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using sg::testing::settle_times;

struct prometheus_circuits : testing::Test {
  [[nodiscard]] exposition::page read() const {
    return exposition::page(sg::to_prometheus_text(sg::prometheus_collector(circuits).Collect()));
  }
  [[nodiscard]] std::optional<double> read(const std::string& name, exposition::labels more = {}) const {
    more["name"] = "orders";
    return read()("switchgear_circuit_" + name, more);
  }
  /// Reads like the state topic: the one state that is 1.
  [[nodiscard]] std::string state() const {
    std::string out;
    for (const char* s : {"closed", "open", "half_open", "forced_open", "disabled"}) {
      if (read("state", {{"state", s}}) == 1) out += s;
    }
    return out;
  }
  [[nodiscard]] std::optional<double> calls(const std::string& outcome) const {
    return read("calls_total", {{"outcome", outcome}});
  }
  void open() { settle_times(*orders, 2, sg::verdict::failure); }

  sg::testing::manual_clock clock;
  sg::registry circuits{{.environment = sg::variables{}}, clock};
  sg::breaker_handle orders = circuits.get("orders", sg::testing::small_config());
};

TEST_F(prometheus_circuits, show_the_one_state_as_1_and_the_four_others_as_0) {
  EXPECT_EQ(state(), "closed");
  EXPECT_EQ(read("state", {{"state", "open"}}), 0);
  open();
  EXPECT_EQ(state(), "open");
  EXPECT_EQ(read("state", {{"state", "closed"}}), 0);
  clock.advance(30s);
  settle_times(*orders, 0, sg::verdict::success);
  EXPECT_EQ(orders->state(), sg::state::half_open);
  EXPECT_EQ(state(), "half_open");
  orders->force_open("maintenance");
  EXPECT_EQ(state(), "forced_open");
  orders->disable("trusted");
  EXPECT_EQ(state(), "disabled");
}

TEST_F(prometheus_circuits, count_each_call_under_one_outcome) {
  settle_times(*orders, 3, sg::verdict::success);
  settle_times(*orders, 4, sg::verdict::ignored);
  settle_times(*orders, 1, sg::verdict::abandoned);
  settle_times(*orders, 1, sg::verdict::failure);
  settle_times(*orders, 1, sg::verdict::timeout);
  settle_times(*orders, 5, sg::verdict::success);
  EXPECT_EQ(calls("success"), 3);
  EXPECT_EQ(calls("failure"), 2);
  EXPECT_EQ(calls("ignored"), 4);
  EXPECT_EQ(calls("abandoned"), 1);
  EXPECT_EQ(calls("rejected"), 5);
  EXPECT_EQ(read("timeouts_total"), 1);
  EXPECT_EQ(read("transitions_total"), 1);
}

TEST_F(prometheus_circuits, say_what_the_circuit_judges_by) {
  settle_times(*orders, 3, sg::verdict::success);
  settle_times(*orders, 1, sg::verdict::failure);
  EXPECT_EQ(read("window_calls"), 4);
  EXPECT_EQ(read("window_failures"), 1);
  EXPECT_EQ(read("window_slow"), 0);
  EXPECT_EQ(read("window_failure_ratio"), 0.25);
  EXPECT_EQ(read("window_slow_ratio"), 0);
  EXPECT_EQ(read("consecutive_failures"), 1);
}

TEST_F(prometheus_circuits, give_times_in_seconds) {
  clock.advance(1500ms);
  EXPECT_EQ(read("time_in_state_seconds"), 1.5);
  open();
  clock.advance(250ms);
  EXPECT_EQ(read("time_in_state_seconds"), 0.25);
  EXPECT_EQ(read("retry_after_seconds"), 29.75);
}

TEST_F(prometheus_circuits, leave_out_what_there_is_not) {
  EXPECT_EQ(read("retry_after_seconds"), std::nullopt);
  EXPECT_EQ(read("last_failure_timestamp_seconds"), std::nullopt);
  EXPECT_EQ(read("override_until_timestamp_seconds"), std::nullopt);
  settle_times(*orders, 1, sg::verdict::failure);
  EXPECT_NE(read("last_failure_timestamp_seconds"), std::nullopt);
}

TEST_F(prometheus_circuits, count_slow_calls) {
  const auto slow = circuits.get("slow", {.slow_call_duration = 1s});
  {
    sg::permit p = slow->try_acquire();
    clock.advance(2s);
    p.success();
  }
  const auto page = read();
  EXPECT_EQ(page("switchgear_circuit_slow_calls_total", {{"name", "slow"}}), 1);
  EXPECT_EQ(page("switchgear_circuit_window_slow_ratio", {{"name", "slow"}}), 1);
}

TEST_F(prometheus_circuits, count_results_of_another_generation_as_late) {
  sg::permit before = orders->try_acquire();
  open();
  before.success();
  EXPECT_EQ(read("late_results_total"), 1);
}

TEST_F(prometheus_circuits, show_probes_that_are_out_and_count_those_that_expire) {
  open();
  clock.advance(30s);
  sg::permit probe = orders->try_acquire();
  EXPECT_EQ(read("probes_in_flight"), 1);
  clock.advance(31s);
  sg::permit next = orders->try_acquire();
  EXPECT_EQ(read("expired_probes_total"), 1);
}

TEST_F(prometheus_circuits, count_what_a_shadow_would_have_rejected) {
  sg::config judging = sg::testing::small_config();
  judging.shadow = true;
  const auto shadow = circuits.get("shadow", judging);
  settle_times(*shadow, 2, sg::verdict::failure);
  settle_times(*shadow, 3, sg::verdict::success);
  EXPECT_EQ(read()("switchgear_circuit_would_reject_total", {{"name", "shadow"}}), 3);
}

TEST_F(prometheus_circuits, show_an_override_without_its_owner_and_reason) {
  EXPECT_EQ(read("override_active"), 0);
  orders->force_open("maintenance of the shelves", "alice", 5min);
  EXPECT_EQ(read("override_active"), 1);
  EXPECT_NE(read("override_until_timestamp_seconds"), std::nullopt);
  const std::string text = sg::to_prometheus_text(sg::prometheus_collector(circuits).Collect());
  EXPECT_EQ(text.find("alice"), std::string::npos);
  EXPECT_EQ(text.find("shelves"), std::string::npos);
}

TEST_F(prometheus_circuits, begin_again_at_0_after_reset_metrics_alone) {
  open();
  clock.advance(1h);
  orders->reset();
  EXPECT_EQ(calls("failure"), 2);
  orders->reset_metrics();
  EXPECT_EQ(calls("failure"), 0);
}

TEST_F(prometheus_circuits, grow_a_generation_with_each_transition) {
  const auto before = read("generation");
  open();
  EXPECT_EQ(read("generation"), *before + 1);
}

TEST_F(prometheus_circuits, come_with_what_the_registry_has_done) {
  circuits.get("another");
  circuits.remove("another");
  const auto page = read();
  EXPECT_EQ(page("switchgear_circuits"), 1);
  EXPECT_EQ(page("switchgear_registry_breakers"), 1);
  EXPECT_EQ(page("switchgear_registry_created_total"), 2);
  EXPECT_EQ(page("switchgear_registry_removed_total"), 1);
}

}  // namespace
