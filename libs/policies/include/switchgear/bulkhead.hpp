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

/// What a bulkhead may be told.
struct bulkhead_options {
  std::string name = "bulkhead";

  /// Calls at a time, 1 … 100,000. By Little's law a dependency that is asked 200 times a second and answers in 50 ms has 10
  /// calls in flight; twice that leaves room for a bad moment, and what exceeds it is the trouble to keep out.
  std::int64_t max_concurrent = 10;

  /// Calls that may wait for a place, 0 … 1,000,000; 0 = none, a call without a place is rejected at once. A queue smooths
  /// bursts and hides overload: keep it shorter than what `max_concurrent` calls can work off in `max_wait`.
  std::int64_t max_queue = 0;

  /// How long a call waits for a place, up to 24 h; 0 = until it gets one or is asked to stop. Needs a queue. Set it below
  /// what your own caller waits, or you work for callers who have gone.
  std::chrono::nanoseconds max_wait{0};

  [[nodiscard]] std::vector<problem> validate() const;
};

/// A bulkhead had no place for a call.
class bulkhead_full_error : public rejected_error {
 public:
  bulkhead_full_error(const std::string& name, std::int64_t limit, bool waited);
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// How many calls it lets through at a time.
  [[nodiscard]] std::int64_t limit() const noexcept { return limit_; }
  /// Whether the call waited for `max_wait` in the queue; false when the queue was full too, or there is none.
  [[nodiscard]] bool waited() const noexcept { return waited_; }

 private:
  std::string name_;
  std::int64_t limit_;
  bool waited_;
};

/// What a bulkhead has counted since it was made, and how full it is now.
struct bulkhead_metrics {
  std::uint64_t entered = 0;       ///< calls that got a place
  std::uint64_t after_waiting = 0; ///< of these, calls that had to wait for it
  std::uint64_t rejected = 0;      ///< calls without a place, neither free nor in the queue
  std::uint64_t timed_out = 0;     ///< calls that waited for `max_wait` in the queue
  std::uint64_t cancelled = 0;     ///< calls that were asked to stop before they got a place
  std::int64_t in_use = 0;         ///< places taken now
  std::int64_t queued = 0;         ///< calls in the queue now
  std::int64_t most_in_use = 0;    ///< the most places that were taken at a time
};

/// Lets a limited number of calls run at a time, so that one slow dependency cannot take every thread. A handle: copies
/// share places, metrics and observers.
///
///     sg::bulkhead reports{{.name = "reports", .max_concurrent = 8, .max_queue = 32, .max_wait = 2s}};
///     auto pdf = reports.call([&] { return render(id); });
///
/// A call without a place waits in a queue, if there is one, and is rejected with bulkhead_full_error when that is full or
/// takes too long. A stop request ends the waiting with cancelled_error. The queue is first come, first served: a place that
/// becomes free goes to the call at its head, and a newcomer never overtakes it. A call that calls through the same bulkhead
/// again takes a second place; with a queue without `max_wait` such calls can wait for each other for ever.
///
/// Algorithm: one 64-bit word holds the places in use and the calls in the queue. While nobody waits, entering and leaving
/// are one compare-and-swap each; the mutex and the queue are touched only when somebody waits.
///
/// Thread safety: all functions from any thread. What a call did happens before a later call in its place.
class bulkhead : public detail::callable_policy<bulkhead> {
  struct state;

 public:
  static constexpr policy_kind kind = policy_kind::bulkhead;
  static constexpr bool waits = true;

  /// Throws config_error. `source` has to outlive the calls; it is asked only by calls that wait for `max_wait`.
  explicit bulkhead(bulkhead_options options = {}, clock& source = steady_clock());

  template <class Next>
  typename Next::result run(const Next& next, const execution& e) const {
    const slot place = wait_for_place(e);
    return next(e);
  }

  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] const bulkhead_options& options() const noexcept;
  [[nodiscard]] clock& time_source() const noexcept;
  [[nodiscard]] bulkhead_metrics metrics() const;
  /// Told when a call is rejected (`rejected`) and when it waited too long (`timed_out`).
  [[nodiscard]] subscription observe(std::function<void(const policy_event&)> handler) const;
  /// `bulkhead(8 at a time, queue 32, waits up to 2s)`.
  [[nodiscard]] std::string describe() const;

  // --- for adapters: the same places without blocking ---

  /// One place. Given back when destroyed, to the first in the queue if somebody waits. Move-only; may move to another
  /// thread; must not outlive the last handle of its bulkhead.
  class [[nodiscard]] slot {
   public:
    /// No place.
    slot() = default;
    slot(slot&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
    slot& operator=(slot&& other) noexcept {
      if (this != &other) {
        give_back();
        owner_ = std::exchange(other.owner_, nullptr);
      }
      return *this;
    }
    ~slot() { give_back(); }

    [[nodiscard]] explicit operator bool() const noexcept { return owner_ != nullptr; }
    /// Sooner than the destructor would.
    void give_back() noexcept {
      if (owner_ != nullptr) leave(*std::exchange(owner_, nullptr));
    }

   private:
    friend class bulkhead;
    explicit slot(state& owner) noexcept : owner_(&owner) {}
    state* owner_ = nullptr;
  };

  /// Somebody in the queue. It has to stay where it is until granted() has been called, or withdraw() has answered true.
  class waiter {
   public:
    waiter() = default;
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;

    /// The place has come. Called once, on the thread that gave it back, outside every lock. Hand the place to whoever waits
    /// for it and return: a call that runs in here keeps that other thread, and makes the next grant a call within a call.
    virtual void granted(slot place) noexcept = 0;

   protected:
    ~waiter() = default;

   private:
    friend class bulkhead;
    waiter* next_ = nullptr;      // all three under the mutex of the bulkhead
    waiter* previous_ = nullptr;
    bool queued_ = false;
  };

  enum class outcome : std::uint8_t {
    granted,  ///< at once: the place is in the entry
    queued,   ///< granted() will be called, unless withdrawn
    full,     ///< neither a place nor room in the queue; counted and told as rejected
  };
  /// What became of asking for a place.
  struct [[nodiscard]] entry {
    outcome is = outcome::full;
    slot place{};
  };

  enum class withdrawal : std::uint8_t { timed_out, cancelled };

  /// A place if one is free and nobody waits, else an empty slot, counted as rejected. Never waits.
  slot try_enter(const call_context& context = {}) const noexcept;
  /// A place, or the end of the queue, or neither. Allocates nothing.
  entry enter(waiter& w, const call_context& context = {}) const noexcept;
  /// Takes a waiter out of the queue, counted as `why`. False when it is not in the queue any more: then granted() has been
  /// called, is being called or is about to be called on another thread, and the place is the waiter's to give back.
  [[nodiscard]] bool withdraw(waiter& w, withdrawal why, const call_context& context = {}) const noexcept;
  /// What to throw for outcome::full (`waited` false) and after withdrawal::timed_out (true).
  [[nodiscard]] bulkhead_full_error full_error(bool waited) const;
  /// What to throw after withdrawal::cancelled.
  [[nodiscard]] cancelled_error stop_error() const;

 private:
  struct blocked_call;

  slot wait_for_place(const execution& e) const;
  slot queue_for_place(const execution& e) const;
  static void leave(state& s) noexcept;

  std::shared_ptr<state> state_;
};

}  // namespace switchgear::inline v1
