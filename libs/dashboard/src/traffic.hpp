// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "circuit_row.hpp"

#include <switchgear/snapshot.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace switchgear::inline v1::detail {

/// What rates and series are made of: counters that grow until somebody sets them back.
struct call_totals {
  std::uint64_t calls = 0;       ///< rejections among them
  std::uint64_t judged = 0;      ///< successes and failures
  std::uint64_t failures = 0;
  std::uint64_t slow = 0;
  std::uint64_t rejections = 0;
  friend bool operator==(const call_totals&, const call_totals&) = default;
};

[[nodiscard]] call_totals totals_of(const lifetime_metrics& m) noexcept;

/// Ten seconds of the board's clock.
inline constexpr std::chrono::seconds series_step{10};
/// One hour of them.
inline constexpr std::size_t series_length = 360;

[[nodiscard]] constexpr std::int64_t step_of(std::chrono::nanoseconds t) noexcept {
  return t / std::chrono::nanoseconds(series_step);
}

/// Which of the last 360 steps somebody looked in: those in between tell nothing.
class looked_steps {
 public:
  void look(std::int64_t step);
  [[nodiscard]] bool looked(std::int64_t step) const noexcept;

 private:
  std::deque<std::int64_t> steps_;
};

/// The calls of one circuit, as far as they are needed to say how many there were lately. Not thread-safe.
class traffic {
 public:
  /// From `since` to when somebody `looked` the last time the totals were `before`; `now` they no longer are. Without
  /// `with_series` rates alone are kept.
  traffic(std::chrono::nanoseconds since, std::chrono::nanoseconds looked, std::chrono::nanoseconds now,
          const call_totals& before, bool with_series);

  /// The totals at `now`. Some that went back have begun anew: what they counted before is not known.
  void note(std::chrono::nanoseconds now, const call_totals& totals);

  [[nodiscard]] measured_rates rates() const noexcept { return rates_; }
  [[nodiscard]] bool has_series() const noexcept { return with_series_; }
  /// Whether the last hour had no call.
  [[nodiscard]] bool is_over(std::chrono::nanoseconds now) const noexcept {
    return step_of(now) - last_step_ > static_cast<std::int64_t>(series_length);
  }

  /// How much was counted in one step of ten seconds.
  struct step {
    std::int64_t number = 0;
    std::uint32_t calls = 0, failures = 0, slow = 0, rejections = 0;
  };
  [[nodiscard]] const std::vector<step>& steps() const noexcept { return steps_; }  ///< those with calls, oldest first

 private:
  struct sample {
    std::chrono::nanoseconds at;
    call_totals totals;
  };
  void count(std::int64_t number, const call_totals& from, const call_totals& to);

  std::deque<sample> samples_;  ///< about a second apart, the first about ten seconds ago
  call_totals last_;
  std::vector<step> steps_;
  std::int64_t last_step_;
  measured_rates rates_;
  bool with_series_;
};

/// `series` of the API: the steps from `first` to the one of `now`, which is still under way, at most 360.
/// `calls` may be null: there were none. `wall` is the wall time at `now`.
[[nodiscard]] std::string series_json(const traffic* calls, const looked_steps& looked, std::int64_t first,
                                      std::chrono::nanoseconds now, std::chrono::system_clock::time_point wall);

/// The same for a circuit whose calls nobody counts, or of which no series is kept.
[[nodiscard]] std::string empty_series_json(std::chrono::system_clock::time_point wall);

}  // namespace switchgear::inline v1::detail
