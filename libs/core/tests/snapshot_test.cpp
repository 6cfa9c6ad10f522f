// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

namespace {

using namespace shell;
using testing::HasSubstr;

std::chrono::system_clock::time_point noon() {
  using namespace std::chrono;
  return sys_days(2026y / 1 / 18) + hours(12);
}

TEST(snapshot, of_a_new_circuit_is_all_zero) {
  const auto s = sg::circuit_breaker("payments").snapshot();
  EXPECT_EQ(s.name, "payments");
  EXPECT_EQ(s.state, sg::state::closed);
  EXPECT_EQ(s.metrics.total_calls(), 0u);
  EXPECT_EQ(s.window.calls, 0u);
  EXPECT_EQ(s.generation, 0u);
  EXPECT_FALSE(s.retry_after);
  EXPECT_FALSE(s.last_failure_time);
  EXPECT_EQ(s.last_failure, "");
  EXPECT_FALSE(s.operator_override);
  EXPECT_TRUE(s.state_changes.empty());
}

TEST(snapshot, is_accurate) {  // S3-37
  small_breaker t(small_with([](auto& c) { c.failure_threshold = 5; }));
  succeed_times(t.breaker, 3);
  fail_times(t.breaker, 2);
  t.breaker.try_acquire().timeout();
  t.breaker.try_acquire().ignore();
  (void)t.breaker.try_acquire();
  auto s = t.breaker.snapshot();
  EXPECT_EQ(s.metrics.successes, 3u);
  EXPECT_EQ(s.metrics.failures, 3u);
  EXPECT_EQ(s.metrics.timeouts, 1u);
  EXPECT_EQ(s.metrics.ignored, 1u);
  EXPECT_EQ(s.metrics.abandoned, 1u);
  EXPECT_EQ(s.metrics.total_calls(), 8u);
  EXPECT_EQ(s.window.calls, 6u);
  EXPECT_EQ(s.window.failures, 3u);
  EXPECT_EQ(s.consecutive_failures, 3u);
  t.open();
  (void)t.breaker.try_acquire();
  t.clock.advance(10s);
  s = t.breaker.snapshot();
  EXPECT_EQ(s.state, sg::state::open);
  EXPECT_EQ(s.metrics.rejections, 1u);
  EXPECT_EQ(s.metrics.transitions, 1u);
  EXPECT_EQ(s.retry_after, 20s);
  EXPECT_EQ(s.time_in_state, 10s);
  EXPECT_EQ(s.window.calls, 0u);
  EXPECT_EQ(s.consecutive_failures, 0u);
}

TEST(snapshot, counts_a_call_when_it_settles) {
  small_breaker t;
  auto permit = t.breaker.try_acquire();
  EXPECT_EQ(t.metrics().total_calls(), 0u);
  permit.success();
  EXPECT_EQ(t.metrics().total_calls(), 1u);
}

TEST(snapshot, of_a_circuit_whose_time_has_come_reads_half_open_since_then) {
  small_breaker t;
  t.open();
  t.clock.advance(35s);
  const auto s = t.breaker.snapshot();
  EXPECT_EQ(s.state, sg::state::half_open);
  EXPECT_EQ(s.time_in_state, 5s);
  EXPECT_FALSE(s.retry_after);
}

TEST(snapshot, of_an_override_that_is_over_reads_closed_since_then) {
  small_breaker t;
  t.breaker.force_open("maintenance", "alice", 10s);
  t.clock.advance(12s);
  EXPECT_EQ(t.breaker.snapshot().state, sg::state::closed);
  EXPECT_EQ(t.breaker.snapshot().time_in_state, 2s);
}

TEST(snapshot, of_a_half_open_circuit_shows_its_probes) {
  small_breaker t(small_with([](auto& c) {
    c.half_open_max_calls = 2;
    c.success_threshold = 3;
  }));
  t.half_open();
  succeed_times(t.breaker, 1);
  t.clock.advance(3s);
  const auto first = t.breaker.try_acquire();
  auto s = t.breaker.snapshot();
  EXPECT_EQ(s.half_open_successes, 1u);
  EXPECT_EQ(s.probes_in_flight, 1u);
  EXPECT_EQ(s.time_in_state, 3s);
  EXPECT_FALSE(s.retry_after);
  const auto second = t.breaker.try_acquire();
  s = t.breaker.snapshot();
  EXPECT_EQ(s.probes_in_flight, 2u);
  EXPECT_EQ(s.retry_after, 0s);
}

TEST(snapshot, shows_the_last_failure_and_when_it_was) {
  small_breaker t;
  t.breaker.try_acquire().failure("connection refused");
  t.clock.advance(1h);
  const auto s = t.breaker.snapshot();
  EXPECT_EQ(s.last_failure, "connection refused");
  const auto ago = std::chrono::system_clock::now() - s.last_failure_time.value();
  EXPECT_GT(ago, 59min);
  EXPECT_LT(ago, 61min);
}

TEST(rates, are_plain_quotients) {
  sg::lifetime_metrics m;
  m.successes = 2;
  m.failures = 1;
  m.ignored = 4;
  m.rejections = 3;
  EXPECT_DOUBLE_EQ(m.failure_rate(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(m.success_rate(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(m.rejection_rate(), 0.3);
}

TEST(rates, of_nothing_are_zero_and_the_success_rate_one) {
  const sg::lifetime_metrics m;
  EXPECT_EQ(m.failure_rate(), 0.0);
  EXPECT_EQ(m.success_rate(), 1.0);
  EXPECT_EQ(m.rejection_rate(), 0.0);
  EXPECT_EQ(sg::window_metrics{}.failure_rate(), 0.0);
  EXPECT_EQ(sg::window_metrics{}.slow_rate(), 0.0);
}

TEST(rates, leave_rejections_out_of_every_failure_rate) {
  sg::lifetime_metrics m;
  m.rejections = 100;
  EXPECT_EQ(m.failure_rate(), 0.0);
  EXPECT_EQ(m.success_rate(), 1.0);
  EXPECT_EQ(m.rejection_rate(), 1.0);
}

sg::snapshot full_snapshot() {
  sg::snapshot s;
  s.name = "payments";
  s.state = sg::state::open;
  s.metrics = {.successes = 6, .failures = 2, .timeouts = 1, .ignored = 3, .abandoned = 1, .slow_calls = 4,
               .rejections = 4, .would_reject = 5, .late_results = 7, .expired_probes = 8, .transitions = 9};
  s.window = {.calls = 4, .failures = 1, .slow = 2};
  s.generation = 11;
  s.consecutive_failures = 12;
  s.half_open_successes = 13;
  s.probes_in_flight = 14;
  s.retry_after = 1500ms;
  s.time_in_state = 250ms;
  s.last_failure_time = noon();
  s.last_failure = "connection refused";
  s.operator_override = sg::override_info{"alice", "maintenance", noon() + 1h};
  s.state_changes = {{sg::state::closed, sg::state::open, noon(), "2 consecutive failures (threshold 2)", 2, 11}};
  return s;
}

TEST(snapshot_json, has_the_form_of_the_contract) {
  EXPECT_EQ(
      to_json(full_snapshot()),
      R"j({"name":"payments","state":"open","metrics":{"total_calls":16,"successes":6,"failures":2,"timeouts":1,)j"
      R"j("ignored":3,"abandoned":1,"slow_calls":4,"rejections":4,"would_reject":5,"late_results":7,)j"
      R"j("expired_probes":8,"transitions":9,"failure_rate":0.25,"success_rate":0.75,"rejection_rate":0.25},)j"
      R"j("window":{"calls":4,"failures":1,"slow":2,"failure_rate":0.25,"slow_rate":0.5},)j"
      R"j("now":{"generation":11,"consecutive_failures":12,"half_open_successes":13,"probes_in_flight":14,)j"
      R"j("retry_after":1.5,"time_in_state":0.25,"last_failure_time":"2026-01-18T12:00:00.000Z",)j"
      R"j("last_failure":"connection refused",)j"
      R"j("override":{"owner":"alice","reason":"maintenance","until":"2026-01-18T13:00:00.000Z"}},)j"
      R"j("state_changes":[{"timestamp":"2026-01-18T12:00:00.000Z","from_state":"closed","to_state":"open",)j"
      R"j("reason":"2 consecutive failures (threshold 2)","failure_count":2,"generation":11}]})j");
}

TEST(snapshot_json, says_null_where_nothing_is_known) {
  const std::string json = to_json(sg::snapshot{});
  EXPECT_THAT(json, HasSubstr(R"("retry_after":null)"));
  EXPECT_THAT(json, HasSubstr(R"("last_failure_time":null,"last_failure":null,"override":null)"));
  EXPECT_THAT(json, HasSubstr(R"("state_changes":[])"));
  EXPECT_THAT(json, HasSubstr(R"("failure_rate":0,"success_rate":1,"rejection_rate":0)"));
}

TEST(snapshot_json, escapes_nasty_names_and_texts) {
  sg::snapshot s = full_snapshot();
  s.name = R"(a"b\c{}[],: ä€😀 </script>)";
  s.last_failure = "line\nbreak\ttab\x01\xff";
  s.operator_override->owner = "\"";
  s.state_changes[0].reason = "\\";
  const std::string json = to_json(s);
  EXPECT_THAT(json, HasSubstr(R"("name":"a\"b\\c{}[],: ä€😀 </script>")"));
  EXPECT_THAT(json, HasSubstr("\"last_failure\":\"line\\nbreak\\ttab\\u0001\xef\xbf\xbd\""));
  EXPECT_THAT(json, HasSubstr(R"("owner":"\"")"));
  EXPECT_THAT(json, HasSubstr(R"("reason":"\\")"));
}

TEST(snapshot, takes_any_valid_name) {
  const std::string name = R"(a"b\c{} ä€😀 ../../etc/passwd)";
  EXPECT_EQ(sg::circuit_breaker(name).snapshot().name, name);
}

}  // namespace
