// SPDX-License-Identifier: Apache-2.0
#include <switchgear/machine/settings.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace switchgear::inline v1::machine {
namespace {

__extension__ using wide = unsigned __int128;

std::uint32_t millionths(double share) noexcept { return static_cast<std::uint32_t>(std::llround(share * 1e6)); }

/// floor(base × (over / under)^power) if it is at most `limit`, else `limit`. The numerator is built exactly; dividing it
/// by `under` once per power and cutting each time gives the same as one division by under^power.
std::int64_t scaled(std::int64_t base, std::uint64_t over, std::uint64_t under, std::uint32_t power,
                    std::int64_t limit) noexcept {
  const long double estimate =
      static_cast<long double>(base) *
      std::pow(static_cast<long double>(over) / static_cast<long double>(under), static_cast<long double>(power));
  if (estimate > static_cast<long double>(limit) * 1.001L) return limit;

  std::array<std::uint64_t, 64> limbs{};
  limbs[0] = static_cast<std::uint64_t>(base);
  std::size_t used = 1;
  for (std::uint32_t i = 0; i < power; ++i) {
    wide carry = 0;
    for (std::size_t k = 0; k < used; ++k) {
      carry += static_cast<wide>(limbs[k]) * over;
      limbs[k] = static_cast<std::uint64_t>(carry);
      carry >>= 64;
    }
    if (carry != 0) {
      if (used == limbs.size()) return std::min(limit, static_cast<std::int64_t>(estimate));
      limbs[used++] = static_cast<std::uint64_t>(carry);
    }
  }
  for (std::uint32_t i = 0; i < power; ++i) {
    wide rest = 0;
    for (std::size_t k = used; k-- > 0;) {
      rest = rest << 64 | limbs[k];
      limbs[k] = static_cast<std::uint64_t>(rest / under);
      rest %= under;
    }
    while (used > 1 && limbs[used - 1] == 0) --used;
  }
  if (used > 1 || limbs[0] > static_cast<std::uint64_t>(limit)) return limit;
  return static_cast<std::int64_t>(limbs[0]);
}

}  // namespace

settings resolve(const config& c, std::uint64_t epoch) noexcept {
  settings s;
  s.epoch = epoch;
  s.enabled = c.enabled;
  s.shadow = c.shadow;
  s.failure_threshold = static_cast<std::uint32_t>(c.failure_threshold);
  s.timed_window = c.window.timed;
  s.window_calls = static_cast<std::uint32_t>(c.window.calls);
  s.window_duration = c.window.duration.count();
  s.window_buckets = static_cast<std::uint32_t>(c.window_buckets);
  const std::int64_t usual = c.window.timed ? 10 : std::min<std::int64_t>(10, c.window.calls);
  s.minimum_calls = static_cast<std::uint32_t>(c.minimum_calls.value_or(usual));
  s.failure_rate = millionths(c.failure_rate_threshold);
  s.failure_count = static_cast<std::uint32_t>(c.failure_count_threshold);
  s.slow_rate = millionths(c.slow_call_rate_threshold.value_or(1.0));
  s.slow_call_duration = c.slow_call_duration.count();
  s.open_duration = c.open_duration.count();
  s.max_open_duration =
      c.max_open_duration.value_or(std::max<std::chrono::nanoseconds>(std::chrono::minutes(10), c.open_duration)).count();
  s.multiplier = millionths(c.open_duration_multiplier);
  s.jitter = millionths(c.jitter);
  s.min_reset_interval = c.min_reset_interval.count();
  s.half_open_max_calls = static_cast<std::uint32_t>(c.half_open_max_calls);
  s.success_threshold = static_cast<std::uint32_t>(c.success_threshold);
  s.probe_timeout =
      c.probe_timeout.value_or(std::max<std::chrono::nanoseconds>(std::chrono::seconds(1), c.open_duration)).count();
  s.call_timeout = c.call_timeout.count();
  s.state_history = static_cast<std::uint32_t>(c.state_history);
  return s;
}

std::int64_t open_duration(const settings& s, std::uint32_t attempt, std::uint32_t random) noexcept {
  const std::uint64_t common = std::gcd(s.multiplier, 1'000'000u);
  std::int64_t d = std::min(s.open_duration, s.max_open_duration);
  if (attempt > 0 && s.multiplier > 1'000'000 && s.open_duration > 0) {
    d = scaled(s.open_duration, s.multiplier / common, 1'000'000 / common, attempt, s.max_open_duration);
  }
  const wide extra = static_cast<wide>(d) * s.jitter * random / 1'000'000u >> 32;
  const auto more = static_cast<std::int64_t>(std::min<wide>(extra, static_cast<wide>(INT64_MAX - d)));
  return std::max(d + more, s.min_reset_interval);
}

}  // namespace switchgear::inline v1::machine
