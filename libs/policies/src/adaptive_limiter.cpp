// SPDX-License-Identifier: Apache-2.0
#include <switchgear/adaptive_limiter.hpp>
#include <switchgear/detail/counters.hpp>
#include <switchgear/detail/validation.hpp>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cmath>
#include <limits>
#include <mutex>

namespace switchgear::inline v1 {
namespace {

using std::chrono::nanoseconds;

enum counter : std::size_t {
  entered,
  rejected,
  succeeded_calls,
  dropped_calls,
  ignored_calls,
  samples,  ///< of the round, whatever the round: differences are looked at
  sample_time,
  drops,
  counter_count
};

constexpr std::int64_t most_limit = 100'000;

/// How long the small limit of a measurement lasts, at least, when calls end without being samples: longer than a hiccup, shorter
/// than an outage.
constexpr int most_windows_without_samples = 3;

}  // namespace

struct adaptive_limiter::state : detail::policy_state {
  state(adaptive_limiter_options o, clock& c)
      : policy_state("adaptive_limiter", o.name),
        options(std::move(o)),
        source(c),
        limit(options.initial_limit),
        exact_limit(static_cast<double>(options.initial_limit)) {}
  ~state() { assert(in_flight.load() == 0 && "a call of this limiter outlived it"); }

  void leave() noexcept { in_flight.fetch_sub(1, std::memory_order_relaxed); }

  void sample(nanoseconds latency) noexcept {
    counts.add(sample_time, static_cast<std::uint64_t>(std::max(latency, nanoseconds(0)).count()));
    counts.add(samples);
  }

  /// Computes if the window is over. One thread does, the others go on.
  void look(nanoseconds now) noexcept {
    // Relaxed: a late look at the window's end only makes a window longer.
    if (now.count() < window_end.load(std::memory_order_relaxed)) return;
    const std::unique_lock lock(mutex, std::try_to_lock);
    if (!lock || now.count() < window_end.load(std::memory_order_relaxed)) return;
    end_of_window(now);
  }

  // What follows is called under the mutex.
  void end_of_window(nanoseconds now) noexcept;
  void begin_window(nanoseconds now) noexcept;
  void judge(nanoseconds latency, double kept) noexcept;
  /// `why` makes the text of the event, if anybody listens.
  template <class Why>
  void publish(double wanted, const Why& why) noexcept;
  template <class Why>
  void end_measuring(const Why& why) noexcept;

  const adaptive_limiter_options options;
  clock& source;
  detail::counters<counter_count> counts;

  // Relaxed everywhere: these are numbers, no data is handed on through them. Every change of in_flight is a step of one
  // atomic, so it never exceeds the limit that was read with it.
  alignas(64) std::atomic<std::int64_t> in_flight{0};
  alignas(64) std::atomic<std::int64_t> limit;
  std::atomic<std::int64_t> window_end{std::numeric_limits<std::int64_t>::min()};
  std::atomic<std::int64_t> most_in_flight{0};   ///< of this window
  std::atomic<std::uint32_t> round{0};           ///< calls that began in another round are no samples
  std::atomic<std::int64_t> normal{0};           ///< the latency without a queue, 0 until known
  std::atomic<std::int64_t> last_latency{0};
  std::atomic<std::uint64_t> windows{0};

