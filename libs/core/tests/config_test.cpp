// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> keys_of(const sg::config& c) {
  std::vector<std::string> keys;
  for (const auto& p : c.validate()) keys.push_back(p.key);
  return keys;
}

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// `good` passes and `bad` is a problem of `key` and of nothing else.
#define EXPECT_EDGE(member, good, bad)                                             \
  do {                                                                             \
    sg::config edge_config;                                                        \
    edge_config.member = good;                                                     \
    EXPECT_THAT(keys_of(edge_config), IsEmpty()) << #member " = " #good;           \
    edge_config.member = bad;                                                      \
    EXPECT_THAT(keys_of(edge_config), ElementsAre(#member)) << #member " = " #bad; \
  } while (false)

TEST(config, has_the_defaults_of_the_contract) {
  const sg::config c;
  EXPECT_TRUE(c.enabled);
  EXPECT_FALSE(c.shadow);
  EXPECT_EQ(c.failure_threshold, 5);
  EXPECT_EQ(c.window, sg::calls(100));
  EXPECT_EQ(c.window_buckets, 10);
  EXPECT_FALSE(c.minimum_calls);
  EXPECT_EQ(c.failure_rate_threshold, 0.0);
  EXPECT_EQ(c.failure_count_threshold, 0);
  EXPECT_EQ(c.slow_call_duration, 0ns);
  EXPECT_FALSE(c.slow_call_rate_threshold);
  EXPECT_EQ(c.open_duration, 60s);
  EXPECT_EQ(c.open_duration_multiplier, 1.0);
  EXPECT_FALSE(c.max_open_duration);
  EXPECT_EQ(c.jitter, 0.0);
  EXPECT_EQ(c.min_reset_interval, 0ns);
  EXPECT_EQ(c.half_open_max_calls, 1);
  EXPECT_EQ(c.success_threshold, 2);
  EXPECT_FALSE(c.probe_timeout);
  EXPECT_EQ(c.call_timeout, 0ns);
  EXPECT_EQ(c.state_history, 1000);
  EXPECT_THAT(c.validate(), IsEmpty());
}

TEST(config, accepts_both_ends_of_every_count_and_refuses_what_lies_beyond) {
  EXPECT_EDGE(failure_threshold, 1 << 20, (1 << 20) + 1);
  EXPECT_EDGE(failure_threshold, 1, -1);
  EXPECT_EDGE(window_buckets, 1, 0);
  EXPECT_EDGE(window_buckets, 60, 61);
  EXPECT_EDGE(failure_count_threshold, 1 << 20, (1 << 20) + 1);
  EXPECT_EDGE(failure_count_threshold, 0, -1);
  EXPECT_EDGE(half_open_max_calls, 1, 0);
  EXPECT_EDGE(half_open_max_calls, 1000, 1001);
  EXPECT_EDGE(success_threshold, 1, 0);
  EXPECT_EDGE(success_threshold, 1000, 1001);
  EXPECT_EDGE(state_history, 0, -1);
  EXPECT_EDGE(state_history, 100'000, 100'001);
  EXPECT_EDGE(minimum_calls, 1, 0);
}

TEST(config, accepts_both_ends_of_every_window_and_refuses_what_lies_beyond) {
  EXPECT_EDGE(window, sg::calls(1), sg::calls(0));
  EXPECT_EDGE(window, sg::calls(10'000), sg::calls(10'001));
  EXPECT_EDGE(window, sg::last(100ms), sg::last(100ms - 1ns));
  EXPECT_EDGE(window, sg::last(24h), sg::last(24h + 1ns));
  EXPECT_EDGE(window, sg::calls(5), sg::calls(-1));
}

TEST(config, accepts_both_ends_of_every_duration_and_refuses_what_lies_beyond) {
  EXPECT_EDGE(open_duration, 0ns, -1ns);
  EXPECT_EDGE(open_duration, 24h, 24h + 1ns);
  EXPECT_EDGE(slow_call_duration, 1ns, -1ns);
  EXPECT_EDGE(min_reset_interval, 48h, -1ns);
  EXPECT_EDGE(probe_timeout, 0ns, -1ns);
  EXPECT_EDGE(call_timeout, 1ns, nanoseconds::min());
  EXPECT_EDGE(max_open_duration, 60s, 60s - 1ns);
  EXPECT_EDGE(max_open_duration, nanoseconds::max(), -1ns);
}

TEST(config, accepts_both_ends_of_every_share_and_refuses_what_lies_beyond) {
  EXPECT_EDGE(failure_rate_threshold, 1.0, 1.0000001);
  EXPECT_EDGE(failure_rate_threshold, 0.000001, 0.0000004);
  EXPECT_EDGE(failure_rate_threshold, 0.0, -0.1);
  EXPECT_EDGE(failure_rate_threshold, 0.5, nan);
  EXPECT_EDGE(open_duration_multiplier, 1.0, 0.999);
  EXPECT_EDGE(open_duration_multiplier, 10.0, 10.001);
  EXPECT_EDGE(open_duration_multiplier, 2.0, nan);
  EXPECT_EDGE(jitter, 0.0, -0.001);
  EXPECT_EDGE(jitter, 1.0, std::numeric_limits<double>::infinity());
  EXPECT_EDGE(jitter, 0.5, nan);
}

TEST(config, refuses_a_slow_call_rate_of_zero_for_zero_is_not_the_default) {
  for (const double bad : {0.0, 1.1, -0.5, 0.0000001, nan}) {
    const sg::config c{.slow_call_duration = 1s, .slow_call_rate_threshold = bad};
    EXPECT_THAT(keys_of(c), ElementsAre("slow_call_rate_threshold")) << bad;
  }
  EXPECT_THAT(keys_of({.slow_call_duration = 1s, .slow_call_rate_threshold = 1.0}), IsEmpty());
}

TEST(config, refuses_a_slow_call_rate_without_a_slow_call_duration) {
  EXPECT_THAT(keys_of({.slow_call_rate_threshold = 0.5}), ElementsAre("slow_call_rate_threshold"));
}

TEST(config, without_any_rule_is_a_problem_of_failure_threshold) {
  EXPECT_THAT(keys_of({.failure_threshold = 0}), ElementsAre("failure_threshold"));
}

TEST(config, with_any_one_rule_is_accepted) {
  EXPECT_THAT(keys_of({.failure_threshold = 1}), IsEmpty());
  EXPECT_THAT(keys_of({.failure_threshold = 0, .failure_rate_threshold = 0.5}), IsEmpty());
  EXPECT_THAT(keys_of({.failure_threshold = 0, .failure_count_threshold = 1}), IsEmpty());
  EXPECT_THAT(keys_of({.failure_threshold = 0, .slow_call_duration = 1s}), IsEmpty());
}

TEST(config, does_not_call_a_rule_off_that_is_only_out_of_range) {
  EXPECT_THAT(keys_of({.failure_threshold = 0, .failure_rate_threshold = 1.2}), ElementsAre("failure_rate_threshold"));
  EXPECT_THAT(keys_of({.failure_threshold = 0, .failure_count_threshold = -1}), ElementsAre("failure_count_threshold"));
  EXPECT_THAT(keys_of({.failure_threshold = 0, .slow_call_duration = -1s, .slow_call_rate_threshold = 0.5}),
              ElementsAre("slow_call_duration"));
}

TEST(config, minimum_calls_may_fill_a_count_window_and_not_exceed_it) {
  EXPECT_THAT(keys_of({.window = sg::calls(20), .minimum_calls = 20}), IsEmpty());
  EXPECT_THAT(keys_of({.window = sg::calls(20), .minimum_calls = 21}), ElementsAre("minimum_calls"));
  EXPECT_THAT(keys_of({.window = sg::calls(3)}), IsEmpty()) << "the default follows a small window";
}

TEST(config, minimum_calls_is_not_bound_by_a_time_window) {
  EXPECT_THAT(keys_of({.window = sg::last(1s), .minimum_calls = 1 << 20}), IsEmpty());
  EXPECT_THAT(keys_of({.window = sg::last(1s), .minimum_calls = (1 << 20) + 1}), ElementsAre("minimum_calls"));
}

TEST(config, a_bad_window_is_not_also_a_problem_of_minimum_calls) {
  EXPECT_THAT(keys_of({.window = sg::calls(0), .minimum_calls = 5}), ElementsAre("window"));
  EXPECT_THAT(keys_of({.window = sg::calls(0), .minimum_calls = 0}), ElementsAre("window", "minimum_calls"));
}

TEST(config, a_bad_open_duration_is_not_also_a_problem_of_max_open_duration) {
  EXPECT_THAT(keys_of({.open_duration = 25h, .max_open_duration = 1h}), ElementsAre("open_duration"));
}

TEST(config, an_open_duration_above_ten_minutes_lifts_the_default_maximum) {
  EXPECT_THAT(keys_of({.open_duration = 1h}), IsEmpty());
}

TEST(config, reports_every_problem_at_once_in_the_order_of_the_keys) {
  const sg::config c{.window = sg::calls(20),
                     .minimum_calls = 50,
                     .failure_rate_threshold = 1.2,
                     .open_duration = 1s,
                     .max_open_duration = 500ms,
                     .half_open_max_calls = 0};
  EXPECT_THAT(keys_of(c),
              ElementsAre("minimum_calls", "failure_rate_threshold", "max_open_duration", "half_open_max_calls"));
}

TEST(config, a_problem_carries_key_value_and_allowed_range) {
  const auto problems = sg::config{.open_duration = 48h}.validate();
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].key, "open_duration");
  EXPECT_EQ(problems[0].value, "48h");
  EXPECT_EQ(problems[0].allowed, "0s … 24h");
  EXPECT_EQ(to_string(problems[0]), "open_duration = 48h: out of range (allowed: 0s … 24h)");
}

