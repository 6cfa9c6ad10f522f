// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

#include <algorithm>
#include <functional>

namespace {

using namespace shell;

/// Saves what `prepare` made of a breaker.
struct saved_example {
  const char* about;
  sg::config settings;
  std::function<void(small_breaker&)> prepare;
};

sg::config doubling() {
  return small_with([](auto& c) { c.open_duration_multiplier = 2; });
}

sg::config timed() {
  return small_with([](auto& c) {
    c.failure_threshold = 5;
    c.window = sg::last(10s);
    c.failure_rate_threshold = 0.9;
  });
}

std::vector<saved_example> examples() {
  return {
      {"new", small_config(), [](small_breaker&) {}},
      {"closed with verdicts", small_config(),
       [](small_breaker& t) {
         succeed_times(t.breaker, 40);
         fail_times(t.breaker, 1);
       }},
      {"closed with slow calls", small_with([](auto& c) { c.slow_call_duration = 1s; }),
       [](small_breaker& t) {
         t.breaker.call([&] { t.clock.advance(1s); });
         auto permit = t.breaker.try_acquire();
         t.clock.advance(2s);
         permit.failure();
       }},
      {"closed with a time window", timed(),
       [](small_breaker& t) {
         succeed_times(t.breaker, 3);
         t.clock.advance(2s);
         fail_times(t.breaker, 2);
       }},
      {"open after a failed probe", doubling(),
       [](small_breaker& t) {
         t.half_open();
         fail_times(t.breaker, 1);
         t.clock.advance(7s);
         (void)t.breaker.try_acquire();
       }},
      {"half-open", small_with([](auto& c) { c.success_threshold = 3; }),
       [](small_breaker& t) {
         t.half_open();
         succeed_times(t.breaker, 1);
       }},
      {"closed after a recovery", small_config(),
       [](small_breaker& t) {
         t.half_open();
         succeed_times(t.breaker, 2);
         t.clock.advance(3s);
       }},
      {"forced open for a while", small_config(),
       [](small_breaker& t) { t.breaker.force_open("\"quoted\"\n\xff and\0 all", "älice", 10min); }},
      {"disabled for good", small_config(),
       [](small_breaker& t) {
         t.breaker.disable("false alarms", "bob");
         fail_times(t.breaker, 3);
       }},
  };
}

/// Everything in it, comparable: the order of the buckets says nothing.
std::vector<std::string> fields(sg::saved_state s) {
  std::sort(s.buckets.begin(), s.buckets.end(), [](const auto& a, const auto& b) { return a.age < b.age; });
  return {sg::to_json(s), s.override_owner, s.override_reason};
}

TEST(saved_state, reads_back_from_binary_as_it_was_written) {
  for (const auto& example : examples()) {
    small_breaker t(example.settings);
    example.prepare(t);
    const auto saved = t.breaker.save();
    EXPECT_EQ(validate(saved), "") << example.about;
    const auto back = sg::from_binary(to_binary(saved));
    ASSERT_TRUE(back.state) << example.about << ": " << back.refused;
    EXPECT_EQ(back.refused, "");
    EXPECT_EQ(fields(*back.state), fields(saved)) << example.about;
  }
}

TEST(saved_state, is_the_same_again_after_restoring_it) {
  for (const auto& example : examples()) {
    small_breaker before(example.settings), after(example.settings);
    example.prepare(before);
    const auto saved = before.breaker.save();
    EXPECT_EQ(after.breaker.restore(saved, 0s), "") << example.about;
    auto again = after.breaker.save();
    EXPECT_EQ(again.generation, saved.generation + 1) << example.about;
    again.generation = saved.generation;
    EXPECT_EQ(fields(again), fields(saved)) << example.about;
  }
}

TEST(saved_state, is_refused_when_it_is_cut_anywhere) {
  for (const auto& example : examples()) {
    small_breaker t(example.settings);
    example.prepare(t);
    const std::string bytes = to_binary(t.breaker.save());
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      const auto read = sg::from_binary(std::string_view(bytes).substr(0, n));
      ASSERT_FALSE(read.state) << example.about << " cut to " << n;
      ASSERT_NE(read.refused, "");
    }
  }
}

