// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/backoff.hpp>
#include <switchgear/classifier.hpp>
#include <switchgear/clock.hpp>
#include <switchgear/detail/chain.hpp>
#include <switchgear/policy_event.hpp>
#include <switchgear/retry_budget.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

/// What a retry may be told.
struct retry_options {
  std::string name = "retry";

  /// Attempts, the first included; 1 … 1000. Three is plenty against short trouble; lasting trouble is the breaker's.
  int max_attempts = 3;

  /// How long to wait between them.
  switchgear::backoff backoff = exponential(std::chrono::milliseconds(100)).up_to(std::chrono::seconds(10)).with_jitter();

  /// No attempt begins at or after this time from the first; 0 = no limit, up to 24 h. Set it below what your own caller
  /// waits. It does not end an attempt that is under way: a timeout further in does.
  std::chrono::nanoseconds total_limit{0};

  /// What is worth another attempt: whatever this classifier calls a failure. Exceptions are, unless it ignores them;
  /// values are not, unless it fails them:
  ///
  ///     .when = sg::classifier{}.ignore<bad_query>().fail_if([](const response& r) { return r.status == 503; })
  ///
  /// Rejections and cancellations never are.
  classifier when{};

  /// Whether a rejection that says when to come back (an open circuit, a rate limit) is waited for and tried again. Such an
  /// attempt counts. Only for callers who have the time, as workers of a queue.
  bool wait_for_retry_after = false;

  /// Shared by all callers of one dependency, so that retries stay a fraction of their traffic.
  std::optional<retry_budget> budget{};

  [[nodiscard]] std::vector<problem> validate() const;
};

/// Why no further attempt was made.
enum class retry_stop : std::uint8_t {
  succeeded,
  attempts_used_up,
  time_used_up,      ///< the next attempt would have begun after the total limit
  not_retryable,     ///< the classifier ignores what was thrown
  rejected,          ///< by a circuit or another policy further in
  budget_used_up,
  cancelled,
};
/// The name, `attempts_used_up`.
[[nodiscard]] std::string_view to_string(retry_stop s) noexcept;

/// How a call through a retry policy ended.
struct retry_report {
  int attempts = 0;
  retry_stop stopped = retry_stop::succeeded;
  std::chrono::nanoseconds waited{0};  ///< between the attempts
};

/// How many attempts led to this exception and why there was no other, when a retry policy let it pass on this thread and
/// no other since. The exception itself is the function's own, unchanged.
///
///     catch (const std::exception& e) {
///       if (const auto report = sg::retry_report_of(std::current_exception())) log(e, report->attempts, report->stopped);
///     }
[[nodiscard]] std::optional<retry_report> retry_report_of(const std::exception_ptr& e) noexcept;

/// What a retry has counted since it was made.
struct retry_metrics {
  std::uint64_t first_try = 0;        ///< calls that succeeded at once
  std::uint64_t after_retries = 0;    ///< calls that succeeded later
  std::uint64_t attempts_used_up = 0, time_used_up = 0, not_retryable = 0, rejected = 0, budget_used_up = 0, cancelled = 0;
  std::uint64_t retries = 0;          ///< attempts after the first
  [[nodiscard]] std::uint64_t calls() const noexcept {
    return first_try + after_retries + attempts_used_up + time_used_up + not_retryable + rejected + budget_used_up + cancelled;
  }
};

class retry_run;

/// Tries again. A handle: copies share options, metrics and observers.
///
///     sg::retry storage{{.name = "storage", .max_attempts = 5, .backoff = sg::exponential(500ms).up_to(5s)}};
///     auto row = storage.call([&] { return db.fetch(key); });
///
/// What leaves after the last attempt is what the last attempt brought: its exception unchanged (see retry_report_of) or its
/// value. A stop request during a wait ends it at once with cancelled_error, the last exception nested in it.
///
/// Outside a breaker each attempt is a call of its own; inside, the whole loop is one call. With an open circuit further in
/// there is no second attempt.
///
/// Thread safety: all functions from any thread. A call that succeeds at once costs one counter of its thread.
class retry : public detail::callable_policy<retry> {
 public:
  static constexpr policy_kind kind = policy_kind::retry;
  static constexpr bool repeats = true;
  static constexpr bool waits = true;

