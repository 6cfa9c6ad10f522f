// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/event.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace switchgear::inline v1::detail {

/// What an event is about: the breaker (or, where nobody said which, the process) and the name.
[[nodiscard]] std::string circuit_key(std::string_view service, std::string_view instance);
[[nodiscard]] std::string circuit_key(const event& e);

/// Events that wait for one thread, which takes all that is there at once.
///
/// Bounded. When it is full, events of calls are dropped; of the transitions (and present states) of each circuit the newest
/// one is
/// kept aside and comes behind all others, so that what is told in the end is the truth. Slots are used again with the memory of
/// their texts, so putting an event in rarely allocates.
///
/// Thread safety: push, run_in_turn, wake, close, clear, flush and the counters from any thread; wait and done from the one
/// that takes; abandon when there is none.
class event_queue {
  /// The newest transition of a circuit. Once an action has been put behind it, a newer one stands behind that action, and
  /// this one
  /// is void.
  struct kept {
    event value;
    bool is_void = false;
  };
  using action = std::pair<std::size_t, std::function<void()>>;  ///< done before the event at that place

 public:
  /// What was taken at once: the events, in order, and between them what is to be done in turn. Given to every wait(), so that
  /// its memory is used again.
  class batch {
   public:
    /// Calls `on_event(const event&)` for each event, and the actions in turn.
    template <class F>
    void for_each(F&& on_event) {
      std::size_t done = 0;
      for (std::size_t i = 0; i < count_ + kept_.size(); ++i) {
        for (; done < actions_.size() && actions_[done].first <= i; ++done) actions_[done].second();
        if (i < count_) {
          on_event(std::as_const(events_[i]));
        } else if (!kept_[i - count_].is_void) {
          on_event(std::as_const(kept_[i - count_].value));
        }
      }
      for (; done < actions_.size(); ++done) actions_[done].second();
    }
    [[nodiscard]] std::size_t size() const noexcept { return count_ + index_.size(); }
    /// Dropped since the last batch.
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

   private:
    friend event_queue;
    std::deque<event> events_;  ///< of which the first count_ are meant
    std::size_t count_ = 0;
    std::deque<kept> kept_;
    std::unordered_map<std::string, std::size_t> index_;
    std::vector<action> actions_;
    std::uint64_t dropped_ = 0;
  };

  explicit event_queue(std::size_t capacity) : capacity_(capacity) {}

  /// Never blocks for longer than a copy takes. False when this very event was dropped; one that it displaced is counted as well.
  bool push(const event& e) noexcept;

  /// Runs `action` on the taking thread, after all that was pushed before and before all that is pushed after. Not bounded, never
  /// dropped while the queue is open; false when it is closed.
  bool run_in_turn(std::function<void()> action);

  /// Takes all that is there; waits while there is nothing, until wake() or close(). False when it is closed and empty.
  bool wait(batch& into);

  /// All that was taken by the last wait() is dealt with.
  void done();

  /// Lets wait() return, though there be nothing.
  void wake();

  /// What is pushed from now on is dropped; what is there can still be taken.
  void close();

  /// Drops all events that wait (not the actions); how many that were.
  std::uint64_t clear();

  /// Of a queue that nobody takes from any more: closes it, drops the events and forgets the actions, so that nothing is left to
  /// flush.
  void abandon() noexcept;

  /// Until all that was pushed before is dealt with; false when `limit` was over first.
  bool flush(std::chrono::nanoseconds limit);

  [[nodiscard]] std::uint64_t pushed() const;
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  void drop_one() noexcept {
    ++dropped_;
    ++dropped_since_;
  }
  [[nodiscard]] bool is_empty() const noexcept { return count_ == 0 && kept_.empty() && actions_.empty(); }
  bool keep_aside(const event& e);

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable dealt_with_;
  std::deque<event> slots_;
  std::size_t count_ = 0;
  std::deque<kept> kept_;                              ///< only while count_ is capacity_
  std::unordered_map<std::string, std::size_t> index_;  ///< of those in kept_ that are not void
  std::vector<action> actions_;
  std::uint64_t pushed_ = 0, dropped_ = 0, dropped_since_ = 0;
  std::uint64_t rounds_ = 0, rounds_done_ = 0;  ///< batches taken, and dealt with
  bool waiting_ = false, woken_ = false, closed_ = false;
};

}  // namespace switchgear::inline v1::detail
