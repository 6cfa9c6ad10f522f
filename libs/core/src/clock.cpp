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
  /// Ends the thread; timers that are set afterwards never run.
  void stop() {
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
    if (!thread_.joinable() && !stopping_) thread_ = std::thread([this] { run(); });
    const timer id = ++last_;
    waiting_.emplace(std::pair{when, id}, std::move(action));
    due_.emplace(id, when);
    if (waiting_.begin()->first.second == id) wake_.notify_one();
    return id;
  }

  void cancel(timer t) noexcept override {
    decltype(waiting_)::node_type taken;  // what the action holds goes outside the lock
    const std::lock_guard lock(mutex_);
    if (const auto found = due_.find(t); found != due_.end()) {
      taken = waiting_.extract({found->second, t});
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
      std::function<void()> action = std::move(first->second);
      due_.erase(first->first.second);
      waiting_.erase(first);
      lock.unlock();
      action();
      action = nullptr;  // what it holds goes outside the lock
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
  // The object for ever, because calls may be under way while the program ends; its thread until the static objects go that
  // were there before it.
  static steady& instance = *new steady;
  static const struct ending {
    ~ending() { instance.stop(); }
  } at_the_end;
  return instance;
}

}  // namespace switchgear::inline v1
