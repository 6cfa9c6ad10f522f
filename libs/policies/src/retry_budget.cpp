// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/counters.hpp>
#include <switchgear/detail/validation.hpp>
#include <switchgear/retry_budget.hpp>

#include <algorithm>
#include <cmath>
#include <mutex>

namespace switchgear::inline v1 {
namespace {

/// Balances are held in millionths of a retry, as rates are everywhere.
constexpr std::int64_t whole = 1'000'000;

}  // namespace

struct retry_budget::state : detail::policy_state {
  explicit state(const retry_budget_options& o)
      : policy_state("retry_budget", o.name),
        ratio(std::llround(o.ratio * static_cast<double>(whole))),
        most(o.max_saved * whole),
        balance(o.reserve * whole),
        options(o) {}

  /// What the calls since the last look have earned is booked only when somebody wants to spend: between two looks the
  /// balance does nothing but grow, so cutting it at the limit then is the same as cutting it all the time.
  void book() {
    const std::uint64_t calls = counts.sum(0);
    const auto fresh = static_cast<std::int64_t>(std::min<std::uint64_t>(calls - booked, std::uint64_t{1} << 40));
    booked = calls;
    balance = std::min(most, balance + std::min(fresh * ratio, most));
  }

  const std::int64_t ratio, most;
  detail::counters<1> counts;
  std::mutex mutex;
  std::uint64_t booked = 0;
  std::int64_t balance;
  std::uint64_t spent = 0, refused = 0;
  const retry_budget_options options;
};

std::vector<problem> retry_budget_options::validate() const {
  detail::validation v;
  v.name(name);
  v.in_range("ratio", ratio, 0.0, 1.0);
  v.in_range("reserve", reserve, 0, 1'000'000);
  v.in_range("max_saved", max_saved, std::clamp<std::int64_t>(reserve, 0, 1'000'000), 1'000'000);
  return v.take();
}

retry_budget::retry_budget(retry_budget_options options) {
  detail::require_no(options.validate());
  state_ = std::make_shared<state>(options);
}

void retry_budget::earn() const noexcept { state_->counts.add(0); }

bool retry_budget::spend() const noexcept {
  {
    const std::lock_guard lock(state_->mutex);
    state_->book();
    if (state_->balance >= whole) {
      state_->balance -= whole;
      ++state_->spent;
      return true;
    }
    ++state_->refused;
  }
  if (state_->is_observed()) {
    state_->tell({.kind = policy_event_kind::rejected, .reason = "retries would exceed their share of the traffic"});
  }
  return false;
}

void retry_budget::give_back() const noexcept {
  const std::lock_guard lock(state_->mutex);
  if (state_->spent == 0) return;
  state_->book();
  --state_->spent;
  state_->balance = std::min(state_->most, state_->balance + whole);
}

retry_budget_metrics retry_budget::metrics() const {
  const std::lock_guard lock(state_->mutex);
  state_->book();
  return {state_->booked, state_->spent, state_->refused, static_cast<double>(state_->balance) / static_cast<double>(whole)};
}

subscription retry_budget::observe(std::function<void(const policy_event&)> handler) const {
  return state_->observe(std::move(handler));
}

const std::string& retry_budget::name() const noexcept { return state_->name(); }
const retry_budget_options& retry_budget::options() const noexcept { return state_->options; }

}  // namespace switchgear::inline v1