  mutable std::mutex mutex;
  double exact_limit;
  double limit_before_measuring = 0;
  bool begun = false, measuring = false;
  int windows_without_samples = 0;  ///< while measuring
  std::int64_t loaded_windows = 0;  ///< since the normal latency was last seen without a queue
  std::uint64_t seen_samples = 0, seen_time = 0, seen_drops = 0, seen_ignored = 0;
};

void adaptive_limiter::state::begin_window(nanoseconds now) noexcept {
  seen_samples = counts.sum(samples);
  seen_time = counts.sum(sample_time);
  seen_drops = counts.sum(drops);
  seen_ignored = counts.sum(ignored_calls);
  most_in_flight.store(in_flight.load(std::memory_order_relaxed), std::memory_order_relaxed);
  window_end.store(detail::later(now, options.window).count(), std::memory_order_relaxed);
}

template <class Why>
void adaptive_limiter::state::publish(double wanted, const Why& why) noexcept {
  exact_limit = std::clamp(wanted, static_cast<double>(options.min_limit), static_cast<double>(options.max_limit));
  const auto fresh = static_cast<std::int64_t>(exact_limit);
  const std::int64_t before = limit.exchange(fresh, std::memory_order_relaxed);
  if (fresh == before || !is_observed()) return;
  try {
    tell({.kind = policy_event_kind::limit_changed,
          .reason = std::to_string(before) + " → " + std::to_string(fresh) + ": " + why()});
  } catch (...) {
    // No memory for the texts of an event: the limit stands without it.
  }
}

void adaptive_limiter::state::end_of_window(nanoseconds now) noexcept {
  if (!begun) {
    begun = true;
    begin_window(now);
    return;
  }
  // A lane that is written at this moment may show a time without its sample: an error of one call of many, once.
  const std::uint64_t count = counts.sum(samples) - seen_samples;
  const std::uint64_t lost = counts.sum(drops) - seen_drops;
  if (static_cast<std::int64_t>(count + lost) < options.min_samples) {
    // Slow calls are waited for; calls that end without saying anything are not.
    const bool says_nothing =
        static_cast<std::int64_t>(counts.sum(ignored_calls) - seen_ignored) >= options.min_samples;
    if (measuring && ++windows_without_samples >= most_windows_without_samples && says_nothing) {
      end_measuring([] { return std::string("too few calls say what the normal latency is"); });
      begin_window(now);
    } else {
      window_end.store(detail::later(now, options.window).count(), std::memory_order_relaxed);
    }
    return;
  }
  windows.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t time = counts.sum(sample_time) - seen_time;
  const auto latency = nanoseconds(count == 0 ? 0 : static_cast<std::int64_t>(time / count));
  if (count != 0) last_latency.store(latency.count(), std::memory_order_relaxed);
  judge(latency, static_cast<double>(count) / static_cast<double>(count + lost));
  begin_window(now);
}

template <class Why>
void adaptive_limiter::state::end_measuring(const Why& why) noexcept {
  measuring = false;
  windows_without_samples = 0;
  loaded_windows = 0;
  round.fetch_add(1, std::memory_order_relaxed);
  publish(limit_before_measuring, why);
}

/// `latency` is 0 when every call was dropped, and says nothing then; `kept` is the share that was not dropped.
void adaptive_limiter::state::judge(nanoseconds latency, double kept) noexcept {
  const auto fresh = static_cast<double>(latency.count());
  auto usual = static_cast<double>(normal.load(std::memory_order_relaxed));
  const auto store_normal = [&](double value) {
    usual = value;
    normal.store(std::max<std::int64_t>(1, std::llround(value)), std::memory_order_relaxed);
  };
  const auto most = static_cast<double>(most_in_flight.load(std::memory_order_relaxed));
  const bool is_loaded = most * 2 >= exact_limit;

  if (measuring) {
    if (latency.count() > 0) store_normal(fresh);
    end_measuring([] { return std::string("the normal latency has been measured"); });
    return;
  }
  if (latency.count() > 0) {
    if (usual == 0) {
      store_normal(fresh);
    } else if (fresh < usual) {
      store_normal((usual + fresh) / 2);
    } else if (!is_loaded) {
      store_normal(usual + (fresh - usual) / 10);
    }
  }
  if (!is_loaded) {
    loaded_windows = 0;
    return;  // a limit that nobody needs is not tried, so nothing says that a higher one would do
  }
  double gradient = latency.count() > 0 ? std::clamp(options.tolerance * usual / fresh, 0.5, 1.0) : 1.0;
  gradient = std::max(0.5, gradient * kept);
  const double wanted = exact_limit * gradient + std::sqrt(exact_limit) * kept;
  publish(exact_limit + options.smoothing * (wanted - exact_limit), [&] {
    return "latency " + format_duration(latency) + ", normal " + format_duration(nanoseconds(std::llround(usual))) +
           (kept < 1 ? ", some calls timed out" : "");
  });

  if (++loaded_windows >= options.long_window) {
    measuring = true;
    limit_before_measuring = exact_limit;
    round.fetch_add(1, std::memory_order_relaxed);
    publish(exact_limit / 4, [] { return std::string("the normal latency is being measured"); });
  }
}

std::vector<problem> adaptive_limiter_options::validate() const {
  detail::validation v;
  v.name(name);
  v.in_range("min_limit", min_limit, 1, most_limit);
  v.in_range("max_limit", max_limit, std::clamp<std::int64_t>(min_limit, 1, most_limit), most_limit);
  v.in_range("initial_limit", initial_limit, std::clamp<std::int64_t>(min_limit, 1, most_limit),
             std::clamp<std::int64_t>(max_limit, std::clamp<std::int64_t>(min_limit, 1, most_limit), most_limit));
  v.in_range("tolerance", tolerance, 1.0, 10.0);
  v.in_range("smoothing", smoothing, 0.000001, 1.0);
  v.in_range("window", window, std::chrono::milliseconds(1), std::chrono::hours(1));
  v.in_range("min_samples", min_samples, 1, 1'000'000);
  v.in_range("long_window", long_window, 2, 1'000'000);
  return v.take();
}

limit_exceeded_error::limit_exceeded_error(const std::string& name, std::int64_t limit)
    : rejected_error("adaptive limit of " + name + " reached: " + std::to_string(limit) + (limit == 1 ? " call" : " calls") +
                     " in flight"),
      name_(name),
      limit_(limit) {}

adaptive_limiter::adaptive_limiter(adaptive_limiter_options options, clock& source) {
  detail::require_no(options.validate());
  state_ = std::make_shared<state>(std::move(options), source);
}

const std::string& adaptive_limiter::name() const noexcept { return state_->name(); }
const adaptive_limiter_options& adaptive_limiter::options() const noexcept { return state_->options; }
clock& adaptive_limiter::time_source() const noexcept { return state_->source; }
std::int64_t adaptive_limiter::limit() const noexcept { return state_->limit.load(std::memory_order_relaxed); }
subscription adaptive_limiter::observe(std::function<void(const policy_event&)> handler) const {
  return state_->observe(std::move(handler));
}

adaptive_limiter_metrics adaptive_limiter::metrics() const {
  const state& s = *state_;
  const auto count = [&s](counter c) { return s.counts.sum(c); };
  return {count(entered),
          count(rejected),
          count(succeeded_calls),
          count(dropped_calls),
          count(ignored_calls),
          s.windows.load(),
          s.in_flight.load(),
          s.limit.load(),
          nanoseconds(s.normal.load()),
          nanoseconds(s.last_latency.load())};
}

std::string adaptive_limiter::describe() const {
  const adaptive_limiter_options& o = state_->options;
  std::string tolerance = std::to_string(o.tolerance);
  tolerance.erase(tolerance.find_last_not_of('0') + 1);
  if (tolerance.back() == '.') tolerance.pop_back();
  return "adaptive_limiter(" + std::to_string(o.min_limit) + " … " + std::to_string(o.max_limit) + " at a time, tolerance " +
         tolerance + ")";
}

adaptive_limiter::slot adaptive_limiter::try_enter(nanoseconds now, const call_context& context) const noexcept {
  state& s = *state_;
  const std::uint32_t round = s.round.load(std::memory_order_relaxed);
  std::int64_t seen = s.in_flight.load(std::memory_order_relaxed);
  while (seen < s.limit.load(std::memory_order_relaxed)) {
    if (!s.in_flight.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed)) continue;
    s.counts.add(entered);
    if (s.most_in_flight.load(std::memory_order_relaxed) < seen + 1) {
      // Two at a time may leave the smaller number: it differs by as many.
      s.most_in_flight.store(seen + 1, std::memory_order_relaxed);
    }
    return {s, now, round};
  }
  s.counts.add(rejected);
  s.look(now);  // the same where everything in flight was rejected further in
  if (s.is_observed()) {
    try {
      s.tell({.kind = policy_event_kind::rejected,
              .reason = "as many calls as the limit allows are in flight",
              .correlation_id = std::string(context.correlation_id)});
    } catch (...) {
      // No memory for the texts of an event: the rejection stands without it.
    }
  }
  return {};
}

