// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/detail/event_queue.hpp>
#include <switchgear/event_bus.hpp>
#include <switchgear/subscription.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace switchgear::inline v1::detail {

/// Throws config_error when the options of a bus are impossible.
void check(const event_bus_options& o);

/// Whether a name means itself everywhere, in patterns and keys of a server too: at most 64 letters, digits, '.', '_' and '-'.
[[nodiscard]] bool is_plain_name(std::string_view name) noexcept;

/// With id and time, where it has none.
[[nodiscard]] event completed(event e);

/// Says what a bus has to say, one notice at a time.
class notice_board {
 public:
  explicit notice_board(std::function<void(const bus_notice&)> handler) : handler_(std::move(handler)) {}
  void say(bus_notice::kind what, std::uint64_t count, std::string text) noexcept;

 private:
  const std::function<void(const bus_notice&)> handler_;
  std::mutex busy_;
};

/// The receiving half of every bus: the subscriptions, the thread that calls the handlers, and how each circuit is now.
///
/// Of each circuit the transitions are told once and in order, by their sequence: one that is not newer than the last one is a
/// duplicate, and a gap counts as missed. Present states that are news are told to those who asked for them; a transition that
/// comes behind a present state which has it in it already is news for the others alone.
///
/// Thread safety: every function from any thread.
class dispatcher : public std::enable_shared_from_this<dispatcher> {
 public:
  using handler = event_bus::handler;

  /// `complete`: what is known now is all there is (a local bus); else wait for complete().
  dispatcher(const event_bus_options& o, std::shared_ptr<notice_board> notices, bool complete);
  ~dispatcher();

  void start();
  /// Delivers what waits, ends the thread. Of two at a time the second waits for the first. Not from a handler.
  void close() noexcept;

  /// Who subscribes hears of what is delivered after that. `changed` (may be empty) is called, on the calling thread and one at a
  /// time, after the list of subscriptions has changed, and not after close(). It may ask what is wanted, but not subscribe.
  subscription subscribe(std::string_view pattern, handler h, subscribe_options how);
  void on_change(std::function<void()> changed) { changed_ = std::move(changed); }  ///< before start()

  /// Puts an event before the handlers, soon.
  void deliver(const event& e) noexcept { inbox_.push(e); }
  /// From here on all circuits that there are have been told of. Those who asked for present states and have not had them get
  /// them now.
  void complete();
  /// The circuit is no more.
  void forget(std::string key);
  /// For one who knows that something was lost which no sequence can show.
  void count_missed(std::uint64_t n, std::string text) noexcept;
  bool flush(std::chrono::nanoseconds limit) { return inbox_.flush(limit); }

  [[nodiscard]] bool has_subscribers() const;
  /// Whether anybody asked for present states.
  [[nodiscard]] bool wants_present() const;
  /// Whether any pattern can match a topic that begins with `prefix`.
  [[nodiscard]] bool wants(std::string_view prefix) const;

  /// Fills in what the receiving half knows.
  void add_to(bus_metrics& m) const;

 private:
  struct subscriber {
    std::string pattern;
    handler call;
    bool present = false;
    bool active = false;  ///< of the thread that delivers: its turn has come, and it has had the present states
    std::mutex running;
    std::atomic<bool> gone{false};
    std::atomic<std::thread::id> thread{};
  };
  using subscribers = std::vector<std::shared_ptr<subscriber>>;
  struct circuit {
    event now;
    std::uint64_t told = 0;  ///< the sequence of the last transition that all were told of
  };

  /// What the thread that delivers is to do in turn; when it fails for want of memory, that changes nothing else.
  void in_turn(std::function<void()> action);
  void run();
  void tell_change();
  void handle(const event& e);
  enum class audience : std::uint8_t { all, with_present, without_present };
  [[nodiscard]] std::optional<audience> audience_of(const event& e);
  void tell(subscriber& s, std::string_view topic, const event& e);
  void activate(subscriber& s);
  void end(const std::shared_ptr<subscriber>& s) noexcept;
  [[nodiscard]] std::shared_ptr<const subscribers> all() const;

  const std::shared_ptr<notice_board> notices_;
  event_queue inbox_;
  std::mutex change_mutex_;
  std::function<void()> changed_;
  std::atomic<bool> started_{false};
  std::atomic<std::size_t> forgetting_{0};  ///< in the queue
  std::mutex closing_;

  mutable std::mutex mutex_;  ///< subscribers_ and thread_
  std::shared_ptr<const subscribers> subscribers_ = std::make_shared<subscribers>();
  std::thread thread_;
  bool closed_ = false;

  // Of the thread that delivers:
  std::unordered_map<std::string, circuit> circuits_;
  bool complete_;
  std::string topic_;

  std::atomic<std::uint64_t> delivered_{0}, duplicates_{0}, missed_{0}, handler_errors_{0}, lost_{0};
  std::atomic<std::size_t> known_{0};
};

}  // namespace switchgear::inline v1::detail
