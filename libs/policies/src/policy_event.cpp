// SPDX-License-Identifier: Apache-2.0
#include <switchgear/config.hpp>
#include <switchgear/detail/event_hub.hpp>
#include <switchgear/policy_event.hpp>

#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

std::string_view to_string(policy_event_kind k) noexcept {
  switch (k) {
    case policy_event_kind::retried: return "retried";
    case policy_event_kind::gave_up: return "gave_up";
    case policy_event_kind::rejected: return "rejected";
    case policy_event_kind::timed_out: return "timed_out";
    case policy_event_kind::fell_back: return "fell_back";
    case policy_event_kind::hedged: return "hedged";
    case policy_event_kind::limit_changed: return "limit_changed";
    case policy_event_kind::undo_failed: return "undo_failed";
    case policy_event_kind::warning: return "warning";
  }
  return "warning";
}

std::string log_line(const policy_event& e) {
  std::string line = e.policy;
  if (e.name != e.policy) line += " " + e.name;
  line += ": ";
  switch (e.kind) {
    case policy_event_kind::retried: line += "attempt " + std::to_string(e.attempt) + " failed"; break;
    case policy_event_kind::gave_up: line += "gave up after attempt " + std::to_string(e.attempt); break;
    default: line += to_string(e.kind); break;
  }
  if (e.kind == policy_event_kind::retried && e.delay) line += ", next in " + format_duration(*e.delay);
  if (!e.reason.empty()) line += ": " + e.reason;
  return line;
}

namespace detail {
namespace {

policy_hub& everybody() {
  // For ever: calls may be under way while the program ends.
  static const auto& hub = *new std::shared_ptr<policy_hub>(std::make_shared<policy_hub>());
  return *hub;
}

}  // namespace

struct policy_hub::list {
  struct subscriber {
    handler call;
    std::mutex running;
    std::atomic<bool> gone{false};
    std::atomic<std::thread::id> thread{};
  };
  std::mutex mutex;
  std::vector<std::shared_ptr<subscriber>> all;
};

policy_hub::policy_hub() : list_(std::make_unique<list>()) {}
policy_hub::~policy_hub() = default;

subscription policy_hub::subscribe(handler h) {
  start_event_delivery();  // before the handler's owner exists completely, so it ends after it
  auto added = std::make_shared<list::subscriber>();
  added->call = std::move(h);
  {
    const std::lock_guard lock(list_->mutex);
    list_->all.push_back(added);
    observers_.store(static_cast<std::uint32_t>(list_->all.size()), std::memory_order_relaxed);
  }
  return subscription([self = shared_from_this(), added] {
    {
      const std::lock_guard lock(self->list_->mutex);
      std::erase(self->list_->all, added);
      self->observers_.store(static_cast<std::uint32_t>(self->list_->all.size()), std::memory_order_relaxed);
    }
    added->gone.store(true);
    if (added->thread.load() != std::this_thread::get_id()) const std::lock_guard wait(added->running);
  });
}

void policy_hub::publish(const std::shared_ptr<const policy_event>& e) {
  deliver_later([self = shared_from_this(), e] {
    std::vector<std::shared_ptr<list::subscriber>> all;
    {
      const std::lock_guard lock(self->list_->mutex);
      all = self->list_->all;
    }
    for (const auto& s : all) {
      const std::lock_guard running(s->running);
      if (s->gone.load()) continue;
      s->thread.store(std::this_thread::get_id());
      try {
        s->call(*e);
      } catch (...) {
        // A handler that throws changes nothing, for the policy or for the other handlers.
      }
      s->thread.store(std::thread::id());
    }
  });
}

policy_state::policy_state(std::string_view policy, std::string name)
    : policy_(policy), name_(std::move(name)), hub_(std::make_shared<policy_hub>()) {}

bool policy_state::is_observed() const noexcept { return hub_->has_observers() || everybody().has_observers(); }

void policy_state::tell(policy_event e) const noexcept {
  try {
    e.policy = policy_;
    e.name = name_;
    e.time = std::chrono::system_clock::now();
    const auto shared = std::make_shared<const policy_event>(std::move(e));
    if (hub_->has_observers()) hub_->publish(shared);
    if (everybody().has_observers()) everybody().publish(shared);
  } catch (...) {
    // No memory for an event: the call it tells of goes on.
  }
}

}  // namespace detail

subscription observe_policies(std::function<void(const policy_event&)> handler) {
  return detail::everybody().subscribe(std::move(handler));
}

}  // namespace switchgear::inline v1
