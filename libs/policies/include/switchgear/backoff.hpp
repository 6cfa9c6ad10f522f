// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace switchgear::inline v1 {

/// How long to wait before the next attempt. A value: written `constant(1s)`, `exponential(100ms).up_to(10s).with_jitter()`
/// or `decorrelated(100ms).up_to(10s)`.
///
/// Use jitter whenever more than one client may fail at the same moment: without it they come back at the same moment too.
/// The formulas are those of Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
class backoff {
 public:
  enum class growth : std::uint8_t { constant, exponential, decorrelated };
  enum class jitter : std::uint8_t {
    none,
    full,   ///< anywhere between at_least() and the delay
    equal,  ///< anywhere in the upper half
  };

  /// `base`: the first delay, 0 … 24 h. `multiplier`: 1 … 10, of exponential growth.
  backoff(growth g, std::chrono::nanoseconds base, double multiplier) : growth_(g), base_(base), multiplier_(multiplier) {}

  /// The longest delay, at least `base`; 24 h unless said. Half of what your callers would wait is a good start.
  [[nodiscard]] backoff up_to(std::chrono::nanoseconds most) const;
  /// The shortest delay that jitter may make, at most `base`; 0 unless said.
  [[nodiscard]] backoff at_least(std::chrono::nanoseconds least) const;
  [[nodiscard]] backoff with_jitter() const { return with(jitter::full); }
  [[nodiscard]] backoff with_equal_jitter() const { return with(jitter::equal); }

  /// The delay before retry number `retry` (from 1). `previous` is the delay before (0 for the first), of which decorrelated
  /// growth goes out; `random` is in [0, 1).
  [[nodiscard]] std::chrono::nanoseconds delay(int retry, std::chrono::nanoseconds previous, double random) const noexcept;

  /// The same with a random number of this thread.
  [[nodiscard]] std::chrono::nanoseconds delay(int retry, std::chrono::nanoseconds previous) const noexcept;

  /// The bounds of delay(retry): whatever the random number, it lies between them.
  [[nodiscard]] std::chrono::nanoseconds shortest(int retry) const noexcept;
  [[nodiscard]] std::chrono::nanoseconds longest(int retry) const noexcept;

  /// `exponential 100ms … 10s, full jitter`.
  [[nodiscard]] std::string describe() const;
  [[nodiscard]] std::vector<problem> validate() const;

  friend bool operator==(const backoff&, const backoff&) = default;

 private:
  [[nodiscard]] backoff with(jitter j) const;
  [[nodiscard]] std::chrono::nanoseconds unjittered(int retry) const noexcept;

  growth growth_;
  jitter jitter_ = jitter::none;
  std::chrono::nanoseconds base_;
  double multiplier_;
  std::chrono::nanoseconds most_ = std::chrono::hours(24);
  std::chrono::nanoseconds least_{0};
};

/// Always `d`.
[[nodiscard]] inline backoff constant(std::chrono::nanoseconds d) { return {backoff::growth::constant, d, 1.0}; }

/// `base`, then `multiplier` times as long each time.
[[nodiscard]] inline backoff exponential(std::chrono::nanoseconds base, double multiplier = 2.0) {
  return {backoff::growth::exponential, base, multiplier};
}

/// Anywhere between `base` and three times the delay before. Random by nature; jitter adds nothing.
[[nodiscard]] inline backoff decorrelated(std::chrono::nanoseconds base) { return {backoff::growth::decorrelated, base, 3.0}; }

}  // namespace switchgear::inline v1