limit_exceeded_error adaptive_limiter::exceeded_error() const { return {name(), limit()}; }

void adaptive_limiter::slot::succeeded(nanoseconds now) noexcept {
  if (owner_ == nullptr) return;
  state& s = *std::exchange(owner_, nullptr);
  s.counts.add(succeeded_calls);
  if (round_ == s.round.load(std::memory_order_relaxed)) s.sample(now - began_);
  s.look(now);
  s.leave();
}

void adaptive_limiter::slot::failed(nanoseconds now) noexcept {
  if (owner_ == nullptr) return;
  const std::int64_t normal = owner_->normal.load(std::memory_order_relaxed);
  if (normal == 0 || (now - began_).count() < normal) {
    state& s = *std::exchange(owner_, nullptr);
    s.counts.add(ignored_calls);
    s.look(now);  // or a measurement would not end while nothing but this happens
    s.leave();
  } else {
    succeeded(now);
  }
}

void adaptive_limiter::slot::dropped() noexcept {
  if (owner_ == nullptr) return;
  state& s = *std::exchange(owner_, nullptr);
  s.counts.add(dropped_calls);
  if (round_ == s.round.load(std::memory_order_relaxed)) s.counts.add(drops);
  s.look(s.source.now());
  s.leave();
}

void adaptive_limiter::slot::ignored() noexcept {
  if (owner_ == nullptr) return;
  state& s = *std::exchange(owner_, nullptr);
  s.counts.add(ignored_calls);
  s.leave();
}

adaptive_limiter::slot adaptive_limiter::enter(const execution& e) const {
  slot s = try_enter(state_->source.now(), e.context);
  if (!s) throw exceeded_error();
  return s;
}

namespace {

/// What became of a call whose caller may have gone on without it.
call_fate fate_of(const execution& e) noexcept {
  // Relaxed: the fate is one word, and nothing else is read because of it.
  return e.fate == nullptr ? call_fate::wanted : e.fate->load(std::memory_order_relaxed);
}

}  // namespace

void adaptive_limiter::returned(slot& s, const execution& e) const noexcept {
  switch (fate_of(e)) {
    case call_fate::wanted: return s.succeeded(state_->source.now());
    case call_fate::timed_out: return s.dropped();
    case call_fate::lost: return s.ignored();
  }
}

void adaptive_limiter::threw(slot& s, const execution& e) const noexcept {
  const call_fate fate = fate_of(e);
  if (fate == call_fate::timed_out) return s.dropped();
  if (fate == call_fate::lost) return s.ignored();
  try {
    throw;
  } catch (const rejected_error&) {
    s.ignored();
  } catch (const cancelled_error&) {
    s.ignored();
  } catch (const call_timeout_error&) {
    s.dropped();
  } catch (...) {
    e.stop.stop_requested() ? s.ignored() : s.failed(state_->source.now());
  }
}

}  // namespace switchgear::inline v1
