// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/clock.hpp>
#include <switchgear/config.hpp>
#include <switchgear/detail/chain.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/policy_event.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace switchgear::inline v1 {

/// What a rate_limiter may be told.
struct rate_limiter_options {
  std::string name = "rate_limiter";

  /// Calls per `per`, 1 … 1,000,000,000, and at most one per nanosecond. Take what the other side allows you, less what
  /// your other processes use of it.
  std::int64_t permits = 100;

  /// 1 ns … 24 h. `permits = 60, per = 1min` allows another burst than `permits = 1, per = 1s`: see burst.
  std::chrono::nanoseconds per = std::chrono::seconds(1);

  /// How many calls may come at once after a rest, 1 … 1,000,000,000; at most what fills up within a year. Default: `permits`,
  /// a token bucket that holds one `per`; then up to twice `permits` can pass in one `per`, once. 1 = smooth: calls are at
  /// least `per / permits` apart. Use 1 when the other side counts strictly.
  std::optional<std::int64_t> burst{};

  /// How long a call waits for its turn, 0 … 24 h; 0 = it is rejected at once. Calls that wait keep the order in which they
  /// came, and `max_wait` limits how many there are: `max_wait × permits / per`.
  std::chrono::nanoseconds max_wait{0};

  [[nodiscard]] std::vector<problem> validate() const;
};

/// A call would have exceeded a rate. retry_after() is the time until the next call is let through at once, unless others
/// come first.
class rate_limited_error : public rejected_error {
 public:
  rate_limited_error(const std::string& name, const std::string& rate, std::chrono::nanoseconds retry_after);
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// `100 per 1s`.
  [[nodiscard]] const std::string& limit() const noexcept { return limit_; }

 private:
  std::string name_, limit_;
};

/// What a rate_limiter has counted since it was made.
struct rate_limiter_metrics {
  std::uint64_t at_once = 0;    ///< calls that were let through without waiting
  std::uint64_t delayed = 0;    ///< calls that got a turn they had to wait for; those that gave it up included
  std::uint64_t rejected = 0;   ///< calls whose turn would have come too late
  std::uint64_t cancelled = 0;  ///< calls that were asked to stop before their turn
  std::uint64_t lost = 0;       ///< of these, turns that could not be given back because later ones had been given out
};

/// Lets through so many calls per time. A handle: copies share the rate, metrics and observers.
///
///     sg::rate_limiter search{{.name = "search", .permits = 100, .per = 1s, .burst = 10, .max_wait = 200ms}};
///     auto hits = search.call([&] { return api.search(words); });
///
/// A call that comes too early waits for its turn, up to `max_wait`, or is rejected with rate_limited_error. A stop request
/// ends the waiting with cancelled_error; its turn is given back when no later turn has been given out, else it is lost: the
/// calls behind it have been told their times already.
///
/// In any interval of t nanoseconds, at most burst + t × permits / per calls are let through (both ends of the interval
/// included, each tick of the clock as long as it is; waiting calls at the moment of their turn). There is no drift: a caller
/// who always comes when his turn is gets exactly the rate, however long that goes on and whatever the rate.
///
/// Algorithm: the generic cell rate algorithm (ITU-T Recommendation I.371) on one atomic, the theoretical arrival time. It is
/// kept in units of `per / (permits × m)` for a whole m that makes them between a half and one nanosecond long, so that the
/// time between two calls is exactly m units and no rounding can add up.
///
/// Thread safety: all functions from any thread. A call costs one reading of the clock, one compare-and-swap and one counter.
class rate_limiter : public detail::callable_policy<rate_limiter> {
 public:
  static constexpr policy_kind kind = policy_kind::rate_limiter;
  static constexpr bool waits = true;

  /// Throws config_error. Begins with a full burst. `source` has to outlive the calls.
  explicit rate_limiter(rate_limiter_options options = {}, clock& source = steady_clock());

  template <class Next>
  typename Next::result run(const Next& next, const execution& e) const {
    wait_for_turn(e);
    return next(e);
  }

  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] const rate_limiter_options& options() const noexcept;
  [[nodiscard]] clock& time_source() const noexcept;
  [[nodiscard]] rate_limiter_metrics metrics() const;
  /// How many calls would be let through at once now, 0 … burst.
  [[nodiscard]] std::int64_t available() const noexcept;
  /// Told when a call is rejected (`rejected`, with retry_after as its delay).
  [[nodiscard]] subscription observe(std::function<void(const policy_event&)> handler) const;
  /// `rate_limiter(100 per 1s, burst 10, waits up to 200ms)`.
  [[nodiscard]] std::string describe() const;

  // --- for adapters: the same decisions without waiting ---

  /// A turn, or how far away it is.
  struct [[nodiscard]] reservation {
    bool granted = false;
    /// When granted: how long to wait before the call, 0 … max_wait. Else: how long until a call is let through at once.
    std::chrono::nanoseconds wait{0};
    std::uint64_t mark = 0;  ///< for give_back()
  };

  /// Takes the next turn unless it is more than `max_wait` (0 … 24 h) after `now`, a time of time_source(). A rejection is
  /// counted and told, and changes nothing else.
  reservation reserve(std::chrono::nanoseconds now, std::chrono::nanoseconds max_wait,
                      const call_context& context = {}) const noexcept;
  /// The same with the policy's own clock and max_wait.
  reservation reserve(const call_context& context = {}) const noexcept;
  /// A granted turn is not used, counted as cancelled. Once per reservation. False when it is lost.
  bool give_back(const reservation& r) const noexcept;
  /// What to throw for a reservation that was not granted.
  [[nodiscard]] rate_limited_error limited_error(const reservation& r) const;
  /// What to throw when the wait was cut short.
  [[nodiscard]] cancelled_error stop_error() const;

 private:
  struct state;
  void wait_for_turn(const execution& e) const;
  std::shared_ptr<state> state_;
};

}  // namespace switchgear::inline v1