TEST(problem_text, leaves_out_what_is_not_there) {
  EXPECT_EQ(to_string(sg::problem{"a.toml:3", "", "", "expected a value"}), "a.toml:3: expected a value");
}

TEST(problem_text, shows_no_control_character_and_no_broken_text) {
  EXPECT_EQ(to_string(sg::problem{"a\x1b[2J", "x\ny\x80\xc2\x85", "", "wrong, in \r.toml"}),
            "a\\x1b[2J = x\\x0ay\\x80\\xc2\\x85: wrong, in \\x0d.toml");
}

TEST(problem_text, cuts_a_value_that_would_fill_the_screen) {
  const std::string text = to_string(sg::problem{"key", std::string(100'000, 'x'), "", "wrong"});
  EXPECT_LT(text.size(), 300U);
  EXPECT_THAT(text, HasSubstr("…"));
}

TEST(breaker_name, may_be_any_readable_text) {
  for (const char* good :
       {"a", "agent.researcher", "storage:save_task", "Zahlungen für Österreich", "支払い", "a b", "*"}) {
    EXPECT_FALSE(sg::validate_name(good)) << good;
  }
  EXPECT_FALSE(sg::validate_name(std::string(200, 'x')));
}

TEST(breaker_name, is_refused_when_empty_or_above_200_bytes) {
  EXPECT_TRUE(sg::validate_name(""));
  EXPECT_TRUE(sg::validate_name(std::string(201, 'x')));
  std::string umlauts;
  for (int i = 0; i < 101; ++i) umlauts += "ü";
  EXPECT_TRUE(sg::validate_name(umlauts)) << "bytes count, not characters";
}

TEST(breaker_name, is_refused_with_control_characters) {
  using namespace std::string_literals;
  for (const std::string& bad : {"a\nb"s, "\x1b[0m"s, "a\0b"s, "\x7f"s, "\xc2\x85"s, "\xc2\x9f"s}) {
    const auto p = sg::validate_name(bad);
    ASSERT_TRUE(p);
    EXPECT_EQ(p->key, "name");
    EXPECT_THAT(p->message, HasSubstr("control character"));
  }
  EXPECT_FALSE(sg::validate_name("\xc2\xa0"));
}

TEST(breaker_name, is_refused_when_it_is_not_utf8) {
  const char* bad_texts[] = {
      "\xff", "a\x80", "\xc3", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80"};
  for (const char* bad : bad_texts) {
    const auto p = sg::validate_name(bad);
    ASSERT_TRUE(p);
    EXPECT_THAT(p->message, HasSubstr("UTF-8"));
  }
  EXPECT_FALSE(sg::validate_name("\xf4\x8f\xbf\xbf"));
}

TEST(duration_text, is_written_in_the_largest_unit_that_keeps_it_short) {
  EXPECT_EQ(sg::format_duration(0ns), "0s");
  EXPECT_EQ(sg::format_duration(1ns), "1ns");
  EXPECT_EQ(sg::format_duration(1500ns), "1.5us");
  EXPECT_EQ(sg::format_duration(500ms), "500ms");
  EXPECT_EQ(sg::format_duration(1500ms), "1.5s");
  EXPECT_EQ(sg::format_duration(30s), "30s");
  EXPECT_EQ(sg::format_duration(90s), "90s");
  EXPECT_EQ(sg::format_duration(100s), "100s");
  EXPECT_EQ(sg::format_duration(120s), "2m");
  EXPECT_EQ(sg::format_duration(24h), "24h");
  EXPECT_EQ(sg::format_duration(1s + 1ns), "1.000000001s");
  EXPECT_EQ(sg::format_duration(-30s), "-30s");
}

TEST(duration_text, is_exact_at_both_ends_of_what_can_be_held) {
  EXPECT_EQ(sg::format_duration(nanoseconds::max()), "9223372036.854775807s");
  EXPECT_EQ(sg::format_duration(nanoseconds::min()), "-9223372036.854775808s");
}

}  // namespace
