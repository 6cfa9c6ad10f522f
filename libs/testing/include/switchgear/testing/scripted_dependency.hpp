// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/detail/exceptions.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>

namespace switchgear::inline v1::testing {

/// What a scripted dependency throws unless it was told to throw something else.
class scripted_failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A dependency that does what the test wrote down, one step a call. After the last step every call succeeds.
///
///     sg::testing::scripted_dependency service{clock};
///     service.fail(3).take(2s).succeed().hang();
///     breaker.call([&](std::stop_token stop) { return service(stop); });
///
/// Every step but throwing works without exceptions; a failure is then a value, see answer().
///
/// Thread safety: every function may be called from any thread. It has to outlive the calls that are in it.
class scripted_dependency {
 public:
  /// The clock that take() moves.
  explicit scripted_dependency(manual_clock& clock);
  scripted_dependency(const scripted_dependency&) = delete;
  scripted_dependency& operator=(const scripted_dependency&) = delete;
  ~scripted_dependency();

  // --- the script; each of these adds `times` steps ---

  /// Returns 0.
  scripted_dependency& succeed(std::size_t times = 1);
  /// Returns `value`.
  scripted_dependency& answer(int value, std::size_t times = 1);
#if SWITCHGEAR_HAS_EXCEPTIONS
  /// Throws scripted_failure with the text `what`.
  scripted_dependency& fail(std::size_t times = 1, std::string what = "scripted failure");
  /// Throws a copy of `e`.
  template <class E>
  scripted_dependency& fail_with(E e, std::size_t times = 1) {
    return perform([e] { throw e; }, times);
  }
#endif
  /// Runs `action`, which may throw, then returns 0.
  scripted_dependency& perform(std::function<void()> action, std::size_t times = 1);
  /// Stays until the caller asks it to stop, or until release(); then returns 0.
  scripted_dependency& hang(std::size_t times = 1);
  /// The next step that is written down takes this long on the manual clock: the call advances it before anything else.
  scripted_dependency& take(std::chrono::nanoseconds duration);

  // --- being called ---

  /// Plays the next step.
  int operator()(std::stop_token stop = {});

  // --- looking ---

  /// How many calls there were, those inside included.
  [[nodiscard]] std::size_t calls() const;
  /// How many calls are inside now.
  [[nodiscard]] std::size_t inside() const;
  /// The most calls that were ever inside at once.
  [[nodiscard]] std::size_t most_inside() const;
  /// How many hanging calls were asked to stop.
  [[nodiscard]] std::size_t stopped() const;
  /// How many steps of the script are left.
  [[nodiscard]] std::size_t steps_left() const;

  // --- for tests with threads ---

  /// Waits until `n` calls are inside at once.
  void wait_until_inside(std::size_t n) const;
  /// Lets every hanging call that is inside now return.
  void release();

 private:
  struct step {
    std::function<void()> action;
    std::chrono::nanoseconds duration{0};
    int value = 0;
    bool hangs = false;
  };
  scripted_dependency& add(step s, std::size_t times);
  void wait_for_stop(std::stop_token stop, std::size_t releases);

  manual_clock& clock_;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  std::deque<step> script_;
  std::chrono::nanoseconds next_duration_{0};
  std::size_t calls_ = 0, inside_ = 0, most_inside_ = 0, stopped_ = 0, releases_ = 0;
};

}  // namespace switchgear::inline v1::testing
