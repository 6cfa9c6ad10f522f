// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1 {

/// What the rules about rates and counts look at: the last N calls, or the calls of the last while.
/// Written `calls(100)` or `last(60s)`.
struct window_size {
  std::int64_t calls = 0;                ///< 1 … 10,000; 0 when the window is a duration
  std::chrono::nanoseconds duration{0};  ///< 100 ms … 24 h; 0 when the window counts calls
  bool timed = false;                    ///< which of the two it is

  friend bool operator==(const window_size&, const window_size&) = default;
};

/// A window over the last `n` calls, 1 … 10,000.
[[nodiscard]] constexpr window_size calls(std::int64_t n) noexcept { return {.calls = n}; }

/// A window over the calls of the last `d`, 100 ms … 24 h.
[[nodiscard]] constexpr window_size last(std::chrono::nanoseconds d) noexcept { return {.duration = d, .timed = true}; }

/// One thing that is wrong with a configuration.
struct problem {
  std::string key;      ///< the key as it was written, `failure_threshold`
  std::string value;    ///< the value as it was given
  std::string allowed;  ///< the allowed range, `0 … 1048576, 0 = off`; may be empty
  std::string message;  ///< what is wrong, one sentence, without the three above

  friend bool operator==(const problem&, const problem&) = default;
};

/// `key = value: message (allowed: range)`.
[[nodiscard]] std::string to_string(const problem& p);

/// How a circuit breaker behaves. An aggregate, in the order of the contract's table, so that designated initialisers
/// read like a configuration file:
///
///     sg::config{.failure_threshold = 3, .window = sg::last(60s), .open_duration = 30s}
///
/// An empty optional means "the default, which depends on other keys"; it follows them when they change. A value of 0 is
/// always 0, never "not set". Numbers are wider than their ranges so that validate() sees what was written.
struct config {
  /// A pass-through when false: nothing is counted, nothing is rejected, state() answers `disabled`.
  bool enabled = true;

  /// Judge and report, but admit every call. Use it to try thresholds on live traffic before they can hurt.
  bool shadow = false;

  /// Open after this many failures in a row; 0 … 2^20, 0 = off. Lower trips sooner on noise: 3 for calls that are dear,
  /// 5 for most, 10 for flaky services.
  std::int64_t failure_threshold = 5;

  /// What the rate and count rules look at: `calls(1 … 10,000)` or `last(100ms … 24h)`. Prefer time when the traffic varies.
  window_size window = switchgear::calls(100);

  /// How finely a time window slides, 1 … 60 buckets. Ignored by count windows.
  std::int64_t window_buckets = 10;

  /// Rates are not judged before the window holds this many verdicts; 1 … 2^20, not above a count window.
  /// Default: 10, or the count window if that is smaller.
  std::optional<std::int64_t> minimum_calls{};

  /// Open when this share of the window failed, (0, 1], compared with `>=`; 0 = off. Held in millionths.
  double failure_rate_threshold = 0.0;

  /// Open when the window holds this many failures, 0 … 2^20, 0 = off.
  std::int64_t failure_count_threshold = 0;

  /// A call that takes at least this long is slow; 0 = off. Costs two clock reads a call.
  std::chrono::nanoseconds slow_call_duration{0};

  /// Open when this share of the window was slow, (0, 1]. Default 1. Setting it without slow_call_duration is an error.
  std::optional<double> slow_call_rate_threshold{};

  /// How long an open circuit rejects before it lets a probe through, 0 … 24 h. A longer one means more rejections, not fewer.
  std::chrono::nanoseconds open_duration = std::chrono::seconds(60);

  /// Each failed recovery multiplies the open duration by this, 1 … 10. Held in millionths.
  double open_duration_multiplier = 1.0;

  /// The longest the multiplier can make it; at least open_duration. Default: 10 min, or open_duration if that is longer.
  std::optional<std::chrono::nanoseconds> max_open_duration{};

  /// Up to this share of the open duration is added at random, 0 … 1, so that a fleet does not probe in step. Held in millionths.
  double jitter = 0.0;

  /// The least time from an opening to the next probe, whatever the other keys say.
  std::chrono::nanoseconds min_reset_interval{0};

  /// Probes in flight at a time while half-open, 1 … 1,000.
  std::int64_t half_open_max_calls = 1;

  /// Probe successes that close the circuit, 1 … 1,000. May be larger than half_open_max_calls.
  std::int64_t success_threshold = 2;

  /// A probe without a verdict loses its slot after this; 0 = never (then a lost probe holds its slot until the circuit
  /// is reset). Default: open_duration, at least 1 s.
  std::optional<std::chrono::nanoseconds> probe_timeout{};

  /// A call that takes longer has failed with call_timeout_error; 0 = off. Cooperative, see circuit_breaker::call.
  std::chrono::nanoseconds call_timeout{0};

  /// How many transitions history() keeps, 0 … 100,000.
  std::int64_t state_history = 1000;

  /// Every problem at once, in the order of the keys; empty when the configuration is good.
  [[nodiscard]] std::vector<problem> validate() const;

  friend bool operator==(const config&, const config&) = default;
};

/// The problem with a breaker's name, if there is one: it has to be 1 to 200 bytes of UTF-8 without control characters.
[[nodiscard]] std::optional<problem> validate_name(std::string_view name);

/// A duration as files spell it, exactly, in the largest unit that keeps it short: `1.5s`, `30s`, `2m`, `0s`.
[[nodiscard]] std::string format_duration(std::chrono::nanoseconds d);

/// Configurations to start from. Each gives a plain config that can be changed before use.
namespace presets {

config standard();       ///< 5 failures, 60 s open, 2 successes, 30 s a call
config strict();         ///< 3, 120 s, 3, 10 s: opens sooner, stays open longer
config lenient();        ///< 10, 30 s, 1, 60 s: tolerates more
config fast_recovery();  ///< 5, 10 s, 1, 30 s: tries again soon
config llm();            ///< 3, 90 s, 2, 120 s: calls are dear and slow, so fail fast
config service();        ///< 5, 30 s, 2, 15 s: files, databases, plain APIs
config fast_fail();      ///< 3, 30 s, 2; or 30 % of at least 5 calls in 60 s
config resilient();      ///< 10, 120 s, 5, five probes; or 60 % of at least 20 calls in 300 s

config blackbox5();       ///< the defaults of BlackBox 5, = standard
config omnibase_core();   ///< no consecutive rule; 5 failures or 50 % of at least 10 calls in 120 s; 3 probes, 3 successes
config omnibase_infra();  ///< 5, 30 s, 1
config mlx();             ///< 5, 60 s, 1
config superego();        ///< 5, 30 s, 1, 10 s a call
config bindu();           ///< 3, 30 s, 1; a pass-through until the environment enables it

/// `llm` for llm, ai, researcher and writer; `service` for file, database and api; `standard` for any other type.
config for_agent(std::string_view type);

/// The preset of that name, or nothing.
std::optional<config> find(std::string_view name);

/// The names find() knows.
std::vector<std::string_view> names();

}  // namespace presets
}  // namespace switchgear::inline v1
