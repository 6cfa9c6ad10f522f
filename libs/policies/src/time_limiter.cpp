// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/counters.hpp>
#include <switchgear/detail/validation.hpp>
#include <switchgear/time_limiter.hpp>

namespace switchgear::inline v1 {
namespace {

enum counted : std::size_t { timeouts, cancellations, refusals, left, returned, number_of_counters };

}  // namespace

struct time_limiter::state : detail::policy_state {
  state(time_limiter_options o, clock& c) : policy_state("time_limiter", o.name), options(std::move(o)), source(c) {}
  const time_limiter_options options;
  clock& source;
  detail::counters<number_of_counters> counts;
};

std::vector<problem> time_limiter_options::validate() const {
  detail::validation v;
  v.name(name);
  v.in_range("limit", limit, std::chrono::nanoseconds(1), detail::a_day);
  return v.take();
}

time_limiter::time_limiter(time_limiter_options options, clock& source) {
  detail::require_no(options.validate());
  state_ = std::make_shared<state>(std::move(options), source);
}

const std::string& time_limiter::name() const noexcept { return state_->name(); }
const time_limiter_options& time_limiter::options() const noexcept { return state_->options; }
std::chrono::nanoseconds time_limiter::limit() const noexcept { return state_->options.limit; }
clock& time_limiter::time_source() const noexcept { return state_->source; }
subscription time_limiter::observe(std::function<void(const policy_event&)> handler) const {
  return state_->observe(std::move(handler));
}
std::string time_limiter::describe() const { return "time_limiter(" + format_duration(limit()) + ")"; }

time_limiter_metrics time_limiter::metrics() const {
  const auto& c = state_->counts;
  // Those that came back first: a call that does so in between is still one of those that left.
  const std::uint64_t back = c.sum(returned);
  const std::uint64_t gone = c.sum(left);
  return {c.sum(timeouts), c.sum(cancellations), c.sum(refusals), gone > back ? gone - back : 0};
}

std::exception_ptr time_limiter::expired(const execution& e) const {
  state_->counts.add(timeouts);
  if (state_->is_observed()) {
    state_->tell({.kind = policy_event_kind::timed_out,
                  .reason = "the call took longer than " + format_duration(limit()),
                  .correlation_id = std::string(e.context.correlation_id)});
  }
  return std::make_exception_ptr(call_timeout_error(name(), limit()));
}

std::exception_ptr time_limiter::refused(executor_full_error why, const execution& e) const {
  state_->counts.add(refusals);
  if (state_->is_observed()) {
    state_->tell({.kind = policy_event_kind::rejected,
                  .reason = why.what(),
                  .correlation_id = std::string(e.context.correlation_id)});
  }
  return std::make_exception_ptr(std::move(why));
}

std::exception_ptr time_limiter::cancelled(bool began) const {
  state_->counts.add(cancellations);
  return std::make_exception_ptr(
      cancelled_error(name() + (began ? ": cancelled while the call was under way" : ": cancelled before the call began")));
}

executor& time_limiter::where() const {
  return state_->options.executor == nullptr ? default_executor() : *state_->options.executor;
}

void time_limiter::abandoned() const noexcept { state_->counts.add(left); }
void time_limiter::came_back() const noexcept { state_->counts.add(returned); }

}  // namespace switchgear::inline v1
