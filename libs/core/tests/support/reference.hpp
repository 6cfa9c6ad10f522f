// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>
#include <switchgear/state.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace switchgear::testing {

/// A natural number of any size, for checking products exactly.
class natural {
 public:
  explicit natural(std::uint64_t n) {
    for (; n != 0; n >>= 32) digits_.push_back(static_cast<std::uint32_t>(n));
  }
  natural& operator*=(std::uint32_t factor) {
    std::uint64_t carry = 0;
    for (auto& d : digits_) {
      carry += std::uint64_t{d} * factor;
      d = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) digits_.push_back(static_cast<std::uint32_t>(carry));
    return *this;
  }
  [[nodiscard]] natural times(std::uint64_t factor) const {
    natural low = *this, high = *this;
    low *= static_cast<std::uint32_t>(factor);
    high *= static_cast<std::uint32_t>(factor >> 32);
    high.digits_.insert(high.digits_.begin(), 0);
    low.digits_.resize(std::max(low.digits_.size(), high.digits_.size()) + 1);
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < low.digits_.size(); ++i) {
      carry += low.digits_[i] + std::uint64_t{i < high.digits_.size() ? high.digits_[i] : 0};
      low.digits_[i] = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    return low;
  }
  friend bool operator<=(const natural& a, const natural& b) {
    for (std::size_t i = std::max(a.digits_.size(), b.digits_.size()); i-- > 0;) {
      const std::uint32_t x = i < a.digits_.size() ? a.digits_[i] : 0, y = i < b.digits_.size() ? b.digits_[i] : 0;
      if (x != y) return x < y;
    }
    return true;
  }

 private:
  std::vector<std::uint32_t> digits_;  ///< of 32 bits, the lowest first
};

