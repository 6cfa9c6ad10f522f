// SPDX-License-Identifier: Apache-2.0
#include <switchgear/testing/scripted_dependency.hpp>

#include <algorithm>
#include <utility>

namespace switchgear::inline v1::testing {

scripted_dependency::scripted_dependency(manual_clock& clock) : clock_(clock) {}

scripted_dependency::~scripted_dependency() = default;

scripted_dependency& scripted_dependency::add(step s, std::size_t times) {
  const std::lock_guard lock(mutex_);
  s.duration = std::exchange(next_duration_, std::chrono::nanoseconds(0));
  for (std::size_t i = 0; i < times; ++i) script_.push_back(s);
  return *this;
}

scripted_dependency& scripted_dependency::succeed(std::size_t times) { return add({}, times); }

scripted_dependency& scripted_dependency::answer(int value, std::size_t times) {
  step s;
  s.value = value;
  return add(std::move(s), times);
}

#if SWITCHGEAR_HAS_EXCEPTIONS
scripted_dependency& scripted_dependency::fail(std::size_t times, std::string what) {
  return fail_with(scripted_failure(what), times);
}
#endif

scripted_dependency& scripted_dependency::perform(std::function<void()> action, std::size_t times) {
  step s;
  s.action = std::move(action);
  return add(std::move(s), times);
}

scripted_dependency& scripted_dependency::hang(std::size_t times) {
  step s;
  s.hangs = true;
  return add(std::move(s), times);
}

scripted_dependency& scripted_dependency::take(std::chrono::nanoseconds duration) {
  const std::lock_guard lock(mutex_);
  next_duration_ = duration;
  return *this;
}

int scripted_dependency::operator()(std::stop_token stop) {
  step now;
  std::size_t releases = 0;
  {
    const std::lock_guard lock(mutex_);
    ++calls_;
    most_inside_ = std::max(most_inside_, ++inside_);
    releases = releases_;  // a release from here on is meant for this call too
    if (!script_.empty()) {
      now = std::move(script_.front());
      script_.pop_front();
    }
  }
  changed_.notify_all();
  // Leaves also when the step throws.
  struct leaving {
    scripted_dependency& self;
    ~leaving() {
      {
        const std::lock_guard lock(self.mutex_);
        --self.inside_;
      }
      self.changed_.notify_all();
    }
  } const at_the_end{*this};
  if (now.duration.count() > 0) clock_.advance(now.duration);
  if (now.hangs) wait_for_stop(std::move(stop), releases);
  if (now.action) now.action();
  return now.value;
}

void scripted_dependency::wait_for_stop(std::stop_token stop, std::size_t releases) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait(lock, stop, [&] { return releases_ != releases; })) ++stopped_;
}

std::size_t scripted_dependency::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}
std::size_t scripted_dependency::inside() const {
  const std::lock_guard lock(mutex_);
  return inside_;
}
std::size_t scripted_dependency::most_inside() const {
  const std::lock_guard lock(mutex_);
  return most_inside_;
}
std::size_t scripted_dependency::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}
std::size_t scripted_dependency::steps_left() const {
  const std::lock_guard lock(mutex_);
  return script_.size();
}

void scripted_dependency::wait_until_inside(std::size_t n) const {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return inside_ >= n; });
}

void scripted_dependency::release() {
  {
    const std::lock_guard lock(mutex_);
    ++releases_;
  }
  changed_.notify_all();
}

}  // namespace switchgear::inline v1::testing
