// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/lanes.hpp>
#include <switchgear/detail/library_thread.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <mutex>
#include <thread>

namespace switchgear::inline v1::detail {
namespace {

/// Which numbers are taken. Only small ones matter, so those beyond the table are all one number that owns no lane. The
/// mutex also orders the last store of a thread that ended before the first of the thread that takes over its lane.
class numbers {
 public:
  std::uint32_t take() noexcept {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      if (const int bit = std::countr_one(taken_[i]); bit < 64) {
        taken_[i] |= std::uint64_t{1} << bit;
        return static_cast<std::uint32_t>(i * 64 + static_cast<std::size_t>(bit)) + 1;
      }
    }
    return beyond;
  }
  void give_back(std::uint32_t number) noexcept {
    if (number == beyond) return;
    const std::lock_guard lock(mutex_);
    taken_[(number - 1) / 64] &= ~(std::uint64_t{1} << (number - 1) % 64);
  }
  static constexpr std::uint32_t beyond = 4097;

 private:
  std::mutex mutex_;
  std::array<std::uint64_t, (beyond - 1) / 64> taken_{};
};

constinit numbers all_numbers;

struct owned_number {
  ~owned_number() {
    all_numbers.give_back(thread_number);
    thread_number = numbers::beyond;  // calls from later destructors of this thread share a lane
  }
  void keep() noexcept {}
};

thread_local owned_number owner;

}  // namespace

std::uint32_t number_this_thread() noexcept {
  thread_number = all_numbers.take();
  owner.keep();  // from here on the number goes back when the thread ends
  return thread_number;
}

void own_no_lane() noexcept {
  if (thread_number == 0) thread_number = numbers::beyond;
}

std::uint32_t lane_count() noexcept {
  static const std::uint32_t count = std::clamp(std::bit_ceil(std::max(1u, std::thread::hardware_concurrency())), 2u, 8u);
  return count;
}

}  // namespace switchgear::inline v1::detail
