// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/detail/outcome.hpp>
#include <switchgear/detail/waiting.hpp>
#include <switchgear/hedge.hpp>

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace switchgear::inline v1::detail {

/// One call through a hedge: shared by its caller and the threads of its attempts, whichever stays longest.
///
/// Thread safety: the caller's thread starts attempts and takes the answer, the others run one attempt each. What an attempt
/// brought is its own until it is finished, then it is guarded by the mutex; the rest always is.
template <class R>
class hedged_call : public std::enable_shared_from_this<hedged_call<R>> {
 public:
  hedged_call(const hedge& policy, const execution& e) : policy_(policy), decisions_(policy, e) {}

  /// Starts attempts and waits until there is an answer, on the caller's thread.
  template <class Next>
  R run(const Next& next, const execution& e, executor& where) {
    for (;;) {
      if (e.stop.stop_requested()) leave_cancelled(e);
      hedge_run::decision todo;
      std::optional<waiting_room> room;
      {
        const std::lock_guard lock(mutex_);
        todo = decisions_.next(policy_.time_source().now());
        if (todo.what == hedge_run::step::wait) room_ = &room.emplace(policy_.time_source());
      }
      switch (todo.what) {
        case hedge_run::step::start: start(todo.attempt, next, e, where); break;
        case hedge_run::step::wait: wait(*room, todo.until, e.stop); break;
        case hedge_run::step::answer: return answer(todo.attempt);
      }
    }
  }

 private:
  struct attempt {
    std::stop_source stop;
    std::atomic<call_fate> fate{call_fate::wanted};
    outcome<R> brought;
    bool finished = false;
    bool is_callers = false;  ///< finished before the caller left: he disposes of what it brought
  };

  void wait(waiting_room& room, std::optional<std::chrono::nanoseconds> until, const std::stop_token& stop) {
    // Nobody wakes a room that is gone.
    const struct taking_back {
      hedged_call& self;
      ~taking_back() {
        const std::lock_guard lock(self.mutex_);
        self.room_ = nullptr;
      }
    } at_the_end{*this};
    (void)room.wait(until, stop);
  }

  template <class Next>
  void start(std::size_t number, const Next& next, const execution& e, executor& where) {
    attempt* mine = nullptr;
    {
      const std::lock_guard lock(mutex_);
      mine = &attempts_.emplace_back();
    }
    bool accepted = false;
    try {
      auto call = std::make_shared<decltype(next.detach(e))>(next.detach(e));
      accepted = where.post([self = this->shared_from_this(), c = std::move(call), number, mine, &where]() mutable {
        self->fly(number, *mine, std::move(c), where);
      });
    } catch (...) {
      if (number == 0) throw;  // no attempt is under way: the caller learns why
    }
    if (accepted) return;
    {
      const std::lock_guard lock(mutex_);
      decisions_.not_started(number);
    }
    if (number == 0) throw executor_full_error(policy_.name(), where);
  }

  /// One attempt, on a thread of the executor.
  template <class Call>
  void fly(std::size_t number, attempt& mine, std::shared_ptr<Call> call, const executor& where) noexcept {
    hedge_run::ending how = hedge_run::ending::rejected;
    bool began = false, returned = false;
    try {
      const std::stop_callback on_closing(where.closing(), [&mine]() noexcept { mine.stop.request_stop(); });
      // Asked to stop before it began: by the executor, or by a caller who will not hear of it.
      if (mine.stop.stop_requested()) throw executor_full_error(policy_.name(), where);
      began = true;
      mine.brought.keep([&]() -> R { return (*call)(mine.stop.get_token(), &mine.fate); });
      returned = true;
      how = hedge_run::ending::good;
      if constexpr (!std::is_void_v<R>) how = decisions_.returned(mine.brought.value());
    } catch (...) {
      mine.brought.fail(std::current_exception());
      // A rule that throws is nobody's failure: no other attempt would be judged better, so this is the answer.
      how = returned ? hedge_run::ending::good : decisions_.caught();
    }
    call.reset();  // gone before the caller goes on
    bool unwanted = false;
    {
      const std::lock_guard lock(mutex_);
      mine.finished = true;
      if (began || left_) {
        decisions_.finished(number, how);
      } else {
        decisions_.not_started(number);
      }
      // The fates now, the stop requests by the caller: a loser that comes back in between is known to be one.
      if (decisions_.is_decided()) set_fates(call_fate::lost);
      if (room_ != nullptr) room_->wake();
      unwanted = left_;
    }
    if (unwanted) mine.brought.drop();
  }

  void set_fates(call_fate f) noexcept {
    for (attempt& a : attempts_) {
      if (!a.finished && a.fate.load() == call_fate::wanted) a.fate.store(f);
    }
  }

  /// Nobody waits any more: asks the attempts that are still under way to stop, and drops what the others brought, but for
  /// the answer. Without the lock, because what runs then is the function's own.
  void leave(const attempt* answer) noexcept {
    {
      const std::lock_guard lock(mutex_);
      left_ = true;
      for (attempt& a : attempts_) a.is_callers = a.finished;
    }
    for (attempt& a : attempts_) {  // only this thread adds attempts
      if (!a.is_callers) {
        a.stop.request_stop();
      } else if (&a != answer) {
        a.brought.drop();
      }
    }
  }

  R answer(std::size_t number) {
    attempt& winner = attempts_[number];
    leave(&winner);
    return winner.brought.take();
  }

  [[noreturn]] void leave_cancelled(const execution& e) {
    {
      const std::lock_guard lock(mutex_);
      const call_fate outer = e.fate == nullptr ? call_fate::wanted : e.fate->load();
      set_fates(outer == call_fate::wanted ? call_fate::lost : outer);
    }
    leave(nullptr);
    throw cancelled_error(policy_.name() + ": cancelled while attempts were under way");
  }

  const hedge policy_;
  std::mutex mutex_;
  hedge_run decisions_;
  std::deque<attempt> attempts_;
  waiting_room* room_ = nullptr;
  bool left_ = false;
};

}  // namespace switchgear::inline v1::detail

namespace switchgear::inline v1 {

template <class Next>
typename Next::result hedge::run(const Next& next, const execution& e) const {
  static_assert(!Next::runs_only_once, "A hedge runs the function twice at a time, and this function is marked non_idempotent.");
  const auto call = std::make_shared<detail::hedged_call<typename Next::result>>(*this, e);
  return call->run(next, e, options().executor == nullptr ? default_executor() : *options().executor);
}

}  // namespace switchgear::inline v1
