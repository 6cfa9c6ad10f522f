// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/errors.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace switchgear::inline v1 {

/// Where work runs that its caller does not wait for to the end: blocking calls under a time_limiter, attempts of a hedge.
/// thread_pool is one; any other pool of threads is adapted by deriving from this.
///
/// An executor outlives the calls of the policies that use it, and what these calls use has to outlive the executor's work:
/// a call that its caller has left holds copies of the policies further in, whose breakers and clocks it still needs. So they
/// are declared before the executor, the policies that run on it after it. A policy that waits for work on an executor, and
/// itself runs on one, needs another: on a single bounded one the waiting calls can hold every thread that those they wait
/// for would need.
///
/// Thread safety: all functions from any thread.
class executor {
 public:
  executor() = default;
  executor(const executor&) = delete;
  executor& operator=(const executor&) = delete;
  virtual ~executor() = default;

  /// Runs `work` once, on some other thread, soon or later; false, and it is never run, when there is no room for it. Waits
  /// for nothing. `work` does not throw.
  [[nodiscard]] virtual bool post(std::function<void()> work) = 0;

  /// Is asked to stop when this executor is about to end: the policies pass it on to the calls that run here.
  [[nodiscard]] virtual std::stop_token closing() const { return {}; }

  /// For errors: which one has no room, and how much work may run and wait there, where that is known.
  [[nodiscard]] virtual std::string name() const { return "executor"; }
  [[nodiscard]] virtual std::optional<std::size_t> capacity() const { return std::nullopt; }
};

/// A call was not begun because the executor it would have run on has no room, has no thread in time, or is about to end.
class executor_full_error : public rejected_error {
 public:
  executor_full_error(std::string policy, const executor& where);
  /// After a wait for a thread.
  executor_full_error(std::string policy, std::string executor_name, std::optional<std::size_t> capacity,
                      std::chrono::nanoseconds waited);
  [[nodiscard]] const std::string& executor_name() const noexcept { return executor_name_; }
  [[nodiscard]] std::optional<std::size_t> capacity() const noexcept { return capacity_; }

 private:
  std::string executor_name_;
  std::optional<std::size_t> capacity_;
};

/// A thread_pool of this process for policies that were given no executor: up to 32 threads, up to 1,000 pieces of work
/// waiting. Made when it is first asked for; a program whose policies all have executors of their own never starts it. It
/// ends with the program, as a thread_pool ends.
[[nodiscard]] executor& default_executor();

}  // namespace switchgear::inline v1