TEST(saved_state, is_refused_when_any_byte_of_it_is_another) {
  for (const auto& example : examples()) {
    small_breaker t(example.settings);
    example.prepare(t);
    std::string bytes = to_binary(t.breaker.save());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      for (const int change : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
        const char was = bytes[i];
        bytes[i] = static_cast<char>(was ^ change);
        const auto read = sg::from_binary(bytes);
        ASSERT_FALSE(read.state) << example.about << " byte " << i << " ^ " << change;
        ASSERT_NE(read.refused, "");
        bytes[i] = was;
      }
    }
  }
}

TEST(saved_state, is_refused_with_something_behind_it) {
  const std::string bytes = to_binary(sg::circuit_breaker("payments").save());
  EXPECT_FALSE(sg::from_binary(bytes + '\0').state);
  EXPECT_FALSE(sg::from_binary(bytes + bytes).state);
}

TEST(saved_state, names_the_reason_of_a_refusal) {
  const std::string bytes = to_binary(sg::circuit_breaker("payments").save());
  EXPECT_EQ(sg::from_binary("").refused, "not a saved state of switchgear");
  EXPECT_EQ(sg::from_binary("{\"json\":1}").refused, "not a saved state of switchgear");
  EXPECT_EQ(sg::from_binary(bytes.substr(0, 10)).refused, "cut short");
  std::string newer = bytes;
  newer[8] = 2;
  EXPECT_EQ(sg::from_binary(newer).refused, "version 2, this library reads version 1");
  std::string damaged = bytes;
  damaged[30] = static_cast<char>(damaged[30] ^ 1);
  EXPECT_EQ(sg::from_binary(damaged).refused, "damaged: the checksum does not match");
}

