// SPDX-License-Identifier: Apache-2.0
#include <switchgear/clock.hpp>
#include <switchgear/detail/validation.hpp>
#include <switchgear/thread_pool.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

namespace switchgear::inline v1 {

struct thread_pool::state {
  explicit state(thread_pool_options o) : options(std::move(o)) {}
  const thread_pool_options options;
  std::stop_source stop;
  mutable std::mutex mutex;
  std::condition_variable work_or_end;
  std::deque<std::function<void()>> queue;
  std::vector<std::thread> threads;
  std::size_t running = 0;
  std::uint64_t completed = 0, refused = 0;
  bool ending = false;

  void serve() {
    std::unique_lock lock(mutex);
    for (;;) {
      work_or_end.wait(lock, [this] { return ending || !queue.empty(); });
      if (queue.empty()) return;
      {
        std::function<void()> work = std::move(queue.front());
        queue.pop_front();
        ++running;
        lock.unlock();
        try {
          work();
        } catch (...) {
          // Work does not throw. If it does all the same, the thread goes on with the next piece.
        }
        work = nullptr;  // what it holds goes while the lock is free
      }
      lock.lock();
      --running;
      ++completed;
    }
  }
};

std::vector<problem> thread_pool_options::validate() const {
  detail::validation v;
  v.name(name);
  v.in_range("threads", static_cast<std::int64_t>(threads), 1, 1024);
  v.in_range("max_queue", static_cast<std::int64_t>(max_queue), 0, 1'000'000);
  return v.take();
}

thread_pool::thread_pool(thread_pool_options options)
    : state_((detail::require_no(options.validate()), std::make_unique<state>(std::move(options)))) {
  (void)steady_clock();  // made before a static pool is complete, so that its timers end after the calls that run here
}

thread_pool::~thread_pool() {
  state_->stop.request_stop();
  {
    const std::lock_guard lock(state_->mutex);
    state_->ending = true;
  }
  state_->work_or_end.notify_all();
  for (std::thread& t : state_->threads) t.join();
}

bool thread_pool::post(std::function<void()> work) {
  {
    const std::lock_guard lock(state_->mutex);
    const std::size_t here = state_->running + state_->queue.size();
    const bool full = here >= state_->options.threads + state_->options.max_queue;
    bool accepted = !full && !state_->ending;
    if (accepted && here >= state_->threads.size() && state_->threads.size() < state_->options.threads) {
      try {
        state_->threads.emplace_back([s = state_.get()] { s->serve(); });
      } catch (const std::system_error&) {
        accepted = !state_->threads.empty();  // fewer threads than asked for still make progress
      }
    }
    if (!accepted) {
      ++state_->refused;
      return false;
    }
    state_->queue.push_back(std::move(work));
  }
  state_->work_or_end.notify_one();
  return true;
}

std::stop_token thread_pool::closing() const { return state_->stop.get_token(); }
std::string thread_pool::name() const { return state_->options.name; }
std::optional<std::size_t> thread_pool::capacity() const { return state_->options.threads + state_->options.max_queue; }

thread_pool_metrics thread_pool::metrics() const {
  const std::lock_guard lock(state_->mutex);
  return {state_->threads.size(), state_->running, state_->queue.size(), state_->completed, state_->refused};
}

}  // namespace switchgear::inline v1
