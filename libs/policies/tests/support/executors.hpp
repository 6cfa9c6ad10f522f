// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/executor.hpp>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

namespace executors {

/// Threads wait here until it is opened.
class gate {
 public:
  void open() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

/// Has room for so many pieces of work in its life, which run when the test says so.
class by_hand final : public switchgear::executor {
 public:
  explicit by_hand(std::size_t room = 1000) : room_(room) {}
  bool post(std::function<void()> work) override {
    const std::lock_guard lock(mutex_);
    if (room_ == 0) return false;
    --room_;
    waiting_.push_back(std::move(work));
    return true;
  }
  std::string name() const override { return "by_hand"; }

  /// The oldest; there has to be one.
  void run_one() {
    std::function<void()> work;
    {
      const std::lock_guard lock(mutex_);
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
  std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::size_t room_;
  std::deque<std::function<void()>> waiting_;
};

/// Runs work at once, on the thread that brings it.
class at_once final : public switchgear::executor {
 public:
  bool post(std::function<void()> work) override {
    work();
    return true;
  }
};

/// Has no room.
class full final : public switchgear::executor {
 public:
  bool post(std::function<void()>) override { return false; }
  std::string name() const override { return "full"; }
  std::optional<std::size_t> capacity() const override { return 3; }
};

}  // namespace executors
