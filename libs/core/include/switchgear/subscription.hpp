// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace switchgear::inline v1 {

/// What an observer of a breaker wants to hear.
/// Each one hears what those before it hear.
enum class event_filter : std::uint8_t {
  transitions,  ///< what is_transition() says; calls cost what they cost without observers
  failures,     ///< and config_changed, failure, late, probe_expired: calls that succeed in time cost what they cost without observers
  problems,     ///< and rejected, slow: a rejection costs what telling of it costs
  everything,   ///< and success, ignored: each call takes the long way while somebody listens
};

/// Keeps a handler subscribed. Ending it (destruction, end()) from another thread waits for a handler that is running; from
/// inside the handler itself it returns at once. Afterwards the handler is not called again.
///
/// Thread safety: that of a value, one thread at a time; any thread may end it.
class [[nodiscard]] subscription {
 public:
  subscription() = default;
  explicit subscription(std::function<void()> on_end) : on_end_(std::move(on_end)) {}
  subscription(subscription&& other) noexcept : on_end_(std::exchange(other.on_end_, nullptr)) {}
  subscription& operator=(subscription&& other) noexcept {
    if (this != &other) {
      end();
      on_end_ = std::exchange(other.on_end_, nullptr);
    }
    return *this;
  }
  ~subscription() { end(); }

  void end() noexcept {
    if (const auto action = std::exchange(on_end_, nullptr)) action();
  }

 private:
  std::function<void()> on_end_;
};

/// Returns when every event that was published before this call has been delivered to the observers. From inside a handler
/// it returns at once.
void drain_events();

/// How many events were dropped because observers were too slow, in this process. Of the transitions of each breaker the last one
/// is never among them.
[[nodiscard]] std::uint64_t dropped_events() noexcept;

}  // namespace switchgear::inline v1
