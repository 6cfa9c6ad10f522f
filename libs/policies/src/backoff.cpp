// SPDX-License-Identifier: Apache-2.0
#include <switchgear/backoff.hpp>
#include <switchgear/detail/validation.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>

namespace switchgear::inline v1 {
namespace {

using std::chrono::nanoseconds;

/// In [0, 1). Not for secrets: only so that clients do not march in step.
double random_number() noexcept {
  thread_local std::minstd_rand generator(static_cast<std::minstd_rand::result_type>(
      std::chrono::steady_clock::now().time_since_epoch().count() ^ reinterpret_cast<std::uintptr_t>(&generator)));
  constexpr double span = static_cast<double>(std::minstd_rand::max() - std::minstd_rand::min()) + 1.0;
  return static_cast<double>(generator() - std::minstd_rand::min()) / span;
}

nanoseconds between(nanoseconds low, nanoseconds high, double random) noexcept {
  if (high <= low) return low;
  return low + nanoseconds(static_cast<std::int64_t>(static_cast<double>((high - low).count()) * random));
}

}  // namespace

backoff backoff::up_to(nanoseconds most) const {
  backoff out = *this;
  out.most_ = most;
  return out;
}

backoff backoff::at_least(nanoseconds least) const {
  backoff out = *this;
  out.least_ = least;
  return out;
}

backoff backoff::with(jitter j) const {
  backoff out = *this;
  out.jitter_ = j;
  return out;
}

nanoseconds backoff::unjittered(int retry) const noexcept {
  if (growth_ == growth::constant || base_.count() == 0) return std::min(base_, most_);
  const double grown = static_cast<double>(base_.count()) * std::pow(multiplier_, std::max(0, retry - 1));
  if (!(grown < static_cast<double>(most_.count()))) return most_;
  return nanoseconds(static_cast<std::int64_t>(std::llround(grown)));
}

nanoseconds backoff::delay(int retry, nanoseconds previous, double random) const noexcept {
  if (growth_ == growth::decorrelated) {
    const nanoseconds low = std::min(std::max(base_, least_), most_);
    const nanoseconds third = most_ / 3;
    const nanoseconds high = previous > third ? most_ : std::max(low, std::min(most_, 3 * std::max(previous, base_)));
    return between(low, high, random);
  }
  const nanoseconds full = unjittered(retry);
  if (jitter_ == jitter::none) return std::max(full, std::min(least_, most_));
  const nanoseconds low = jitter_ == jitter::equal ? full / 2 : nanoseconds(0);
  return between(std::min(std::max(low, least_), most_), full, random);
}

nanoseconds backoff::delay(int retry, nanoseconds previous) const noexcept {
  const bool random = jitter_ != jitter::none || growth_ == growth::decorrelated;
  return delay(retry, previous, random ? random_number() : 0.0);
}

nanoseconds backoff::shortest(int retry) const noexcept { return delay(retry, nanoseconds(0), 0.0); }

nanoseconds backoff::longest(int retry) const noexcept {
  if (growth_ == growth::decorrelated) return unjittered(retry + 1);
  return std::max(unjittered(retry), std::min(least_, most_));
}

std::string backoff::describe() const {
  std::string text;
  switch (growth_) {
    case growth::constant: text = "constant " + format_duration(base_); break;
    case growth::exponential: text = "exponential " + format_duration(base_); break;
    case growth::decorrelated: text = "decorrelated " + format_duration(base_); break;
  }
  if (growth_ != growth::constant && most_ < detail::a_day) text += " … " + format_duration(most_);
  if (jitter_ == jitter::full) text += ", full jitter";
  if (jitter_ == jitter::equal) text += ", equal jitter";
  return text;
}

std::vector<problem> backoff::validate() const {
  detail::validation v;
  v.in_range("backoff.base", base_, nanoseconds(0), detail::a_day);
  v.in_range("backoff.multiplier", multiplier_, 1.0, 10.0);
  v.in_range("backoff.up_to", most_, std::max(nanoseconds(0), base_), detail::a_day);
  v.in_range("backoff.at_least", least_, nanoseconds(0), std::max(nanoseconds(0), base_));
  return v.take();
}

}  // namespace switchgear::inline v1
