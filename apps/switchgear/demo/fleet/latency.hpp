// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "histogram.hpp"

#include <switchgear/circuit_breaker.hpp>

#include <nlohmann/json.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <stop_token>
#include <thread>

namespace switchgear::demo::fleet {

/// Times calls that a breaker guards and that return at once: what is seen is the cost of the library alone. Short bursts, each
/// of calls timed one by one and calls timed in blocks, with pauses in between: the processor belongs to the others.
class latency_probe {
 public:
  static constexpr int block = 100;  ///< calls that are timed together

  /// `tell` gets what was timed in one window when the next begins, and at the end. Instances of different `number` have
  /// different pauses, so that their bursts do not stay together once they have met.
  latency_probe(circuit_breaker& which, int number, std::function<void(const nlohmann::json&)> tell)
      : breaker_(which), tell_(std::move(tell)), pause_(17'000 + number % 16 * 830) {}

  /// What is timed from now on belongs to that window. From any thread.
  void set_window(int number) noexcept { window_ = number; }

  /// Times on a thread of its own from now on. Returns when that has made its first call: a breaker has a few places for threads
  /// that count for themselves, and who comes first has one.
  void start();
  /// Returns when everything has been told.
  void stop() { thread_ = {}; }

 private:
  void run(const std::stop_token& stop);
  void call() {
    breaker_.call([this] { ++sum_; });
  }
  void burst();
  void hand_over();

  circuit_breaker& breaker_;
  std::function<void(const nlohmann::json&)> tell_;
  const std::chrono::microseconds pause_;
  std::atomic<int> window_{-1};
  int current_ = -1;
  histogram single_, blocks_;  ///< nanoseconds: of a call, of a block
  std::uint64_t sum_ = 0;
  std::latch called_{1};
  std::jthread thread_;  ///< ends first
};

}  // namespace switchgear::demo::fleet
