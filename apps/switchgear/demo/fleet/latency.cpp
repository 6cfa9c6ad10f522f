// SPDX-License-Identifier: Apache-2.0
#include "latency.hpp"

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace switchgear::demo::fleet {
namespace {

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t singles = 1500, blocks = 100;
/// Of each: what had to be fetched after a pause is not what is being measured.
constexpr std::size_t cold_singles = 500, cold_blocks = 10;

std::int64_t since(clock::time_point start) { return (clock::now() - start).count(); }

}  // namespace

void latency_probe::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  called_.wait();
}

void latency_probe::run(const std::stop_token& stop) {
  call();
  called_.count_down();
  std::mutex mutex;
  std::condition_variable_any end;
  std::unique_lock lock(mutex);
  while (!end.wait_for(lock, stop, pause_, [&] { return stop.stop_requested(); })) {
    if (stop.stop_requested()) break;
    if (window_ != current_) hand_over();
    if (current_ >= 0) burst();
  }
  hand_over();
}

void latency_probe::burst() {
  std::array<std::int64_t, singles> each{};
  std::array<std::int64_t, blocks> together{};
  for (std::int64_t& took : each) {
    const auto start = clock::now();
    call();
    took = since(start);
  }
  for (std::int64_t& took : together) {
    const auto start = clock::now();
    for (int i = 0; i < block; ++i) call();
    took = since(start);
  }
  // Part of it may belong to the window that came meanwhile.
  if (window_ != current_) return;
  for (std::size_t i = cold_singles; i < singles; ++i) single_.add(each[i]);
  for (std::size_t i = cold_blocks; i < blocks; ++i) blocks_.add(together[i]);
}

void latency_probe::hand_over() {
  if (single_.count() > 0) {
    tell_({{"latency", {{"window", current_}, {"single", single_.to_json()}, {"blocks", blocks_.to_json()}}}});
  }
  single_.clear();
  blocks_.clear();
  current_ = window_;
}

}  // namespace switchgear::demo::fleet
