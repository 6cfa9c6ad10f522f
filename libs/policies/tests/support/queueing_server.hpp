// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/adaptive_limiter.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

namespace switchgear::testing {

/// A server with some workers and one queue before them, called through an adaptive limiter at a steady rate, on virtual
/// time and without randomness: what is in flight beyond the workers waits, so latency is as in any queue.
class queueing_server {
 public:
  struct behaviour {
    int workers = 1;
    std::chrono::nanoseconds service_time{0};
    std::int64_t arrivals_per_second = 1;
  };

  queueing_server(adaptive_limiter_options o, behaviour b) : limiter(std::move(o), clock), server(b) {}

  void run(std::chrono::nanoseconds d) {
    using std::chrono::nanoseconds;
    const nanoseconds end = clock.now() + d;
    const nanoseconds gap = nanoseconds(std::chrono::seconds(1)) / server.arrivals_per_second;
    while (clock.now() < end) {
      const nanoseconds next_done = busy_.empty() ? nanoseconds::max() : busy_.begin()->first;
      const nanoseconds next = std::min({next_done, next_arrival_, end});
      clock.advance(next - clock.now());
      if (next == next_done) {
        busy_.begin()->second.succeeded(next);
        busy_.erase(busy_.begin());
        done_.push_back(next);
      } else if (next == next_arrival_) {
        next_arrival_ += gap;
        if (auto s = limiter.try_enter(next)) queue_.push_back(std::move(s));
      }
      while (!queue_.empty() && static_cast<int>(busy_.size()) < server.workers) {
        busy_.emplace(clock.now() + server.service_time, std::move(queue_.front()));
        queue_.pop_front();
      }
      most_in_flight_ = std::max(most_in_flight_, queue_.size() + busy_.size());
      if (limits.empty() || limits.back().second != limiter.limit()) limits.emplace_back(clock.now(), limiter.limit());
    }
  }

  [[nodiscard]] std::int64_t lowest_limit_of_last(std::chrono::nanoseconds d) const { return limits_of_last(d).begin()->first; }
  [[nodiscard]] std::int64_t highest_limit_of_last(std::chrono::nanoseconds d) const { return limits_of_last(d).rbegin()->first; }
  /// The median over time: not moved by the short while in which the normal latency is measured.
  [[nodiscard]] std::int64_t usual_limit_of_last(std::chrono::nanoseconds d) const {
    const auto times = limits_of_last(d);
    std::chrono::nanoseconds below{0};
    for (const auto& [limit, time] : times) {
      below += time;
      if (below * 2 >= d) return limit;
    }
    return times.rbegin()->first;
  }
  [[nodiscard]] std::int64_t completed_per_second_of_last(std::chrono::seconds d) const {
    const auto first = std::lower_bound(done_.begin(), done_.end(), clock.now() - std::chrono::nanoseconds(d));
    return (done_.end() - first) / d.count();
  }
  [[nodiscard]] std::size_t most_in_flight() const noexcept { return most_in_flight_; }

  manual_clock clock;
  adaptive_limiter limiter;
  behaviour server;
  std::vector<std::pair<std::chrono::nanoseconds, std::int64_t>> limits;  ///< each with the time from which it held

 private:
  /// How long each limit held.
  [[nodiscard]] std::map<std::int64_t, std::chrono::nanoseconds> limits_of_last(std::chrono::nanoseconds d) const {
    std::map<std::int64_t, std::chrono::nanoseconds> out;
    std::chrono::nanoseconds until = clock.now();
    for (auto i = limits.rbegin(); i != limits.rend() && until > clock.now() - d; ++i) {
      const std::chrono::nanoseconds from = std::max(i->first, clock.now() - d);
      out[i->second] += until - from;
      until = from;
    }
    return out;
  }

  // Destroyed before the limiter whose slots they hold.
  std::deque<adaptive_limiter::slot> queue_;
  std::multimap<std::chrono::nanoseconds, adaptive_limiter::slot> busy_;
  std::vector<std::chrono::nanoseconds> done_;
  std::chrono::nanoseconds next_arrival_{0};
  std::size_t most_in_flight_ = 0;
};

}  // namespace switchgear::testing
