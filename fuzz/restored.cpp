// SPDX-License-Identifier: Apache-2.0
#include "restored.hpp"

#include "fuzz.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/config/saved_state.hpp>
#include <switchgear/testing/manual_clock.hpp>

namespace switchgear::fuzz {
namespace {

using namespace std::chrono_literals;

void check_written(const saved_state& s) {
  const std::string bytes = to_binary(s);
  const read_state from_bytes = from_binary(bytes);
  require(from_bytes.state && to_binary(*from_bytes.state) == bytes, "the binary form reads back the same");
  const std::string json = to_json(s);
  const read_state from_json = saved_state_from_json(json);
  require(from_json.state && to_json(*from_json.state) == json, "the JSON form reads back the same");
}

/// A configuration whose window is that of the state, so that the state's window is taken up.
config fitting(const saved_state& s) {
  config c{.failure_threshold = 3, .open_duration = 10s, .open_duration_multiplier = 2, .half_open_max_calls = 2};
  if (s.window_duration > 0ns) {
    c.window = last(s.window_duration);
    c.window_buckets = s.window_size;
  } else {
    c.window = calls(s.window_size);
  }
  c.failure_rate_threshold = 0.5;
  return c;
}

void use(circuit_breaker& breaker, testing::manual_clock& clock) {
  for (const verdict v : {verdict::success, verdict::failure, verdict::timeout, verdict::ignored, verdict::failure}) {
    permit first = breaker.try_acquire();
    permit second = breaker.try_acquire();
    clock.advance(4s);
    first.settle(v);
    second.success();
    (void)to_json(breaker.snapshot());
  }
}

}  // namespace

void check_accepted(const saved_state& s) {
  require(validate(s).empty(), "an accepted state is valid");
  check_written(s);
  // Counting on from near the limit of what is accepted passes it, which no real counter ever does.
  const lifetime_metrics& m = s.metrics;
  for (const std::uint64_t count : {m.successes, m.failures, m.timeouts, m.ignored, m.abandoned, m.slow_calls, m.rejections,
                                    m.would_reject, m.late_results, m.expired_probes, m.transitions}) {
    if (count > std::uint64_t{1} << 61) return;
  }
  testing::manual_clock clock(1h);
  circuit_breaker breaker("fuzz", fitting(s), clock);
  breaker.restore(s, 1s);
  check_written(breaker.save());
  use(breaker, clock);
  check_written(breaker.save());
  breaker.trip("by hand");
  clock.advance(1h);
  use(breaker, clock);
  breaker.reset();
  require(breaker.is_closed(), "a reset closes");
  check_written(breaker.save());
}

}  // namespace switchgear::fuzz