TEST(saved_state, is_refused_when_save_cannot_have_given_it) {
  const auto good = sg::circuit_breaker("payments").save();
  const std::vector<std::pair<const char*, std::function<void(sg::saved_state&)>>> lies{
      {"state", [](auto& s) { s.state = static_cast<sg::state>(9); }},
      {"generation", [](auto& s) { s.generation = ~std::uint64_t{0}; }},
      {"remaining_open", [](auto& s) { s.remaining_open = -1ns; }},
      {"remaining_override", [](auto& s) { s.remaining_override = -2ns; }},
      {"since_last_closing", [](auto& s) { s.since_last_closing = -2ns; }},
      {"consecutive_failures", [](auto& s) { s.consecutive_failures = ~0u; }},
      {"half_open_successes", [](auto& s) { s.half_open_successes = 1000; }},
      {"failure_count", [](auto& s) { s.failure_count = ~0u; }},
      {"window_size", [](auto& s) { s.window_size = 0; }},
      {"window_size", [](auto& s) { s.window_size = 10'001; }},
      {"window_duration", [](auto& s) { s.window_duration = 1ns; }},
      {"verdicts", [](auto& s) { s.verdicts = "sfx"; }},
      {"verdicts", [](auto& s) { s.verdicts.assign(101, 's'); }},
      {"buckets", [](auto& s) { s.buckets.push_back({0, 1, 0, 0}); }},
      {"window of an open circuit",
       [](auto& s) {
         s.state = sg::state::open;
         s.verdicts = "s";
       }},
      {"timeouts", [](auto& s) { s.metrics.timeouts = 1; }},
      {"lifetime metric", [](auto& s) { s.metrics.successes = (std::uint64_t{1} << 62) + 1; }},
  };
  for (const auto& [about, lie] : lies) {
    auto s = good;
    lie(s);
    EXPECT_NE(validate(s), "") << about;
    small_breaker t(sg::config{});
    succeed_times(t.breaker, 1);
    EXPECT_EQ(t.breaker.restore(s, 0s), validate(s)) << about;
    EXPECT_EQ(t.breaker.snapshot().generation, 0u) << about;
    EXPECT_EQ(t.metrics().successes, 1u) << about;
    if (std::string_view(about) != "state") {
      EXPECT_FALSE(sg::from_binary(to_binary(s)).state) << about;
    }
  }
}

TEST(saved_state, refuses_buckets_that_no_time_window_holds) {
  small_breaker t(timed());
  const auto good = t.breaker.save();
  const std::vector<std::vector<sg::saved_state::bucket>> lies{
      {{10, 1, 0, 0}}, {{3, 1, 0, 0}, {3, 1, 0, 0}}, {{0, 1, 2, 0}}, {{0, 1, 0, 2}}, {{0, ~std::uint64_t{0}, 0, 0}}};
  for (const auto& lie : lies) {
    auto s = good;
    s.buckets = lie;
    EXPECT_NE(validate(s), "");
  }
}

TEST(saved_state, has_a_json_form) {
  small_breaker t;
  succeed_times(t.breaker, 2);
  fail_times(t.breaker, 1);
  EXPECT_EQ(sg::to_json(t.breaker.save()),
            R"({"switchgear_saved_state":1,"state":"closed","generation":0,"remaining_open_ns":0,)"
            R"("remaining_override_ns":null,"override_owner":"","override_reason":"","attempt":0,)"
            R"("since_last_closing_ns":null,"failure_count":0,"consecutive_failures":1,"half_open_successes":0,)"
            R"("verdicts":"ssf","buckets":[],"window_duration_ns":0,"window_size":100,"metrics":{"successes":2,)"
            R"("failures":1,"timeouts":0,"ignored":0,"abandoned":0,"slow_calls":0,"rejections":0,"would_reject":0,)"
            R"("late_results":0,"expired_probes":0,"transitions":0}})");
}

// --- restoring ---

/// `t` saved after `prepare`, restored `elapsed` later into a new breaker of the same configuration.
struct restored {
  restored(const sg::config& c, const std::function<void(small_breaker&)>& prepare, nanoseconds elapsed)
      : before(c), after(c) {
    prepare(before);
    EXPECT_EQ(after.breaker.restore(before.breaker.save(), elapsed), "");
  }
  small_breaker before, after;
};

TEST(restore, makes_a_new_generation) {
  const restored r(small_config(), [](auto& t) { t.open(); }, 0s);
  EXPECT_EQ(r.after.breaker.snapshot().generation, 2u);
}

TEST(restore, lets_the_open_period_go_on_by_what_has_elapsed) {
  restored r(
      small_config(),
      [](auto& t) {
        t.open();
        t.clock.advance(10s);
      },
      5s);
  EXPECT_EQ(r.after.breaker.snapshot().retry_after, 15s);
  r.after.clock.advance(15s);
  EXPECT_TRUE(r.after.breaker.is_half_open());
}

TEST(restore, finds_the_open_period_over_when_enough_has_elapsed) {
  const restored r(small_config(), [](auto& t) { t.open(); }, 24h * 365);
  EXPECT_TRUE(r.after.breaker.is_half_open());
}

TEST(restore, takes_a_negative_time_for_none) {
  const restored r(small_config(), [](auto& t) { t.open(); }, -5s);
  EXPECT_EQ(r.after.breaker.snapshot().retry_after, 30s);
}

TEST(restore, keeps_counts_window_and_lifetime_metrics) {
  restored r(
      small_config(),
      [](auto& t) {
        succeed_times(t.breaker, 40);
        fail_times(t.breaker, 1);
        t.breaker.try_acquire().ignore();
      },
      1h);
  const auto s = r.after.breaker.snapshot();
  EXPECT_EQ(s.metrics.successes, 40u);
  EXPECT_EQ(s.metrics.failures, 1u);
  EXPECT_EQ(s.metrics.ignored, 1u);
  EXPECT_EQ(s.window.calls, 41u);
  EXPECT_EQ(s.window.failures, 1u);
  EXPECT_EQ(s.consecutive_failures, 1u);
  fail_times(r.after.breaker, 1);
  EXPECT_TRUE(r.after.breaker.is_open());
}

TEST(restore, replaces_metrics_of_before) {
  small_breaker t;
  const auto fresh = t.breaker.save();
  succeed_times(t.breaker, 5);
  t.open();
  (void)t.breaker.try_acquire();
  EXPECT_EQ(t.breaker.restore(fresh, 0s), "");
  EXPECT_EQ(t.metrics().total_calls(), 0u);
  succeed_times(t.breaker, 1);
  EXPECT_EQ(t.metrics().successes, 1u);
}

TEST(restore, ages_a_time_window_by_what_has_elapsed) {
  const auto prepare = [](small_breaker& t) {
    succeed_times(t.breaker, 3);
    t.clock.advance(4s);
    succeed_times(t.breaker, 2);
  };
  EXPECT_EQ(restored(timed(), prepare, 0s).after.breaker.snapshot().window.calls, 5u);
  EXPECT_EQ(restored(timed(), prepare, 6s).after.breaker.snapshot().window.calls, 2u);
  EXPECT_EQ(restored(timed(), prepare, 10s).after.breaker.snapshot().window.calls, 0u);
}

TEST(restore, starts_a_window_of_another_size_or_kind_empty) {
  small_breaker t;
  fail_times(t.breaker, 1);
  for (const auto window : {sg::calls(50), sg::last(10s)}) {
    small_breaker other(small_with([&](auto& c) { c.window = window; }));
    EXPECT_EQ(other.breaker.restore(t.breaker.save(), 0s), "");
    EXPECT_EQ(other.breaker.snapshot().window.calls, 0u);
    EXPECT_EQ(other.breaker.snapshot().consecutive_failures, 1u);
  }
}

TEST(restore, remembers_the_attempt) {
  restored r(
      doubling(),
      [](auto& t) {
        t.half_open();
        fail_times(t.breaker, 1);  // attempt 1: 60 s
      },
      0s);
  EXPECT_EQ(r.after.breaker.snapshot().retry_after, 60s);
  r.after.clock.advance(60s);
  fail_times(r.after.breaker, 1);
  EXPECT_EQ(r.after.breaker.snapshot().retry_after, 120s);
}

TEST(restore, remembers_how_long_ago_the_circuit_closed) {
  const auto recover = [](small_breaker& t) {
    t.half_open();
    succeed_times(t.breaker, 1);
  };
  restored soon(doubling(), recover, 10s), late(doubling(), recover, 30s);
  soon.after.open();
  late.after.open();
  EXPECT_EQ(soon.after.breaker.snapshot().retry_after, 60s);
  EXPECT_EQ(late.after.breaker.snapshot().retry_after, 30s);
}

TEST(restore, of_half_open_keeps_its_successes_and_voids_its_probes) {
  std::optional<sg::permit> out;
  restored r(
      small_with([](auto& c) { c.success_threshold = 2; }),
      [&](auto& t) {
        t.half_open();
        succeed_times(t.breaker, 1);
        out = t.breaker.try_acquire();
      },
      0s);
  EXPECT_EQ(r.after.breaker.snapshot().half_open_successes, 1u);
  EXPECT_EQ(r.after.breaker.snapshot().probes_in_flight, 0u);
  succeed_times(r.after.breaker, 1);
  EXPECT_TRUE(r.after.breaker.is_closed());
  out.reset();
}

TEST(restore, makes_permits_of_before_late) {
  small_breaker t;
  const auto saved = t.breaker.save();
  auto old = t.breaker.try_acquire();
  EXPECT_EQ(t.breaker.restore(saved, 0s), "");
  old.failure();
  EXPECT_EQ(t.metrics().late_results, 1u);
  EXPECT_EQ(t.breaker.snapshot().consecutive_failures, 0u);
}

TEST(restore, keeps_an_override_with_its_owner_and_end) {
  restored r(small_config(), [](auto& t) { t.breaker.force_open("maintenance", "alice", 10min); }, 4min);
  const auto s = r.after.breaker.snapshot();
  EXPECT_EQ(s.state, sg::state::forced_open);
  EXPECT_EQ(s.operator_override->owner, "alice");
  EXPECT_EQ(s.operator_override->reason, "maintenance");
  r.after.clock.advance(6min - 1ns);
  EXPECT_TRUE(r.after.breaker.is_forced_open());
  r.after.clock.advance(1ns);
  EXPECT_TRUE(r.after.breaker.is_closed());
}

TEST(restore, keeps_an_override_without_an_end) {
  restored r(small_config(), [](auto& t) { t.breaker.disable("false alarms", "bob"); }, 24h);
  EXPECT_TRUE(r.after.breaker.is_disabled());
  EXPECT_FALSE(r.after.breaker.snapshot().operator_override->until);
}

TEST(restore, tells_observers_and_goes_on_in_sequence) {
  small_breaker before, after;
  before.half_open();
  (void)before.breaker.try_acquire();
  before.breaker.reset();
  before.open();
  const event_recorder recorder(after.breaker);
  EXPECT_EQ(after.breaker.restore(before.breaker.save(), 0s), "");
  after.breaker.reset();
  sg::drain_events();
  std::vector<std::uint64_t> sequence;
  for (const auto& e : recorder.events()) sequence.push_back(e.sequence);
  EXPECT_THAT(sequence, testing::ElementsAre(5, 6));
  EXPECT_EQ(recorder.events().at(0).reason, "restored from a saved state");
}

}  // namespace
