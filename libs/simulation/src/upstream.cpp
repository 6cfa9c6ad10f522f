// SPDX-License-Identifier: Apache-2.0
#include "upstream.hpp"

#include <algorithm>

namespace switchgear::inline v1::simulation {

void upstream::become(condition c, std::int64_t now) noexcept {
  settle(now);
  condition_ = c;
  since_ = now;
  last_ = now;
  waiting_ = 0;
}

void upstream::settle(std::int64_t now) noexcept {
  if (condition_ == condition::collapsed && now - since_ >= settings_.collapse) {
    condition_ = condition::warming;
    since_ += settings_.collapse;
    last_ = since_;
    waiting_ = 0;
  }
  if (condition_ == condition::warming && now - since_ >= settings_.warm_up) condition_ = condition::healthy;
}

double upstream::capacity(std::int64_t now) noexcept {
  settle(now);
  switch (condition_) {
    case condition::healthy:
    case condition::slow: return settings_.capacity;
    case condition::warming: break;
    case condition::dead:
    case condition::collapsed: return 0;
  }
  const double warm = static_cast<double>(now - since_) / static_cast<double>(std::max<std::int64_t>(1, settings_.warm_up));
  return settings_.capacity * (settings_.cold_share + (1 - settings_.cold_share) * std::min(1.0, warm));
}

upstream::answer upstream::call(std::int64_t now) noexcept {
  const double rate = capacity(now);
  const auto about = [&](std::int64_t mean) { return mean / 2 + random_.exponential_nanos(static_cast<double>(mean) / 2); };
  if (condition_ == condition::dead || condition_ == condition::collapsed) {
    return {.good = false, .overloaded = condition_ == condition::collapsed, .takes = about(settings_.fails_after)};
  }
  waiting_ = std::max(0.0, waiting_ - rate * static_cast<double>(now - last_) * 1e-9) + 1;
  last_ = now;
  // However small it is, a handful of calls at the same moment is no overload.
  if (waiting_ > std::max(10.0, rate * static_cast<double>(settings_.queue) * 1e-9)) {
    waiting_ -= 1;
    if (condition_ == condition::warming) {
      ++collapses_;
      become(condition::collapsed, now);
    }
    return {.good = false, .overloaded = true, .takes = about(settings_.fails_after)};
  }
  const auto waits = static_cast<std::int64_t>(waiting_ / rate * 1e9);
  return {.good = true,
          .overloaded = false,
          .takes = waits + about(condition_ == condition::slow ? settings_.slow_latency : settings_.latency)};
}

}  // namespace switchgear::inline v1::simulation
