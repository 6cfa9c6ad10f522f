// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/counters.hpp>
#include <switchgear/detail/validation.hpp>
#include <switchgear/detail/waiting.hpp>
#include <switchgear/rate_limiter.hpp>

#include <algorithm>
#include <atomic>
#include <numeric>

namespace switchgear::inline v1 {
namespace {

using std::chrono::nanoseconds;
__extension__ using wide = unsigned __int128;

enum counter : std::size_t { at_once, delayed, rejected, cancelled, lost, counter_count };

constexpr std::int64_t most_permits = 1'000'000'000;
constexpr nanoseconds longest_fill = std::chrono::hours(24 * 365);

/// Times in units that divide the time between two calls exactly.
///
/// With the rate p calls per n nanoseconds in lowest terms, and m = ⌈n / p⌉, a unit is n / (p m) ns: between a half and one
/// nanosecond, as p ≤ n. The time between two calls is m units, whole. Ticks of the clock fall between units unless p = 1 (then a
/// unit is a nanosecond): a time in units has been reached with the first tick at or after it. Whoever comes with that very tick
/// could not have come any nearer, so he is taken to have come at the time itself; otherwise a caller who is always on time
/// would lose a part of a tick with each call.
class unit_scale {
 public:
  struct tick {
    std::uint64_t reached;  ///< the last unit that is not after the tick
    std::uint64_t on_time;  ///< the first unit that is after the tick before
  };

  unit_scale(std::int64_t permits, nanoseconds per) noexcept {
    const auto p = static_cast<std::uint64_t>(permits);
    const auto n = static_cast<std::uint64_t>(per.count());
    const std::uint64_t common = std::gcd(p, n);
    per_ = n / common;
    step_ = (per_ + p / common - 1) / (p / common);
    units_ = p / common * step_;
    quotient_ = static_cast<std::uint64_t>((static_cast<wide>(units_) << 63) / per_);
  }

  /// Units between two calls.
  [[nodiscard]] std::uint64_t step() const noexcept { return step_; }

  /// `t` in nanoseconds, 0 … 2^62.
  [[nodiscard]] tick at(std::uint64_t t) const noexcept {
    // ⌊t × units_ / per_⌋ without a division: the reciprocal is short by less than 2^-63, so the estimate by at most one.
    auto floor = static_cast<std::uint64_t>((static_cast<wide>(t) * quotient_) >> 63);
    std::uint64_t rest = t * units_ - floor * per_;  // modulo 2^64, of a difference that is small
    if (rest >= per_) {
      ++floor;
      rest -= per_;
    }
    return {floor, rest + per_ >= units_ || floor == 0 ? floor : floor - 1};
  }

  /// The first tick at which `u` has been reached.
  [[nodiscard]] std::uint64_t first_tick(std::uint64_t u) const noexcept {
    return static_cast<std::uint64_t>((static_cast<wide>(u) * per_ + units_ - 1) / units_);
  }

 private:
  std::uint64_t per_;    ///< n, at most 24 h of nanoseconds
  std::uint64_t step_;   ///< m
  std::uint64_t units_;  ///< p m, in [n, 2n]: so many units in n nanoseconds
  std::uint64_t quotient_;
};

}  // namespace

struct rate_limiter::state : detail::policy_state {
  state(rate_limiter_options o, clock& c)
      : policy_state("rate_limiter", o.name),
        options(std::move(o)),
        source(c),
        scale(options.permits, options.per),
        burst(options.burst.value_or(options.permits)),
        tolerance(scale.step() * static_cast<std::uint64_t>(burst - 1)),
        start(c.now()) {}

  /// Ticks since the limiter was made. After 2^62, some 146 years, time stands still.
  [[nodiscard]] std::uint64_t ticks(nanoseconds now) const noexcept {
    if (now <= start) return 0;
    const std::uint64_t gone = static_cast<std::uint64_t>(now.count()) - static_cast<std::uint64_t>(start.count());
    return std::min(gone, std::uint64_t{1} << 62);
  }

  [[nodiscard]] std::string rate() const { return std::to_string(options.permits) + " per " + format_duration(options.per); }

  const rate_limiter_options options;
  clock& source;
  const unit_scale scale;
  const std::int64_t burst;
  const std::uint64_t tolerance;  ///< how long before its theoretical time a call may come: the burst
  const nanoseconds start;
  detail::counters<counter_count> counts;