  /// Throws config_error. `source` has to outlive the calls.
  explicit retry(retry_options options = {}, clock& source = steady_clock());

  template <class Next>
  typename Next::result run(const Next& next, const execution& e) const;

  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] const retry_options& options() const noexcept;
  [[nodiscard]] clock& time_source() const noexcept;
  [[nodiscard]] retry_metrics metrics() const;
  [[nodiscard]] subscription observe(std::function<void(const policy_event&)> handler) const;
  /// `retry(3 attempts, exponential 100ms … 10s, full jitter)`.
  [[nodiscard]] std::string describe() const;

 private:
  friend class retry_run;
  template <class Next>
  typename Next::result run_in_place(const Next& next, const execution& e, retry_run& attempts) const;

  struct state;
  std::shared_ptr<state> state_;
};

/// The decisions of one call through a retry policy, without the waiting: what retry::run and asynchronous adapters share.
/// Each attempt ends in one of the functions; they say whether to try again, and after how long.
class retry_run {
 public:
  explicit retry_run(const retry& policy) noexcept;

  /// Whether there is another attempt, and how long to wait before it.
  struct decision {
    bool again = false;
    std::chrono::nanoseconds delay{0};
  };

  /// The attempt returned a value that nobody judges, or nothing.
  void succeeded() noexcept;
  /// Whether values have to be shown to returned().
  [[nodiscard]] bool judges_values() const noexcept { return judges_values_; }
  /// The attempt returned this value; when the classifier fails it, it counts as a failed attempt.
  template <class T>
  decision returned(const T& value, const execution& e) {
    verdict found = verdict::success;
    try {
      found = rules().of_value(value);
    } catch (...) {
      (void)stop(retry_stop::not_retryable, "the classifier threw", e);
      throw;
    }
    if (found != verdict::failure) {
      succeeded();
      return {};
    }
    return failed("the result was classified as a failure", {}, e);
  }
  /// The attempt threw the exception that is being handled. With `again` false it is to be let pass.
  decision caught(const execution& e);

  /// After the wait: whether the attempt that was decided on may still begin. If not, because the wait took longer than it
  /// should and the total limit has passed, what the last one brought is to be let pass: its exception `last`, or, when
  /// that is null, its value.
  [[nodiscard]] bool begins(const std::exception_ptr& last, const execution& e);

  /// The wait was cut short: what to throw instead of going on. `last` is the exception of the last attempt, or null.
  [[nodiscard]] std::exception_ptr cancelled(const std::exception_ptr& last);

  /// Makes retry_report_of(e) answer on this thread: for adapters that let an exception pass on another thread than the one
  /// of caught().
  void remember(const std::exception_ptr& e) const noexcept;
  [[nodiscard]] const retry_report& report() const noexcept { return report_; }

 private:
  [[nodiscard]] const classifier& rules() const noexcept;
  decision failed(std::string_view why, std::optional<std::chrono::nanoseconds> at_least, const execution& e);
  decision stop(retry_stop why, std::string_view text, const execution& e);
  void not_made() noexcept;  ///< the attempt that was decided on

  retry::state& state_;
  retry_report report_{.attempts = 1};
  std::chrono::nanoseconds started_{0};
  std::chrono::nanoseconds previous_{0};
  bool judges_values_;
};

namespace detail {

/// For those who carry an exception to another thread: makes retry_report_of(e) answer there.
void remember_retry_report(const std::exception_ptr& e, const retry_report& report) noexcept;

/// Keeps what a call returns exactly as it was made, without a move.
template <class R>
class call_slot {
 public:
  call_slot() noexcept {}
  call_slot(const call_slot&) = delete;
  call_slot& operator=(const call_slot&) = delete;
  ~call_slot() {
    if (has_value_) value_.~R();
  }
  template <class Make>
  void keep(const Make& make) {
    ::new (const_cast<void*>(static_cast<const void*>(std::addressof(value_)))) R(make());
    has_value_ = true;
  }
  [[nodiscard]] const R& value() const noexcept { return value_; }
  R take() { return static_cast<R&&>(value_); }

