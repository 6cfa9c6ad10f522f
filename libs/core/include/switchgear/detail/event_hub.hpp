// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/event.hpp>
#include <switchgear/machine/machine.hpp>
#include <switchgear/subscription.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace switchgear::inline v1::detail {

class event_hub;

/// The kind of the event that tells of a transition.
[[nodiscard]] event_kind kind_of(const machine::transition& t) noexcept;

/// The narrowest filter that lets events of this kind through.
[[nodiscard]] constexpr event_filter filter_of(event_kind kind) noexcept {
  switch (kind) {
    case event_kind::config_changed:
    case event_kind::failure:
    case event_kind::late:
    case event_kind::probe_expired: return event_filter::failures;
    case event_kind::rejected:
    case event_kind::slow: return event_filter::problems;
    case event_kind::success:
    case event_kind::ignored: return event_filter::everything;
    default: return event_filter::transitions;
  }
}

/// An event before its texts are made. Putting one into the queue allocates nothing.
struct event_record {
  std::shared_ptr<event_hub> hub;
  event_kind kind = event_kind::success;
  machine::transition change;  ///< of transitions
  std::shared_ptr<const std::string> text;
  switchgear::state state = switchgear::state::closed;
  switchgear::state previous_state = switchgear::state::closed;
  std::uint32_t failure_count = 0;
  std::uint64_t generation = 0;
  std::int64_t retry_after = -1;
  bool shadow = false;
  std::chrono::system_clock::time_point time;
  std::optional<std::chrono::system_clock::time_point> last_failure;
  std::array<char, 64> failure_text{};
  std::array<char, 40> correlation_id{};
};

/// The observers of one breaker. Puts the records of its threads into the order of their generations, and delivers them on
/// the thread of the event queue.
///
/// Thread safety: all functions from any thread. The mutexes are never held while a handler runs, except the one that
/// belongs to that handler alone.
class event_hub : public std::enable_shared_from_this<event_hub> {
 public:
  using handler = std::function<void(const event&)>;

  /// Not `in_order`: transitions are told as they come, because not all of them come here.
  explicit event_hub(std::string service, bool in_order = true);

  /// `generation`: of the breaker now; its transitions after that are waited for, in order.
  [[nodiscard]] subscription subscribe(handler h, std::uint64_t generation, event_filter filter = event_filter::everything);
  void publish(event_record record);
  /// After a restore: the next transition is that of `generation` + 1.
  void resume_after(std::uint64_t generation);
  [[nodiscard]] std::uint32_t observers() const noexcept { return observers_.load(std::memory_order_relaxed); }
  /// event::instance of all its events.
  [[nodiscard]] const std::string& instance() const noexcept { return instance_; }
  /// Whether somebody wants to hear of this kind.
  [[nodiscard]] bool hears(event_kind kind) const noexcept { return widest_.load(std::memory_order_relaxed) >= filter_of(kind); }
  /// Whether somebody wants to hear of every call.
  [[nodiscard]] bool hears_calls() const noexcept { return widest_.load(std::memory_order_relaxed) == event_filter::everything; }

  /// Whether the breaker lets every call take the long way for observers of this hub; kept by the breaker.
  [[nodiscard]] bool slows_calls() const noexcept { return slows_calls_.load(std::memory_order_relaxed); }
  void set_slows_calls(bool yes) noexcept { slows_calls_.store(yes, std::memory_order_relaxed); }

  /// Called by the event queue.
  void deliver(const event_record& record);

 private:
  struct subscriber {
    handler call;
    event_filter filter = event_filter::everything;
    std::mutex running;
    std::atomic<bool> gone{false};
    std::atomic<std::thread::id> thread{};
  };
  void end(const std::shared_ptr<subscriber>& s);
  void count_observers();  ///< with the mutex held

  const std::string service_;
  const std::string instance_;
  const bool in_order_;
  std::atomic<std::uint32_t> observers_{0};
  std::atomic<event_filter> widest_{event_filter::transitions};
  std::atomic<bool> slows_calls_{false};
  std::mutex mutex_;
  std::vector<std::shared_ptr<subscriber>> subscribers_;
  std::uint64_t before_ = 0;  ///< the generation at the time of the first subscription
  std::uint64_t next_ = 0;    ///< the generation whose transition is to be queued next
  /// What happened before it can be told, by generation, transitions first, those of one key in the order they came.
  using waiting = std::multimap<std::pair<std::uint64_t, bool>, event_record>;
  waiting early_;
};

/// Starts that thread now, so that it ends after the static objects that are made from here on.
void start_event_delivery();

/// Runs `action` on the thread that delivers events, after those that wait already; dropped and counted like an event when
/// too many wait. It does not throw.
void deliver_later(std::function<void()> action);

}  // namespace switchgear::inline v1::detail
