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
#include <string>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

/// What an adaptive_limiter may be told.
struct adaptive_limiter_options {
  std::string name = "adaptive_limiter";

  /// The limit to begin with, `min_limit` … `max_limit`. A guess is enough; a low one grows within some windows.
  std::int64_t initial_limit = 20;

  /// 1 … 100,000. What always gets through, however slow the dependency is: without some calls nobody would see it recover.
  std::int64_t min_limit = 2;

  /// `min_limit` … 100,000. What your own side can bear: threads, sockets, memory.
  std::int64_t max_limit = 1000;

  /// How many times the normal latency is still fine, 1 … 10. Lower keeps queues in the dependency shorter, and mistakes noise
  /// for trouble sooner: 1.2 for steady services, 2 for those whose answers vary much.
  double tolerance = 1.5;

  /// The share of each correction that is made, (0, 1]. Lower is calmer and slower.
  double smoothing = 0.2;

  /// How long latencies are gathered before the limit is looked at, 1 ms … 1 h. Some ten times the normal latency.
  std::chrono::nanoseconds window = std::chrono::seconds(1);

  /// A window with fewer samples goes on, 1 … 1,000,000. More makes noise matter less.
  std::int64_t min_samples = 10;

  /// After how many windows of full load the normal latency is measured anew, 2 … 1,000,000: for the next window only a quarter
  /// of the limit is used, so that the dependency has no queue; for three windows when too few calls say anything. Lower finds
  /// the right limit sooner after the dependency has become slower for good, and costs a little throughput each time.
  std::int64_t long_window = 60;

  [[nodiscard]] std::vector<problem> validate() const;
};

/// As many calls as the limit allows are in flight.
class limit_exceeded_error : public rejected_error {
 public:
  limit_exceeded_error(const std::string& name, std::int64_t limit);
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// The limit at that moment.
  [[nodiscard]] std::int64_t limit() const noexcept { return limit_; }

 private:
  std::string name_;
  std::int64_t limit_;
};

/// What an adaptive_limiter has counted since it was made, and where its limit is now.
struct adaptive_limiter_metrics {
  std::uint64_t entered = 0;
  std::uint64_t rejected = 0;
  std::uint64_t succeeded = 0;  ///< calls whose latency counts
  std::uint64_t dropped = 0;    ///< calls that timed out
  std::uint64_t ignored = 0;    ///< calls that say nothing: cancelled, rejected further in, failed at once
  std::uint64_t windows = 0;    ///< how often the limit was looked at
  std::int64_t in_flight = 0;
  std::int64_t limit = 0;
  std::chrono::nanoseconds normal_latency{0};  ///< of the dependency without a queue; 0 until known
  std::chrono::nanoseconds last_latency{0};    ///< the mean of the last window
};

/// Limits the calls in flight to what the dependency can work off: a bulkhead that finds its size by itself, and follows it.
/// A handle: copies share the limit, metrics and observers.
///
///     sg::adaptive_limiter search{{.name = "search", .max_limit = 400}};
///     auto hits = search.call([&] { return api.search(words); });
///
/// A call beyond the limit is rejected with limit_exceeded_error. Latency counts for calls that returned, and for those that
/// threw after at least the normal latency (a quick failure says nothing about how busy a dependency is); call_timeout_error
/// counts as dropped. Rejections by policies further in and cancelled calls never count.
///
/// When this cannot help: latency that has nothing to do with your load (a report over a month takes longer than one over a
/// day): give each sort of call a limiter of its own. A handful of calls a second: there is nothing to measure.
///
/// Algorithm: a gradient, after those of Netflix's concurrency-limits (Gradient2Limit) and Envoy's adaptive concurrency filter
/// (gradient controller). At the end of each window with latency `now`,
///
///     gradient = tolerance × normal / now, cut to 0.5 … 1, × the share of calls that were not dropped
///     limit   += smoothing × (limit × gradient + √limit − limit)
///
/// The root is the queue that is tried out all the time; it is why a limit grows. The limit does not grow while less than half
/// of it is used. The normal latency falls with any window that was faster, half way at a time. It rises only on the evidence
/// of windows that had no queue: those with less than half of the limit in use, and one after each `long_window`, in which only
/// a quarter of the limit may be used. An average that follows a loaded dependency would take the load for normal in the end and
/// let the limit creep up; a minimum that never rises would hold the limit down for ever after a change for the worse.
///
/// Thread safety: all functions from any thread. Deterministic: no random numbers, one source of time. A call costs two
/// readings of the clock, two compare-and-swaps and some counters of its thread; one call per window computes.
class adaptive_limiter : public detail::callable_policy<adaptive_limiter> {
  struct state;