 private:
  union {
    R value_;
  };
  bool has_value_ = false;
};
template <class R>
class call_slot<R&> {
 public:
  template <class Make>
  void keep(const Make& make) {
    value_ = std::addressof(static_cast<R&>(make()));
  }
  [[nodiscard]] const R& value() const noexcept { return *value_; }
  R& take() noexcept { return *value_; }

 private:
  R* value_ = nullptr;
};
template <class R>
class call_slot<R&&> {
 public:
  template <class Make>
  void keep(const Make& make) {
    R&& got = make();
    value_ = std::addressof(got);
  }
  [[nodiscard]] const R& value() const noexcept { return *value_; }
  R&& take() noexcept { return static_cast<R&&>(*value_); }

 private:
  R* value_ = nullptr;
};
template <>
class call_slot<void> {
 public:
  template <class Make>
  void keep(const Make& make) {
    make();
  }
  void take() noexcept {}
};

/// Waits for a retry on this thread. False when a stop was requested.
[[nodiscard]] bool wait_for_retry(clock& source, std::chrono::nanoseconds delay, const std::stop_token& stop);

}  // namespace detail

/// Retry policies with the figures of well-tried systems.
namespace retry_presets {

retry_options worker();     ///< 3 attempts, 1 … 10 s, jitter
retry_options storage();    ///< 5 attempts, 0.5 … 5 s, no jitter: one writer, nobody to collide with
retry_options scheduler();  ///< 3 attempts, 1 … 8 s, jitter
retry_options api();        ///< 4 attempts, 1 … 15 s, jitter

/// The preset of that name, or nothing.
std::optional<retry_options> find(std::string_view name);

}  // namespace retry_presets

// --- templates ---

template <class Next>
typename Next::result retry::run(const Next& next, const execution& e) const {
  using result = typename Next::result;
  retry_run attempts(*this);
  if constexpr (!std::is_void_v<result> && !std::is_reference_v<result> && !std::is_move_constructible_v<result>) {
    return run_in_place(next, e, attempts);
  } else {
    for (;;) {
      retry_run::decision what;
      std::exception_ptr last;
      // Only the call itself is an attempt: what judging, moving or returning its result throws is not repeated.
      detail::call_slot<result> brought;
      try {
        brought.keep([&]() -> result { return next(e); });
      } catch (...) {
        what = attempts.caught(e);
        if (!what.again) throw;
        last = std::current_exception();
      }
      if (!last) {
        if constexpr (!std::is_void_v<result>) {
          if (attempts.judges_values()) [[unlikely]] {
            what = attempts.returned(brought.value(), e);
          } else {
            attempts.succeeded();
          }
        } else {
          attempts.succeeded();
        }
        if (!what.again) return brought.take();
      }
      if (!detail::wait_for_retry(time_source(), what.delay, e.stop)) std::rethrow_exception(attempts.cancelled(last));
      if (!attempts.begins(last, e)) {
        if (last) std::rethrow_exception(last);
        return brought.take();
      }
    }
  }
}

template <class Next>
typename Next::result retry::run_in_place(const Next& next, const execution& e, retry_run& attempts) const {
  for (;;) {
    retry_run::decision what;
    std::exception_ptr last;
    try {
      // Exists only where the caller wants it, so nobody can look at it here: returning it is success.
      struct note {
        retry_run& attempts;
        int exceptions = std::uncaught_exceptions();
        ~note() {
          if (std::uncaught_exceptions() == exceptions) attempts.succeeded();
        }
      } const at_the_end{attempts};
      return next(e);
    } catch (...) {
      what = attempts.caught(e);
      if (!what.again) throw;
      last = std::current_exception();
    }
    if (!detail::wait_for_retry(time_source(), what.delay, e.stop)) std::rethrow_exception(attempts.cancelled(last));
    if (!attempts.begins(last, e)) std::rethrow_exception(last);
  }
}

}  // namespace switchgear::inline v1
