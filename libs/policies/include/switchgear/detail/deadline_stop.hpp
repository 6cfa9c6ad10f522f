// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/clock.hpp>
#include <switchgear/detail/waiting.hpp>
#include <switchgear/policy.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>

namespace switchgear::inline v1::detail {

/// The stop token of a call with a deadline. It is asked to stop by the caller's own stop request or by the deadline, and
/// remembers which of them was first. The fate of the call, which policies further in look at, goes with it: they see that it
/// was a deadline, or what became of the caller, before anything asks them to stop.
///
/// Thread safety: the token and the fate from any thread; the rest on the thread of the call.
class deadline_stop {
 public:
  enum class first {
    nobody,
    nobody_but_late,  ///< the deadline has passed, and nothing was asked to stop because of it
    deadline,
    caller,
  };

  /// `caller` has to outlive this.
  deadline_stop(clock& source, std::chrono::nanoseconds deadline, const execution& caller);
  /// The same with a deadline that somebody else keeps, who asks `limit` to stop then.
  deadline_stop(const std::stop_token& limit, const execution& caller);
  deadline_stop(const deadline_stop&) = delete;
  deadline_stop& operator=(const deadline_stop&) = delete;

  /// What goes further in.
  [[nodiscard]] execution inner(const execution& caller) const {
    return {shared_->stop.get_token(), caller.context, &shared_->fate};
  }

  /// Who was first, once the call has come back.
  [[nodiscard]] first decide(bool late) const noexcept;

 private:
  struct shared {
    std::stop_source stop;
    std::atomic<first> who{first::nobody};
    std::atomic<call_fate> fate{call_fate::wanted};
    void ask(first f, call_fate why) noexcept;
  };
  struct ask_by_limit {
    shared* target;
    void operator()() const noexcept { target->ask(first::deadline, call_fate::timed_out); }
  };
  struct ask_by_caller {
    shared* target;
    const std::atomic<call_fate>* fate;
    void operator()() const noexcept;
  };

  std::shared_ptr<shared> shared_;  ///< a timer that is running may look at it after the call
  std::stop_callback<ask_by_caller> on_caller_;
  std::optional<armed_timer> timer_;
  std::optional<std::stop_callback<ask_by_limit>> on_limit_;
};

}  // namespace switchgear::inline v1::detail
