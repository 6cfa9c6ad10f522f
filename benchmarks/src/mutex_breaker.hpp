// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <mutex>
#include <stdexcept>

namespace bench {

/// The breaker of the source systems, translated literally: a mutex around the question and a mutex around the answer.
/// The baseline that the library is measured against.
class mutex_breaker {
 public:
  template <class F>
  auto call(F&& f) {
    {
      const std::lock_guard lock(mutex_);
      if (open_) {
        if (std::chrono::steady_clock::now() < retry_at_) throw std::runtime_error("circuit breaker is open");
        open_ = false;
      }
    }
    try {
      auto result = f();
      const std::lock_guard lock(mutex_);
      failures_ = 0;
      ++successes_;
      return result;
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (++failures_ >= 5) {
        open_ = true;
        retry_at_ = std::chrono::steady_clock::now() + std::chrono::seconds(60);
      }
      throw;
    }
  }

 private:
  std::mutex mutex_;
  bool open_ = false;
  int failures_ = 0;
  unsigned long successes_ = 0;
  std::chrono::steady_clock::time_point retry_at_;
};

}  // namespace bench