  /// When the next call would come if all came at the very rate, in units. Relaxed throughout: nothing else is ordered by it,
  /// and its own steps have one order anyway.
  alignas(64) std::atomic<std::uint64_t> arrival{0};
};

std::vector<problem> rate_limiter_options::validate() const {
  detail::validation v;
  v.name(name);
  v.in_range("permits", permits, 1, most_permits);
  v.in_range("per", per, nanoseconds(1), detail::a_day);
  if (permits >= 1 && permits <= most_permits && per.count() >= 1) {
    v.expect(permits <= per.count(), "permits", std::to_string(permits), "at most " + std::to_string(per.count()), "is more than one per nanosecond");
  }
  if (burst) {
    v.in_range("burst", *burst, 1, most_permits);
    if (*burst >= 1 && *burst <= most_permits && permits >= 1 && per.count() >= 1 && per <= detail::a_day) {
      const wide fill = static_cast<wide>(*burst) * static_cast<wide>(per.count()) / static_cast<wide>(permits);
      v.expect(fill <= static_cast<wide>(longest_fill.count()), "burst", std::to_string(*burst), "what fills up within a year",
               "takes more than a year to fill up");
    }
  }
  v.in_range("max_wait", max_wait, nanoseconds(0), detail::a_day);
  return v.take();
}

rate_limited_error::rate_limited_error(const std::string& name, const std::string& rate, nanoseconds retry_after)
    : rejected_error("rate limit " + name + " of " + rate + " reached: retry after " + format_duration(retry_after), retry_after),
      name_(name),
      limit_(rate) {}

rate_limiter::rate_limiter(rate_limiter_options options, clock& source) {
  detail::require_no(options.validate());
  state_ = std::make_shared<state>(std::move(options), source);
}

const std::string& rate_limiter::name() const noexcept { return state_->name(); }
const rate_limiter_options& rate_limiter::options() const noexcept { return state_->options; }
clock& rate_limiter::time_source() const noexcept { return state_->source; }
subscription rate_limiter::observe(std::function<void(const policy_event&)> handler) const {
  return state_->observe(std::move(handler));
}

rate_limiter_metrics rate_limiter::metrics() const {
  const auto count = [this](counter c) { return state_->counts.sum(c); };
  return {count(at_once), count(delayed), count(rejected), count(cancelled), count(lost)};
}

std::int64_t rate_limiter::available() const noexcept {
  const state& s = *state_;
  const unit_scale::tick now = s.scale.at(s.ticks(s.source.now()));
  const std::uint64_t arrival = s.arrival.load(std::memory_order_relaxed);
  if (arrival < now.on_time) return s.burst;
  if (arrival > now.reached + s.tolerance) return 0;
  return static_cast<std::int64_t>((now.reached + s.tolerance - arrival) / s.scale.step()) + 1;
}

std::string rate_limiter::describe() const {
  std::string text = "rate_limiter(" + state_->rate() + ", ";
  text += state_->burst == 1 ? std::string("smooth") : "burst " + std::to_string(state_->burst);
  if (options().max_wait.count() > 0) text += ", waits up to " + format_duration(options().max_wait);
  return text + ")";
}

rate_limiter::reservation rate_limiter::reserve(nanoseconds now, nanoseconds max_wait,
                                                const call_context& context) const noexcept {
  state& s = *state_;
  const std::uint64_t tick = s.ticks(now);
  const unit_scale::tick here = s.scale.at(tick);
  const auto patience = static_cast<std::uint64_t>(std::clamp(max_wait, nanoseconds(0), detail::a_day).count());
  std::uint64_t arrival = s.arrival.load(std::memory_order_relaxed);
  std::uint64_t wait = 0;
  for (;;) {
    wait = 0;
    if (arrival > here.reached + s.tolerance) {
      wait = s.scale.first_tick(arrival - s.tolerance) - tick;
      if (wait > patience) break;
    }
    const std::uint64_t next = (arrival >= here.on_time ? arrival : here.reached) + s.scale.step();
    if (s.arrival.compare_exchange_weak(arrival, next, std::memory_order_relaxed)) {
      s.counts.add(wait == 0 ? at_once : delayed);
      return {true, nanoseconds(wait), next};
    }
  }
  s.counts.add(rejected);
  const nanoseconds retry_after(wait);
  if (s.is_observed()) {
    try {
      s.tell({.kind = policy_event_kind::rejected,
              .reason = "the rate of " + s.rate() + " is reached",
              .delay = retry_after,
              .correlation_id = std::string(context.correlation_id)});
    } catch (...) {
      // No memory for the texts of an event: the rejection stands without it.
    }
  }
  return {false, retry_after, 0};
}

rate_limiter::reservation rate_limiter::reserve(const call_context& context) const noexcept {
  return reserve(state_->source.now(), state_->options.max_wait, context);
}

bool rate_limiter::give_back(const reservation& r) const noexcept {
  state& s = *state_;
  s.counts.add(cancelled);
  // Only the last turn given out leaves no gap. Whatever came after it and has been given back too is gone from the arrival.
  std::uint64_t expected = r.mark;
  if (s.arrival.compare_exchange_strong(expected, r.mark - s.scale.step(), std::memory_order_relaxed)) return true;
  s.counts.add(lost);
  return false;
}

rate_limited_error rate_limiter::limited_error(const reservation& r) const { return {name(), state_->rate(), r.wait}; }
cancelled_error rate_limiter::stop_error() const { return cancelled_error(name() + ": cancelled while waiting for its turn"); }

void rate_limiter::wait_for_turn(const execution& e) const {
  const nanoseconds now = state_->source.now();
  const reservation turn = reserve(now, state_->options.max_wait, e.context);
  if (!turn.granted) throw limited_error(turn);
  if (turn.wait.count() == 0) [[likely]] return;
  bool came = false;
  try {
    came = detail::sleep_until(state_->source, detail::later(now, turn.wait), e.stop);
  } catch (...) {
    give_back(turn);
    throw;
  }
  if (came) return;
  give_back(turn);
  throw stop_error();
}

}  // namespace switchgear::inline v1
