// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/counters.hpp>
#include <switchgear/detail/validation.hpp>
#include <switchgear/timeout.hpp>

namespace switchgear::inline v1 {

std::vector<problem> timeout_options::validate() const {
  detail::validation v;
  v.name(name);
  v.in_range("limit", limit, std::chrono::nanoseconds(1), detail::a_day);
  return v.take();
}

namespace detail {

struct timeout_state : policy_state {
  explicit timeout_state(std::string name) : policy_state("timeout", std::move(name)) {}
  counters<1> timeouts;
};

timeout_core::timeout_core(timeout_options options, clock& source) : limit_(options.limit), source_(&source) {
  require_no(options.validate());
  state_ = std::make_shared<timeout_state>(std::move(options.name));
}

const std::string& timeout_core::name() const noexcept { return state_->name(); }
timeout_metrics timeout_core::metrics() const { return {state_->timeouts.sum(0)}; }
subscription timeout_core::observe(std::function<void(const policy_event&)> handler) const {
  return state_->observe(std::move(handler));
}

std::string timeout_core::describe_as(std::string_view what) const {
  return "timeout(" + format_duration(limit_) + std::string(what) + ")";
}

std::exception_ptr timeout_core::expired(const execution& e, const std::exception_ptr& cause) const {
  state_->timeouts.add(0);
  if (state_->is_observed()) {
    state_->tell({.kind = policy_event_kind::timed_out,
                  .reason = "the call took longer than " + format_duration(limit_),
                  .correlation_id = std::string(e.context.correlation_id)});
  }
  return timeout_error(state_->name(), limit_, cause);
}

void timeout_core::came_back_by_exception(deadline_stop::first f, const execution& outer) const {
  if (f != deadline_stop::first::deadline && f != deadline_stop::first::nobody_but_late) return;
  try {
    throw;
  } catch (const rejected_error&) {
    return;
  } catch (const cancelled_error&) {
    if (f != deadline_stop::first::deadline) return;
  } catch (...) {
  }
  std::rethrow_exception(expired(outer, std::current_exception()));
}

std::exception_ptr timeout_error(const std::string& name, std::chrono::nanoseconds limit, const std::exception_ptr& cause) {
  const call_timeout_error error(name, limit);
  if (!cause) return std::make_exception_ptr(error);
  try {
    try {
      std::rethrow_exception(cause);
    } catch (...) {
      std::throw_with_nested(error);
    }
  } catch (...) {
    return std::current_exception();
  }
}

}  // namespace detail
}  // namespace switchgear::inline v1
