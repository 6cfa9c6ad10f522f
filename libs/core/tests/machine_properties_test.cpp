// SPDX-License-Identifier: Apache-2.0
// Random configurations and random sequences of every verb, the machine against the plain reference, compared after
// each step.
#include "support/reference.hpp"
#include <switchgear/machine/storage.hpp>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

namespace {

using namespace std::chrono_literals;
namespace sg = switchgear;
namespace m = switchgear::machine;
using sg::state;
using sg::verdict;
using std::chrono::nanoseconds;
using switchgear::testing::product_by_search;
using switchgear::testing::reference;

template <class T>
T one_of(std::initializer_list<T> values) {
  return *rc::gen::elementOf(std::vector<T>(values));
}

/// A valid configuration, small enough that everything happens in a few dozen steps.
sg::config any_config() {
  sg::config c;
  c.shadow = one_of({0, 0, 0, 0, 0, 1}) == 1;
  c.enabled = one_of({1, 1, 1, 1, 1, 1, 1, 0}) == 1;
  c.failure_threshold = one_of<std::int64_t>({0, 1, 2, 3, 5});
  if (one_of({0, 0, 1}) == 1) {
    c.window = sg::last(one_of<nanoseconds>({100ms, 1s, 1'000'000'007ns}));
  } else {
    c.window = sg::calls(one_of<std::int64_t>({1, 2, 3, 4, 7, 33, 70}));
  }
  c.window_buckets = one_of<std::int64_t>({1, 2, 3, 7, 10});
  if (one_of({0, 1}) == 1) {
    c.minimum_calls = one_of<std::int64_t>({1, 2, 3});
    if (!c.window.timed) c.minimum_calls = std::min(*c.minimum_calls, c.window.calls);
  }
  c.failure_rate_threshold = one_of({0.0, 0.0, 0.000001, 0.3, 0.333333, 0.5, 1.0});
  c.failure_count_threshold = one_of<std::int64_t>({0, 0, 1, 2, 3});
  c.slow_call_duration = one_of<nanoseconds>({0ns, 0ns, 1ns, 10ms});
  if (c.slow_call_duration.count() > 0 && one_of({0, 1}) == 1) c.slow_call_rate_threshold = one_of({0.25, 0.5, 1.0});
  if (c.failure_threshold == 0 && c.failure_rate_threshold == 0 && c.failure_count_threshold == 0 &&
      c.slow_call_duration.count() == 0) {
    c.failure_threshold = 2;
  }
  c.open_duration = one_of<nanoseconds>({0ns, 1ns, 999ns, 1s});
  c.open_duration_multiplier = one_of({1.0, 1.5, 2.0, 1.000001, 3.333333, 10.0});
  if (one_of({0, 1}) == 1)
    c.max_open_duration = std::max<nanoseconds>(c.open_duration, one_of<nanoseconds>({1ns, 3s, 1h}));
  c.min_reset_interval = one_of<nanoseconds>({0ns, 0ns, 500ns, 2s});
  c.half_open_max_calls = one_of<std::int64_t>({1, 1, 2, 3});
  c.success_threshold = one_of<std::int64_t>({1, 2, 4});
  if (one_of({0, 1}) == 1) c.probe_timeout = one_of<nanoseconds>({0ns, 1ns, 50ms, 1s});
  return c;
}

/// The machine and the reference side by side.
class pair {
 public:
  explicit pair(const sg::config& c) : expected(c), block_(m::resolve(c), 2, 7) {}

  void step(std::uint32_t verb, std::uint32_t a, std::uint32_t b) {
    const std::size_t told = expected.history.size();
    m::transitions changes;
    switch (verb % 20) {
      case 0:
      case 1:
      case 2:
        move_clock(a, b);
        break;
      case 3:
      case 4:
      case 5:
      case 6:
        changes = acquire(a);
        break;
      case 7:
      case 8:
      case 9:
      case 10:
      case 11:
        changes = settle(a, b);
        break;
      case 12:
      case 13: {  // a whole call
        changes = acquire(a);
        compare_changes(told, changes);
        const std::size_t after = expected.history.size();
        if (admitted_) changes = settle_number(grants_.size() - 1, b);
        compare_changes(after, changes);
        compare();
        return;
      }
      case 14:
        changes = block_.machine().trip(expected.now);
        expected.trip();
        break;
      case 15: {
        const state kind = a % 2 == 0 ? state::forced_open : state::disabled;
        const std::int64_t ttls[] = {-1, 0, 1, 1000, 500'000'000};
        const std::int64_t ttl = ttls[b % 5];
        bool renewed = false;
        changes = block_.machine().override_with(kind, ttl < 0 ? -1 : expected.now + ttl, expected.now, renewed);
        const bool again = expected.override_with(kind, ttl < 0 ? std::nullopt : std::optional(expected.now + ttl));
        RC_ASSERT(renewed == again);
        break;
      }
      case 16:
        changes = block_.machine().release(expected.now);
        expected.release();
        break;
      case 17:
        if (a % 3 == 0) {
          changes = block_.machine().reset(expected.now);
          expected.reset();
        } else if (a % 3 == 1) {
          block_.machine().reset_metrics();
          expected.reset_metrics();
        }
        break;
      case 18:
        changes = block_.machine().advance(expected.now);
        expected.advance();
        break;
      default:
        if (a % 3 == 0) reconfigure();
    }
    compare_changes(told, changes);
    compare();
  }

  reference expected;

 private:
  /// To a moment at which something changes, or one nanosecond beside it.
  void move_clock(std::uint32_t a, std::uint32_t b) {
    std::vector<std::int64_t> moments{expected.now + 1, expected.now + 3, expected.now + 5'000'000,
                                      expected.now + 2'000'000'000};
    if (expected.end) moments.insert(moments.end(), 4, *expected.end);
    for (const auto& [slot, number] : expected.slots) {
      if (expected.permits[number].lease_end >= 0) moments.push_back(expected.permits[number].lease_end);
    }
    if (expected.closed_at) moments.push_back(*expected.closed_at + expected.open_duration());
    if (expected.settings.slow_call_duration.count() > 0)
      moments.push_back(expected.now + expected.settings.slow_call_duration.count());
    if (expected.settings.window.timed) {
      // The first nanosecond of the next buckets.
      __extension__ using wide = __int128;
      const wide duration = expected.settings.window.duration.count(), buckets = expected.settings.window_buckets;
      const wide number = expected.now * buckets / duration;
      for (const wide ahead : {wide{1}, wide{2}, buckets - 1, buckets, buckets + 1}) {
        moments.push_back(static_cast<std::int64_t>(((number + ahead) * duration + buckets - 1) / buckets));
      }
    }
    const std::int64_t to = moments[a % moments.size()] + static_cast<std::int64_t>(b % 3) - 1;
    expected.now = std::max(expected.now, to);
  }

  [[nodiscard]] m::lane_choice lane(std::uint32_t a) const { return {.lane = a % 2, .exclusive = a % 2 == 0}; }

  m::transitions acquire(std::uint32_t a) {
    const m::acquired got = block_.machine().acquire(expected.now, lane(a));
    const auto expired_before = expected.lifetime.expired_probes;
    const reference::answer want = expected.acquire();
    RC_ASSERT((got.permit.is != m::grant::kind::none) == want.permit.has_value());
    RC_ASSERT(got.expired_probe == (expected.lifetime.expired_probes != expired_before));
    if (!want.permit || want.would_reject) {
      RC_ASSERT(got.rejection.reason == want.reason);
      RC_ASSERT(got.rejection.retry_after == want.retry_after.value_or(-1));
      RC_ASSERT(got.rejection.failure_count == expected.failure_count);
    }
    admitted_ = want.permit.has_value();
    if (admitted_) {
      RC_ASSERT(static_cast<int>(got.permit.is) - 1 == static_cast<int>(expected.permits.back().kind));
      if (got.permit.is == m::grant::kind::probe) {
        const auto lease = expected.permits.back().lease_end;
        RC_ASSERT(got.permit.lease_end == (lease < 0 ? m::latest : lease));
      }
      grants_.push_back(got.permit);
    }
    return got.changes;
  }

  m::transitions settle(std::uint32_t a, std::uint32_t b) {
    if (grants_.empty()) return {};
    // Young permits more often than old ones.
    const std::size_t back = a % 4 == 0 ? a / 4 % grants_.size() : a / 4 % std::min<std::size_t>(4, grants_.size());
    return settle_number(grants_.size() - 1 - back, b);
  }
  m::transitions settle_number(std::size_t number, std::uint32_t b) {
    constexpr verdict verdicts[] = {verdict::failure, verdict::failure, verdict::success, verdict::success,
                                    verdict::success, verdict::timeout, verdict::ignored, verdict::abandoned};
    const verdict v = verdicts[b % 8];
    if (expected.permits[number].settled) {
      expected.settle(number, v);  // the second verdict is kept from the machine by the permit that wraps its grant
      return {};
    }
    const auto late_before = expected.lifetime.late_results, expired_before = expected.lifetime.expired_probes,
               slow_before = expected.lifetime.slow_calls;
    const m::settled done = block_.machine().settle(grants_[number], v, expected.now, lane(b / 8));
    expected.settle(number, v);
    RC_ASSERT(done.late == (expected.lifetime.late_results != late_before));
    RC_ASSERT(done.expired_probe == (expected.lifetime.expired_probes != expired_before));
    RC_ASSERT(done.slow == (expected.lifetime.slow_calls != slow_before));
    return done.changes;
  }

  void reconfigure() {
    const sg::config next = any_config();
    RC_ASSERT(next.validate().empty());
    block_.reconfigure(m::resolve(next));
    expected.reconfigure(next);
  }

  void compare_changes(std::size_t told, const m::transitions& changes) const {
    RC_ASSERT(changes.count == expected.history.size() - told);
    for (std::uint8_t i = 0; i < changes.count; ++i) {
      const m::transition& got = changes.items[i];
      const reference::step& want = expected.history[told + i];
      RC_ASSERT(got.from == want.from);
      RC_ASSERT(got.to == want.to);
      RC_ASSERT(got.generation == want.generation);
      RC_ASSERT(got.failure_count == want.failure_count);
      RC_ASSERT(got.at == expected.now);
    }
  }

  void compare() const {
    const m::observation at = block_.machine().observe(expected.now);
    RC_ASSERT(at.state == expected.seen_state());
    RC_ASSERT(block_.machine().observed_state(expected.now) == expected.seen_state());
    RC_ASSERT(at.generation == expected.generation);
    RC_ASSERT(at.retry_after == expected.retry_after().value_or(-1));
    RC_ASSERT(at.consecutive_failures == (expected.circuit == state::closed ? expected.consecutive : 0));
    RC_ASSERT(static_cast<std::int64_t>(at.half_open_successes) == expected.successes);
    RC_ASSERT(static_cast<std::int64_t>(at.probes_in_flight) == expected.in_flight());
    RC_ASSERT(at.facts.attempt == expected.attempt);
    RC_ASSERT(at.facts.failure_count == expected.failure_count);
    RC_ASSERT(at.facts.closed_at == expected.closed_at.value_or(-1));
    if (expected.end) RC_ASSERT(at.facts.until == *expected.end);
    const reference::held w = expected.window();
    RC_ASSERT(at.window.calls == w.calls);
    RC_ASSERT(at.window.failures == w.failures);
    RC_ASSERT(at.window.slow == w.slow);
    const m::totals got = block_.machine().metrics();
    const auto& want = expected.lifetime;
    RC_ASSERT(got.successes == want.successes);
    RC_ASSERT(got.failures == want.failures);
    RC_ASSERT(got.timeouts == want.timeouts);
    RC_ASSERT(got.ignored == want.ignored);
    RC_ASSERT(got.abandoned == want.abandoned);
    RC_ASSERT(got.slow_calls == want.slow_calls);
    RC_ASSERT(got.rejections == want.rejections);
    RC_ASSERT(got.would_reject == want.would_reject);
    RC_ASSERT(got.late_results == want.late_results);
    RC_ASSERT(got.expired_probes == want.expired_probes);
    RC_ASSERT(got.transitions == want.transitions);
  }

  m::basic_storage<std::atomic> block_;
  std::vector<m::grant> grants_;
  bool admitted_ = false;
};

using raw_step = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;

template <class Property>
void check(int runs, int size, Property&& property) {
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = runs;
  params.maxSize = size;
  const auto result = rc::detail::checkTestable(std::forward<Property>(property), rc::detail::TestMetadata{}, params);
  std::ostringstream text;
  rc::detail::printResultMessage(result, text);
  EXPECT_TRUE(result.template is<rc::detail::SuccessResult>()) << text.str();
}

std::vector<raw_step> any_steps() {
  // The parts of a step are not smaller in small cases: size is the number of steps alone.
  const auto part = rc::gen::resize(100, rc::gen::inRange<std::uint32_t>(0, 1u << 16));
  return *rc::gen::container<std::vector<raw_step>>(rc::gen::tuple(part, part, part));
}

/// What the sequences got to; a property over steps that never do anything would prove nothing.
struct coverage {
  std::uint64_t opened = 0, half_opened = 0, reclosed = 0, reopened = 0, overridden = 0, late = 0, expired = 0,
                deep = 0;
  void count(const reference& r) {
    for (const auto& s : r.history) {
      opened += s.from == state::closed && s.to == state::open;
      half_opened += s.to == state::half_open;
      reclosed += s.from == state::half_open && s.to == state::closed;
      reopened += s.from == state::half_open && s.to == state::open;
      overridden += s.to == state::forced_open || s.to == state::disabled;
    }
    late += r.lifetime.late_results;
    expired += r.lifetime.expired_probes;
    deep += r.attempt >= 3;
  }
  friend std::ostream& operator<<(std::ostream& out, const coverage& c) {
    return out << "             opened " << c.opened << ", half-opened " << c.half_opened << ", closed again "
               << c.reclosed << ", opened again " << c.reopened << ", overridden " << c.overridden << ", late "
               << c.late << ", expired " << c.expired << ", ended with attempt 3 or more " << c.deep << "\n";
  }
};

TEST(machine_properties, every_verb_does_what_the_reference_does) {
  coverage seen;
  check(15'000, 150, [&seen] {
    const sg::config c = any_config();
    RC_ASSERT(c.validate().empty());
    pair both(c);
    for (const auto& [verb, a, b] : any_steps()) both.step(verb, a, b);
    seen.count(both.expected);
  });
  std::cout << seen;
  EXPECT_GT(
      std::min({seen.opened, seen.half_opened, seen.reclosed, seen.reopened, seen.overridden, seen.late, seen.expired}),
      100u);
}

TEST(machine_properties, calls_alone_do_what_the_reference_does) {
  // Longer runs without operators get deeper: windows go round, back-off grows.
  coverage seen;
  check(5000, 400, [&seen] {
    sg::config c = any_config();
    c.enabled = true;
    pair both(c);
    for (const auto& [verb, a, b] : any_steps()) both.step(verb % 14, a, b);
    seen.count(both.expected);
  });
  std::cout << seen;
  EXPECT_GT(std::min({seen.opened, seen.half_opened, seen.reclosed, seen.reopened, seen.late, seen.expired}), 100u);
  EXPECT_GT(seen.deep, 50u);
}

TEST(machine_properties, the_open_duration_is_the_exact_product_cut_to_nanoseconds) {
  check(2000, 100, [] {
    m::settings s;
    s.multiplier = *rc::gen::oneOf(
        rc::gen::inRange<std::uint32_t>(1'000'000, 10'000'001),
        rc::gen::element<std::uint32_t>(1'000'000, 1'000'001, 1'100'000, 1'500'000, 2'000'000, 10'000'000));
    s.open_duration =
        *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(0, 1000), rc::gen::inRange<std::int64_t>(0, 86'400'000'000'001));
    s.max_open_duration = s.open_duration + *rc::gen::inRange<std::int64_t>(0, 86'400'000'000'001);
    const auto attempt = *rc::gen::inRange<std::uint32_t>(0, 150);
    RC_ASSERT(m::open_duration(s, attempt, 0) ==
              product_by_search(s.open_duration, s.multiplier, attempt, s.max_open_duration));
  });
}

TEST(machine_properties, the_open_duration_with_jitter_stays_within_its_bounds_and_reaches_them) {
  check(2000, 100, [] {
    m::settings s;
    s.multiplier = *rc::gen::inRange<std::uint32_t>(1'000'000, 10'000'001);
    s.open_duration = *rc::gen::inRange<std::int64_t>(0, 86'400'000'000'001);
    s.max_open_duration = s.open_duration * 2;
    s.jitter = *rc::gen::inRange<std::uint32_t>(0, 1'000'001);
    s.min_reset_interval = *rc::gen::element<std::int64_t>(0, 1, 10'000'000'000);
    const auto attempt = *rc::gen::inRange<std::uint32_t>(0, 5);
    const auto random = *rc::gen::arbitrary<std::uint32_t>();
    const std::int64_t least = product_by_search(s.open_duration, s.multiplier, attempt, s.max_open_duration);
    __extension__ using wide = __int128;
    const auto most = least + static_cast<std::int64_t>(wide{least} * s.jitter / 1'000'000);
    const std::int64_t got = m::open_duration(s, attempt, random);
    RC_ASSERT(got >= std::max(least, s.min_reset_interval));
    RC_ASSERT(got <= std::max(most, s.min_reset_interval));
    RC_ASSERT(m::open_duration(s, attempt, 0) == std::max(least, s.min_reset_interval));
    const std::int64_t top = m::open_duration(s, attempt, ~std::uint32_t{0});
    RC_ASSERT(top >= std::max(most - most / 4'000'000'000 - 1 - (most - least) / 4'000'000'000, s.min_reset_interval));
  });
}

TEST(machine_properties, an_attempt_that_has_grown_for_years_stays_at_the_maximum) {
  m::settings s;
  s.open_duration = 1;
  s.max_open_duration = 600'000'000'000;
  for (const std::uint32_t multiplier : {1'500'000u, 2'000'000u, 10'000'000u}) {
    s.multiplier = multiplier;
    EXPECT_EQ(m::open_duration(s, 1'000'000, 0), s.max_open_duration);
    EXPECT_EQ(m::open_duration(s, ~std::uint32_t{0}, 0), s.max_open_duration);
  }
  s.open_duration = 0;
  EXPECT_EQ(m::open_duration(s, 1'000'000, 0), 0);
}

}  // namespace
