// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/subscription.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace switchgear::inline v1 {

/// What a policy did besides calling. Nothing is told of calls that simply succeed.
enum class policy_event_kind : std::uint8_t {
  retried,        ///< another attempt follows, after `delay`
  gave_up,        ///< no further attempt; `reason` says why
  rejected,       ///< the call was not let through
  timed_out,      ///< the limit passed
  fell_back,      ///< the fallback answered
  hedged,         ///< another attempt was started beside the slow one
  limit_changed,  ///< the adaptive limit moved
  undo_failed,    ///< an undo of a transaction threw
  warning,        ///< a combination of policies that makes little sense
};

/// The name of the kind, `gave_up`.
[[nodiscard]] std::string_view to_string(policy_event_kind k) noexcept;

/// Something that a policy did. Nothing is told of calls that simply succeed.
struct policy_event {
  policy_event_kind kind = policy_event_kind::warning;
  std::string policy{};  ///< which sort, `retry`
  std::string name{};    ///< which one, as its options named it
  std::string reason{};
  int attempt = 0;       ///< from 1; 0 where there is none
  std::optional<std::chrono::nanoseconds> delay{};
  std::string correlation_id{};
  std::chrono::system_clock::time_point time{};
};

/// One line for a log: `retry storage: attempt 2 failed, next in 500ms: connection refused`.
[[nodiscard]] std::string log_line(const policy_event& e);

/// Calls `handler` for the events of every policy of this process, on the thread that delivers events, in the order in which
/// they happened on each thread.
[[nodiscard]] subscription observe_policies(std::function<void(const policy_event&)> handler);

namespace detail {

/// Handlers of policy events.
class policy_hub : public std::enable_shared_from_this<policy_hub> {
 public:
  using handler = std::function<void(const policy_event&)>;
  policy_hub();
  ~policy_hub();
  [[nodiscard]] subscription subscribe(handler h);
  [[nodiscard]] bool has_observers() const noexcept { return observers_.load(std::memory_order_relaxed) != 0; }
  void publish(const std::shared_ptr<const policy_event>& e);

 private:
  struct list;
  std::atomic<std::uint32_t> observers_{0};
  const std::unique_ptr<list> list_;
};

/// What the shared part of every policy has: a name and observers.
class policy_state {
 public:
  /// `policy` is a literal.
  policy_state(std::string_view policy, std::string name);
  policy_state(const policy_state&) = delete;
  policy_state& operator=(const policy_state&) = delete;

  [[nodiscard]] std::string_view policy() const noexcept { return policy_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  [[nodiscard]] subscription observe(policy_hub::handler h) { return hub_->subscribe(std::move(h)); }

  /// Whether anybody listens: worth the making of an event.
  [[nodiscard]] bool is_observed() const noexcept;
  /// Fills in policy, name and time. Does not throw; what memory does not allow is not told.
  void tell(policy_event e) const noexcept;

 protected:
  ~policy_state() = default;

 private:
  const std::string_view policy_;
  const std::string name_;
  const std::shared_ptr<policy_hub> hub_;
};

}  // namespace detail
}  // namespace switchgear::inline v1