/// floor(base × (millionths / 1,000,000)^power), at most `limit`: the largest number that does not exceed the product.
inline std::int64_t product_by_search(std::int64_t base, std::uint32_t millionths, std::uint32_t power,
                                      std::int64_t limit) {
  natural product(static_cast<std::uint64_t>(base)), unit(1);
  for (std::uint32_t i = 0; i < power; ++i) product *= millionths, unit *= 1'000'000;
  std::int64_t low = 0, high = limit;
  while (low < high) {
    const std::int64_t middle = low + (high - low + 1) / 2;
    if (unit.times(static_cast<std::uint64_t>(middle)) <= product) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

/// The contract's sections 1 to 5 and 9 as plainly as they can be written down, for one thread. Times are nanoseconds.
class reference {
 public:
  using time = std::int64_t;
  struct permit {
    enum { call, probe, shadow, pass_through } kind = call;
    std::uint64_t generation = 0;
    time start = 0;
    time lease_end = 0;  ///< -1 = never
    std::int64_t slot = -1;
    bool settled = false;
  };
  struct step {
    state from, to;
    std::uint64_t generation;
    std::uint64_t failure_count;
  };
  struct answer {
    std::optional<std::size_t> permit;  ///< number of the permit; none = rejected
    bool would_reject = false;
    rejection_reason reason = rejection_reason::open;
    std::optional<time> retry_after;
  };
  struct counters {
    std::uint64_t successes = 0, failures = 0, timeouts = 0, ignored = 0, abandoned = 0, slow_calls = 0, rejections = 0,
                  would_reject = 0, late_results = 0, expired_probes = 0, transitions = 0;
  };

  explicit reference(const config& c) : settings(c) {}

  // --- what can be seen ---

  [[nodiscard]] state seen_state() const {
    if (!settings.enabled) return state::disabled;
    if (!due()) return circuit;
    return circuit == state::open ? state::half_open : state::closed;
  }
  [[nodiscard]] std::optional<time> retry_after() const {
    if (!settings.enabled || settings.shadow) return {};
    if (circuit == state::open && !due()) return *end - now;
    if (circuit == state::half_open && in_flight() >= settings.half_open_max_calls) return 0;
    return {};
  }
  [[nodiscard]] std::int64_t in_flight() const {
    std::int64_t n = 0;
    for (const auto& [slot, number] : slots) n += !lease_over(permits[number]);
    return n;
  }
  struct held {
    std::uint64_t calls = 0, failures = 0, slow = 0;
  };
  [[nodiscard]] held window() const {
    held sum;
    const std::size_t first = settings.window.timed || marks.size() <= static_cast<std::size_t>(settings.window.calls)
                                  ? 0
                                  : marks.size() - static_cast<std::size_t>(settings.window.calls);
    for (std::size_t i = first; i < marks.size(); ++i) {
      if (settings.window.timed && bucket(now) - bucket(marks[i].at) >= settings.window_buckets) continue;
      ++sum.calls;
      sum.failures += marks[i].failed;
      sum.slow += marks[i].slow;
    }
    return sum;
  }

  // --- calls ---

  answer acquire() {
    if (!settings.enabled) return admit({.kind = permit::pass_through});
    make_due();
    switch (circuit) {
      case state::closed:
      case state::disabled:
        return admit({.kind = permit::call, .generation = generation, .start = now});
      case state::open:
        return reject(rejection_reason::open, *end - now);
      case state::forced_open:
        return reject(rejection_reason::forced_open, {});
      case state::half_open:
        break;
    }
    if (in_flight() >= settings.half_open_max_calls) return reject(rejection_reason::half_open_limit, 0);
    // A free slot first, else the one whose lease ended longest ago.
    std::int64_t chosen = -1;
    for (std::int64_t i = 0; i < settings.half_open_max_calls && chosen < 0; ++i) {
      if (slots.count(i) == 0) chosen = i;
    }
    if (chosen < 0) {
      for (const auto& [slot, number] : slots) {
        if (slot >= settings.half_open_max_calls || !lease_over(permits[number])) continue;
        if (chosen < 0 || permits[number].lease_end < permits[slots.at(chosen)].lease_end) chosen = slot;
      }
      ++lifetime.expired_probes;
    }
    slots[chosen] = permits.size();
    return admit({.kind = permit::probe,
                  .generation = generation,
                  .start = now,
                  .lease_end = probe_timeout() == 0 ? -1 : now + probe_timeout(),
                  .slot = chosen});
  }

  void settle(std::size_t number, verdict v) {
    permit& p = permits[number];
    if (p.settled) return;
    p.settled = true;
    if (p.kind == permit::pass_through) return;
    const bool present = p.kind != permit::shadow && p.generation == generation;
    const bool holds_slot =
        p.kind == permit::probe && present && slots.count(p.slot) != 0 && slots.at(p.slot) == number;
    const bool lost = p.kind == permit::probe && present && (!holds_slot || lease_over(p));
    if (holds_slot) {
      if (lease_over(p)) ++lifetime.expired_probes;
      slots.erase(p.slot);
    }
    if (v == verdict::ignored) ++lifetime.ignored;
    if (v == verdict::abandoned) ++lifetime.abandoned;
    if (v == verdict::ignored || v == verdict::abandoned) return;

    const bool failed = v != verdict::success;
    ++(failed ? lifetime.failures : lifetime.successes);
    if (v == verdict::timeout) ++lifetime.timeouts;
    const time slow_from = settings.slow_call_duration.count();
    const bool slow = slow_from > 0 && now - p.start >= slow_from;
    if (slow) ++lifetime.slow_calls;
    if (!present || lost) {
      ++lifetime.late_results;
      return;
    }
    if (circuit == state::disabled) return;
    if (circuit == state::half_open) {
      if (failed || slow) {
        open(failure_count + 1, attempt + 1);
      } else if (++successes >= settings.success_threshold) {
        closed_at = now;
        move(state::closed);
      }
      return;
    }
    marks.push_back({now, failed, slow});
    consecutive = failed ? consecutive + 1 : 0;
    judge();
  }

  // --- operators ---

  void advance() {
    if (settings.enabled) make_due();
  }
  void trip() {
    advance();
    if (settings.enabled && (circuit == state::closed || circuit == state::half_open)) open(0, 0);
  }
  /// True when it was in force and got a new end.
  bool override_with(state kind, std::optional<time> until) {
    if (!settings.enabled) return false;
    make_due();
    const bool again = circuit == kind;
    if (!again) move(kind);
    end = until;
    return again;
  }
  void release() {
    advance();
    if (settings.enabled && (circuit == state::forced_open || circuit == state::disabled)) move(state::closed);
  }
  void reset() {
    if (!settings.enabled) return;
    make_due();
    attempt = 0;
    closed_at.reset();
    move(state::closed);
  }
  void reset_metrics() { lifetime = {}; }
  void reconfigure(const config& next) {
    const bool both_count = !settings.window.timed && !next.window.timed;
    const bool same =
        settings.window == next.window && (!next.window.timed || settings.window_buckets == next.window_buckets);
    if (both_count) {
      const auto kept = static_cast<std::size_t>(std::min(settings.window.calls, next.window.calls));
      while (marks.size() > kept) marks.pop_front();
    } else if (!same) {
      marks.clear();
    }
    settings = next;
  }

  // --- resolved defaults ---

  [[nodiscard]] time open_duration() const { return settings.open_duration.count(); }
  [[nodiscard]] time probe_timeout() const {
    return settings.probe_timeout ? settings.probe_timeout->count() : std::max<time>(1'000'000'000, open_duration());
  }
  [[nodiscard]] std::int64_t minimum_calls() const {
    if (settings.minimum_calls) return *settings.minimum_calls;
    return settings.window.timed ? 10 : std::min<std::int64_t>(10, settings.window.calls);
  }
  [[nodiscard]] time open_period(std::uint32_t tries) const {
    const time longest = settings.max_open_duration ? settings.max_open_duration->count()
                                                    : std::max<time>(600'000'000'000, open_duration());
    const auto multiplier = static_cast<std::uint32_t>(std::llround(settings.open_duration_multiplier * 1e6));
    return std::max(product_by_search(open_duration(), multiplier, tries, longest),
                    settings.min_reset_interval.count());
  }

  struct mark {
    time at;
    bool failed, slow;
  };
  config settings;
  time now = 0;
  state circuit = state::closed;
  std::uint64_t generation = 0;
  std::uint64_t consecutive = 0, failure_count = 0;
  std::int64_t successes = 0;
  std::uint32_t attempt = 0;
  std::optional<time> end;        ///< of the open period or of the override
  std::optional<time> closed_at;  ///< when half-open last closed
  std::deque<mark> marks;
  std::map<std::int64_t, std::size_t> slots;  ///< of this generation: slot → permit
  std::vector<permit> permits;
  std::vector<step> history;
  counters lifetime;

 private:
  [[nodiscard]] bool due() const {
    return (circuit == state::open || circuit == state::forced_open || circuit == state::disabled) && end &&
           now >= *end;
  }
  void make_due() {
    if (due()) move(circuit == state::open ? state::half_open : state::closed);
  }
  void move(state to) {
    if (to != circuit) ++lifetime.transitions;
    ++generation;
    if (to == state::closed) failure_count = 0;
    history.push_back({circuit, to, generation, failure_count});
    circuit = to;
    marks.clear();
    consecutive = 0;
    successes = 0;
    slots.clear();
    end.reset();
  }
  void open(std::uint64_t count, std::uint32_t tries) {
    failure_count = count;
    attempt = tries;
    move(state::open);
    end = now + open_period(attempt);
  }
  void judge() {
    const held w = window();
    const auto reaches = [&w](std::uint64_t part, double rate) {
      return part * 1'000'000 >= static_cast<std::uint64_t>(std::llround(rate * 1e6)) * w.calls;
    };
    const bool enough = w.calls >= static_cast<std::uint64_t>(minimum_calls());
    const auto at_least = [](std::uint64_t n, std::int64_t limit) {
      return limit > 0 && n >= static_cast<std::uint64_t>(limit);
    };
    std::optional<std::uint64_t> fired;
    if (at_least(consecutive, settings.failure_threshold)) {
      fired = consecutive;
    } else if ((settings.failure_rate_threshold > 0 && enough &&
                reaches(w.failures, settings.failure_rate_threshold)) ||
               at_least(w.failures, settings.failure_count_threshold) ||
               (settings.slow_call_duration.count() > 0 && enough &&
                reaches(w.slow, settings.slow_call_rate_threshold.value_or(1.0)))) {
      fired = w.failures;
    }
    if (fired) open(*fired, closed_at && now - *closed_at < open_duration() ? attempt + 1 : 0);
  }
  [[nodiscard]] std::int64_t bucket(time t) const {
    __extension__ using wide = __int128;
    return static_cast<std::int64_t>(static_cast<wide>(t) * settings.window_buckets / settings.window.duration.count());
  }
  [[nodiscard]] bool lease_over(const permit& p) const { return p.lease_end >= 0 && now >= p.lease_end; }
  answer admit(const permit& p) {
    permits.push_back(p);
    answer out;
    out.permit = permits.size() - 1;
    return out;
  }
  answer reject(rejection_reason why, std::optional<time> retry) {
    if (!settings.shadow) {
      ++lifetime.rejections;
    } else {
      ++lifetime.would_reject;
    }
    answer out;
    if (settings.shadow) out = admit({.kind = permit::shadow, .start = now});
    out.would_reject = settings.shadow;
    out.reason = why;
    out.retry_after = retry;
    return out;
  }
};

}  // namespace switchgear::testing
