// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/clock.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace switchgear::inline v1::simulation {

/// A clock that somebody has: virtual time, from another zero point and a little faster or slower.
class node_clock final : public clock {
 public:
  /// `world` is the virtual time and outlives the clock. `rate` in millionths, how much faster: -20'000 … 20'000.
  node_clock(const std::int64_t& world, std::int64_t offset, std::int64_t rate) noexcept
      : world_(world), virtual_(world), local_(offset), rate_(rate) {}

  [[nodiscard]] std::chrono::nanoseconds now() const noexcept override { return std::chrono::nanoseconds(at(world_)); }
  [[nodiscard]] std::int64_t at(std::int64_t world) const noexcept {
    const std::int64_t gone = world - virtual_;
    return local_ + gone + gone / 1000 * rate_ / 1000;
  }
  /// The virtual time at which this clock has reached `local`, as long as its rate stays.
  [[nodiscard]] std::int64_t when(std::int64_t local) const noexcept {
    const std::int64_t to_go = local - local_;
    std::int64_t guess = virtual_ + to_go - static_cast<std::int64_t>(static_cast<double>(to_go) * static_cast<double>(rate_) /
                                                                      (1e6 + static_cast<double>(rate_)));
    while (at(guess) < local) guess += 1 + (local - at(guess)) / 2;
    return guess;
  }
  /// From now on.
  void set_rate(std::int64_t rate) noexcept {
    local_ = at(world_);
    virtual_ = world_;
    rate_ = rate;
  }

  /// Timers run when run_due() is called.
  timer call_at(std::chrono::nanoseconds when, std::function<void()> action) override {
    timers_.emplace(std::pair(when.count(), ++last_), std::move(action));
    return last_;
  }
  void cancel(timer t) noexcept override {
    std::erase_if(timers_, [&](const auto& item) { return item.first.second == t; });
  }
  void run_due() {
    while (!timers_.empty() && timers_.begin()->first.first <= at(world_)) {
      const auto action = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      action();
    }
  }

 private:
  const std::int64_t& world_;
  std::int64_t virtual_, local_;
  std::int64_t rate_;
  std::map<std::pair<std::int64_t, timer>, std::function<void()>> timers_;
  timer last_ = 0;
};

}  // namespace switchgear::inline v1::simulation
