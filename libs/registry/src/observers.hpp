// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/event.hpp>
#include <switchgear/subscription.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace switchgear::inline v1::detail {

struct registered_breaker;

/// Who observes all breakers of a registry.
///
/// Thread safety: every function from any thread. The mutex is never held while a subscription ends, since that waits for a
/// handler that is running.
class observers {
 public:
  using handler = std::function<void(const event&)>;

  /// A new observer's number. The caller then brings every breaker up to date.
  std::uint64_t add(handler h, event_filter filter = event_filter::transitions);
  /// When it returns, the handler is not running (unless it is the caller) and is not called again. The caller then brings every
  /// breaker up to date.
  void remove(std::uint64_t number);

  /// Subscribes to a breaker whoever observes and has not yet, and ends the subscriptions of those who do no longer. To be called
  /// before others can reach the breaker, so that they miss nothing, and again after, for those who came or went in between.
  void bring_up_to_date(registered_breaker& body);
  /// Whether somebody else than the observers of the registry observes a breaker.
  [[nodiscard]] bool has_others(const registered_breaker& body);
  /// Ends all subscriptions to a breaker for good.
  void end(registered_breaker& body) noexcept;

 private:
  struct observer {
    handler call;
    event_filter filter = event_filter::transitions;
    std::mutex running;
    std::atomic<bool> gone{false};
    std::atomic<std::thread::id> thread{};
    void hear(const event& e);
  };

  std::atomic<bool> ever_{false};  ///< somebody has observed: until then nothing is to be done
  std::mutex mutex_;
  std::uint64_t last_ = 0;
  std::vector<std::pair<std::uint64_t, std::shared_ptr<observer>>> all_;
};

}  // namespace switchgear::inline v1::detail
