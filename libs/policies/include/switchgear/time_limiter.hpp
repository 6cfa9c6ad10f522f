// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/clock.hpp>
#include <switchgear/detail/chain.hpp>
#include <switchgear/detail/outcome.hpp>
#include <switchgear/detail/waiting.hpp>
#include <switchgear/executor.hpp>
#include <switchgear/policy_event.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

/// What a time_limiter may be told.
struct time_limiter_options {
  std::string name = "time_limiter";

  /// How long a call may take, the wait for a thread included; 1 ns … 24 h. As for timeout.
  std::chrono::nanoseconds limit = std::chrono::seconds(30);

  /// Where the calls run; has to outlive them. Null: default_executor(). Give each dependency that may hang a pool of its own,
  /// so that it cannot take the threads of the others.
  switchgear::executor* executor = nullptr;

  [[nodiscard]] std::vector<problem> validate() const;
};

/// What a time_limiter has counted since it was made.
struct time_limiter_metrics {
  std::uint64_t timeouts = 0;
  std::uint64_t cancelled = 0;  ///< callers that left before the deadline
  std::uint64_t refused = 0;    ///< by the executor, which had no room, no thread in time, or was about to end
  std::uint64_t abandoned = 0;  ///< calls out there now whose callers have left
};

/// Limits the time that a caller waits for a function that may block and cannot be asked to stop: it runs on an executor,
/// and at the deadline the caller gets call_timeout_error, whatever the function does.
///
///     sg::thread_pool threads{{.name = "ldap", .threads = 8}};
///     sg::time_limiter lookup{{.limit = 2s, .executor = &threads}};
///     entry e = lookup.call([user] { return ldap_search(user); });       // by value: the call may outlive its caller
///
/// The call that is left behind is asked to stop, for the case that it looks at its token; a breaker further in counts it as
/// a timeout when it comes back at last; what it brings is dropped. A stop request of the caller ends the wait at once with
/// cancelled_error, and the call is no evidence. Everything else passes unchanged: values, exceptions, executor_full_error
/// when the executor has no room; rejections of policies further in at any time, as with timeout.
///
/// A call whose caller left before it began never runs. When that was the deadline he gets executor_full_error: the function
/// has done nothing wrong, the threads were all taken.
///
/// The function and its arguments are moved or copied to the other thread, like those of std::thread. What they refer to, and
/// what the function returns a reference to, has to outlive the call, not only its caller: capture by value. So has what the
/// policies further in refer to, a guard its breaker and all of them their clock: declare those before the pool, whose end
/// waits for the calls. The thread stays taken until the function returns.
///
/// When it cannot help: against functions that hang for ever it only changes what runs out, from callers to threads of the
/// executor. Put a breaker around it.
///
/// A handle: copies share metrics and observers. Thread safety: all functions from any thread. A call costs two changes of
/// thread and some allocations; prefer timeout for functions that look at a stop token.
class time_limiter : public detail::callable_policy<time_limiter> {
 public:
  static constexpr policy_kind kind = policy_kind::time_limiter;
  static constexpr bool waits = true;
  static constexpr bool detaches = true;

  /// Throws config_error. `source` has to outlive the calls.
  explicit time_limiter(time_limiter_options options = {}, clock& source = steady_clock());

  template <class Next>
  typename Next::result run(const Next& next, const execution& e) const;

  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] const time_limiter_options& options() const noexcept;
  [[nodiscard]] std::chrono::nanoseconds limit() const noexcept;
  [[nodiscard]] clock& time_source() const noexcept;
  [[nodiscard]] time_limiter_metrics metrics() const;
  /// Told of every call that took too long (policy_event_kind::timed_out) or found no room or no thread (rejected).
  [[nodiscard]] subscription observe(std::function<void(const policy_event&)> handler) const;
  /// `time_limiter(2s)`.
  [[nodiscard]] std::string describe() const;

  // --- for adapters, which cancel the rest of the call in their own way ---

  /// Counts and tells of a call that took too long, and makes its error.
  [[nodiscard]] std::exception_ptr expired(const execution& e) const;

 private:
  struct state;

  template <class Call>
  struct flight;

  [[nodiscard]] executor& where() const;
  /// Counts and tells of it.
  [[nodiscard]] std::exception_ptr refused(executor_full_error why, const execution& e) const;
  [[nodiscard]] std::exception_ptr cancelled(bool began) const;
  void abandoned() const noexcept;
  void came_back() const noexcept;

  std::shared_ptr<state> state_;
};

