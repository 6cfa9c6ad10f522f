// SPDX-License-Identifier: Apache-2.0
#include <switchgear/clock.hpp>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace switchgear::inline v1 {
namespace {

class steady final : public clock {
 public:
  ~steady() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  std::chrono::nanoseconds now() const noexcept override {
    return std::chrono::steady_clock::now().time_since_epoch();
  }

  timer call_at(std::chrono::nanoseconds when, std::function<void()> action) override {
    const std::lock_guard lock(mutex_);
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    const timer id = ++last_;
    waiting_.emplace(std::pair{when, id}, std::move(action));
    due_.emplace(id, when);
    if (waiting_.begin()->first.second == id) wake_.notify_one();
    return id;
  }

  void cancel(timer t) noexcept override {
    const std::lock_guard lock(mutex_);
    if (const auto found = due_.find(t); found != due_.end()) {
      waiting_.erase({found->second, t});
      due_.erase(found);
    }
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (waiting_.empty()) {
        wake_.wait(lock);
        continue;
      }
      const auto first = waiting_.begin();
      if (first->first.first > now()) {
        wake_.wait_until(lock, std::chrono::steady_clock::time_point(first->first.first));
        continue;
      }
      const std::function<void()> action = std::move(first->second);
      due_.erase(first->first.second);
      waiting_.erase(first);
      lock.unlock();
      action();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::pair<std::chrono::nanoseconds, timer>, std::function<void()>> waiting_;
  std::map<timer, std::chrono::nanoseconds> due_;
  timer last_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace

clock& steady_clock() {
  static steady instance;
  return instance;
}

}  // namespace switchgear::inline v1