 public:
  static constexpr policy_kind kind = policy_kind::adaptive_limiter;

  /// Throws config_error. `source` has to outlive the calls.
  explicit adaptive_limiter(adaptive_limiter_options options = {}, clock& source = steady_clock());

  template <class Next>
  typename Next::result run(const Next& next, const execution& e) const {
    running_call call(*this, e);
    try {
      return next(e);
    } catch (...) {
      call.threw();
      throw;
    }
  }

  /// The limit now; a quarter of it, at least `min_limit`, while the normal latency is being measured.
  [[nodiscard]] std::int64_t limit() const noexcept;
  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] const adaptive_limiter_options& options() const noexcept;
  [[nodiscard]] clock& time_source() const noexcept;
  [[nodiscard]] adaptive_limiter_metrics metrics() const;
  /// Told when the limit moves (`limit_changed`) and when a call is rejected (`rejected`).
  [[nodiscard]] subscription observe(std::function<void(const policy_event&)> handler) const;
  /// `adaptive_limiter(2 … 400 at a time, tolerance 1.5)`.
  [[nodiscard]] std::string describe() const;

  // --- for adapters ---

  /// One call in flight. Ended at most once, what follows does nothing; destroyed without it, it is ignored. Move-only; may
  /// move to another thread; must not outlive the last handle of its limiter.
  class [[nodiscard]] slot {
   public:
    /// No call.
    slot() = default;
    slot(slot&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), began_(other.began_), round_(other.round_) {}
    slot& operator=(slot&& other) noexcept {
      if (this != &other) {
        ignored();
        owner_ = std::exchange(other.owner_, nullptr);
        began_ = other.began_;
        round_ = other.round_;
      }
      return *this;
    }
    ~slot() { ignored(); }

    [[nodiscard]] explicit operator bool() const noexcept { return owner_ != nullptr; }

    /// It has come back at `now`, a time of time_source().
    void succeeded(std::chrono::nanoseconds now) noexcept;
    /// It has failed at `now`: like a success when that took at least the normal latency, else ignored.
    void failed(std::chrono::nanoseconds now) noexcept;
    /// It took too long and was given up.
    void dropped() noexcept;
    /// It says nothing about the dependency: cancelled, rejected further in, the loser of a hedge.
    void ignored() noexcept;

   private:
    friend class adaptive_limiter;
    slot(state& owner, std::chrono::nanoseconds began, std::uint32_t round) noexcept
        : owner_(&owner), began_(began), round_(round) {}
    state* owner_ = nullptr;
    std::chrono::nanoseconds began_{0};
    std::uint32_t round_ = 0;
  };

  /// A slot for a call that begins at `now`, a time of time_source(); empty, counted and told when the limit is reached.
  slot try_enter(std::chrono::nanoseconds now, const call_context& context = {}) const noexcept;
  /// What to throw for an empty slot.
  [[nodiscard]] limit_exceeded_error exceeded_error() const;

 private:
  /// A call on this thread: succeeded unless threw() was told.
  class running_call {
   public:
    running_call(const adaptive_limiter& owner, const execution& e) : owner_(owner), execution_(e), slot_(owner.enter(e)) {}
    running_call(const running_call&) = delete;
    running_call& operator=(const running_call&) = delete;
    ~running_call() {
      if (slot_) owner_.returned(slot_, execution_);
    }
    /// To be called inside a catch clause.
    void threw() noexcept { owner_.threw(slot_, execution_); }

   private:
    const adaptive_limiter& owner_;
    const execution& execution_;
    slot slot_;
  };

  slot enter(const execution& e) const;
  void returned(slot& s, const execution& e) const noexcept;
  void threw(slot& s, const execution& e) const noexcept;

  std::shared_ptr<state> state_;
};

}  // namespace switchgear::inline v1