// --- templates ---

/// A call on its way: shared by its caller and the thread that makes it, whichever stays longer.
template <class Call>
struct time_limiter::flight {
  using result = typename Call::result;

  enum class stage : std::uint8_t { waiting, begun, left };

  flight(const time_limiter& p, Call c) : policy(p), call(std::move(c)), room(p.time_source()) {}

  /// From waiting to another stage: the thread begins the call, or its caller leaves before, whichever is first.
  [[nodiscard]] bool first(stage s) noexcept {
    stage expected = stage::waiting;
    return at.compare_exchange_strong(expected, s);
  }

  /// On the executor's thread.
  void fly(const executor& where) noexcept {
    try {
      const std::stop_callback on_closing(where.closing(), [this]() noexcept { stop.request_stop(); });
      if (stop.stop_requested() && at.load() == stage::waiting) {
        turned_away.emplace(policy.name(), where);  // by the executor; a caller who has left does not hear of it
      } else if (first(stage::begun)) {
        brought.keep([this]() -> result { return (*call)(stop.get_token(), &fate); });
      }
    } catch (...) {
      brought.fail(std::current_exception());
    }
    // Gone before the caller goes on: nothing of a call that has come back is left on this thread.
    call.reset();
    if (room.wake()) return;
    brought.drop();
    policy.came_back();
  }

  time_limiter policy;
  std::optional<Call> call;
  detail::waiting_room room;
  std::stop_source stop;
  std::atomic<stage> at{stage::waiting};
  std::atomic<call_fate> fate{call_fate::wanted};
  detail::outcome<result> brought;
  std::optional<executor_full_error> turned_away;  ///< for a caller who is woken
};

template <class Next>
typename Next::result time_limiter::run(const Next& next, const execution& e) const {
  using reason = detail::waiting_room::reason;
  using detached = decltype(next.detach(e));
  if (e.stop.stop_requested()) std::rethrow_exception(cancelled(false));
  const std::chrono::nanoseconds deadline = detail::later(time_source().now(), limit());
  const auto call = std::make_shared<flight<detached>>(*this, next.detach(e));
  executor& there = where();
  // Asked now: an executor that ends need not be there any more when the deadline comes.
  std::string executor_name = there.name();
  const std::optional<std::size_t> capacity = there.capacity();
  if (!there.post([call, &there] { call->fly(there); })) std::rethrow_exception(refused({name(), there}, e));

  const reason why = call->room.wait(deadline, e.stop);
  if (why == reason::woken) {
    if (call->turned_away) std::rethrow_exception(refused(*std::move(call->turned_away), e));
    // Back before the timer ran it may be too late all the same; but what was not done was not done too slowly.
    if (time_source().now() < deadline || call->brought.is_refusal()) return call->brought.take();
    call->brought.drop();
    std::rethrow_exception(expired(e));
  }
  const bool began = !call->first(flight<detached>::stage::left);
  abandoned();
  // The fate before the request: what obeys it at once finds out what for. A caller that leaves says why where he knows.
  const call_fate outer = e.fate == nullptr ? call_fate::wanted : e.fate->load();
  call->fate.store(why == reason::deadline                ? call_fate::timed_out
                   : outer == call_fate::wanted ? call_fate::lost
                                                : outer);
  call->stop.request_stop();
  if (why != reason::deadline) std::rethrow_exception(cancelled(began));
  std::rethrow_exception(began ? expired(e) : refused({name(), std::move(executor_name), capacity, limit()}, e));
}

}  // namespace switchgear::inline v1
