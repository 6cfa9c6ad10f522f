// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/clock.hpp>
#include <switchgear/detail/chain.hpp>
#include <switchgear/detail/deadline_stop.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/policy_event.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

/// What a timeout may be told.
struct timeout_options {
  std::string name = "timeout";

  /// How long a call may take, 1 ns … 24 h. Take the 99.9th percentile of good calls and some room; a limit near the median
  /// makes failures out of ordinary calls.
  std::chrono::nanoseconds limit = std::chrono::seconds(30);

  [[nodiscard]] std::vector<problem> validate() const;
};

/// What a timeout has counted since it was made.
struct timeout_metrics {
  std::uint64_t timeouts = 0;
};

namespace detail {

struct timeout_state;

/// A call_timeout_error, with `cause` nested in it unless that is null.
[[nodiscard]] std::exception_ptr timeout_error(const std::string& name, std::chrono::nanoseconds limit,
                                               const std::exception_ptr& cause = nullptr);

/// What the three kinds of timeout have in common.
class timeout_core {
 public:
  timeout_core(timeout_options options, clock& source);

  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] std::chrono::nanoseconds limit() const noexcept { return limit_; }
  [[nodiscard]] timeout_options options() const { return {name(), limit_}; }
  [[nodiscard]] clock& time_source() const noexcept { return *source_; }
  [[nodiscard]] timeout_metrics metrics() const;
  /// Told of every call that took too long (policy_event_kind::timed_out).
  [[nodiscard]] subscription observe(std::function<void(const policy_event&)> handler) const;

  // --- for adapters, which cancel the rest of the call in their own way ---

  /// Counts and tells of a call that took too long, and makes its error, with `cause` nested in it unless that is null.
  [[nodiscard]] std::exception_ptr expired(const execution& e, const std::exception_ptr& cause = nullptr) const;

 protected:
  [[nodiscard]] std::string describe_as(std::string_view what) const;

  template <class Next>
  typename Next::result run_until_deadline(const Next& next, const execution& e) const {
    const std::chrono::nanoseconds deadline = later(time_source().now(), limit());
    if constexpr (Next::uses_stop) {
      const deadline_stop stop(time_source(), deadline, e);
      return run_and_judge(next, stop.inner(e), e, [&] { return stop.decide(time_source().now() >= deadline); });
    } else {
      return run_and_judge(next, e, e, [&] {
        return time_source().now() >= deadline ? deadline_stop::first::nobody_but_late : deadline_stop::first::nobody;
      });
    }
  }

 private:
  template <class Next, class Decide>
  typename Next::result run_and_judge(const Next& next, const execution& inner, const execution& outer,
                                      const Decide& decide) const {
    using result = typename Next::result;
    using first = deadline_stop::first;
    const auto too_late = [&] {
      const first f = decide();
      return f == first::deadline || f == first::nobody_but_late;
    };
    if constexpr (std::is_void_v<result>) {
      try {
        next(inner);
      } catch (...) {
        came_back_by_exception(decide(), outer);
        throw;
      }
      if (too_late()) [[unlikely]] std::rethrow_exception(expired(outer));
    } else if constexpr (!std::is_reference_v<result> && !std::is_move_constructible_v<result>) {
      // Exists only where the caller wants it, so it cannot be taken back: it is counted, and returned all the same.
      struct note {
        const timeout_core& self;
        const execution& outer;
        const decltype(too_late)& late;
        int exceptions = std::uncaught_exceptions();
        ~note() {
          if (std::uncaught_exceptions() == exceptions && late()) (void)self.expired(outer);
        }
      } const at_the_end{*this, outer, too_late};
      try {
        return next(inner);
      } catch (...) {
        came_back_by_exception(decide(), outer);
        throw;
      }
    } else {
      const auto call = [&]() -> result {
        try {
          return next(inner);
        } catch (...) {
          came_back_by_exception(decide(), outer);
          throw;
        }
      };
      result value = call();
      if (too_late()) [[unlikely]] std::rethrow_exception(expired(outer));
      return static_cast<result&&>(value);
    }
  }

  /// To be called inside a catch clause; returns when the exception is to be let pass.
  void came_back_by_exception(deadline_stop::first f, const execution& outer) const;

  // Here and not in the state, because every call asks for them.
  std::chrono::nanoseconds limit_;
  clock* source_;
  std::shared_ptr<timeout_state> state_;
};

}  // namespace detail

/// Limits the time of each attempt: made by timeout::per_attempt(). A pipeline refuses it outside a retry or hedge.
class per_attempt_timeout : public detail::timeout_core, public detail::callable_policy<per_attempt_timeout> {
 public:
  static constexpr policy_kind kind = policy_kind::timeout;
  static constexpr bool is_per_attempt = true;
  static constexpr bool is_total = false;

  explicit per_attempt_timeout(detail::timeout_core core) : timeout_core(std::move(core)) {}

  template <class Next>
  typename Next::result run(const Next& next, const execution& e) const {
    return run_until_deadline(next, e);
  }
  /// `timeout(2s per attempt)`.
  [[nodiscard]] std::string describe() const { return describe_as(" per attempt"); }
};

/// Limits the time of all attempts together: made by timeout::total(). A pipeline refuses it inside a retry or hedge.
class total_timeout : public detail::timeout_core, public detail::callable_policy<total_timeout> {
 public:
  static constexpr policy_kind kind = policy_kind::timeout;
  static constexpr bool is_per_attempt = false;
  static constexpr bool is_total = true;

  explicit total_timeout(detail::timeout_core core) : timeout_core(std::move(core)) {}

  template <class Next>
  typename Next::result run(const Next& next, const execution& e) const {
    return run_until_deadline(next, e);
  }
  /// `timeout(2s in all)`.
  [[nodiscard]] std::string describe() const { return describe_as(" in all"); }
};

/// Limits the time of a call, cooperatively: at the deadline a function that takes a std::stop_token is asked to stop, and
/// whatever comes back at or after the deadline is a call_timeout_error, a value too; an exception of the function is nested
/// in it. A function that does not look at a token is not interrupted, only judged: for one that may block for ever there is
/// time_limiter.
///
///     sg::timeout quick{2s};
///     receipt r = quick.call([&](std::stop_token stop) { return client.charge(order, stop); });
///
/// The caller's own stop request is passed on and is no timeout: when it was first, what comes back leaves as it is. So do,
/// at any time, rejections of policies further in, and a cancelled_error that this deadline did not cause. A breaker further
/// in counts a call that this deadline stopped as a timeout, too.
///
/// Say `.per_attempt()` or `.total()` in a pipeline with a retry or hedge, and the wrong place does not compile.
///
/// When it cannot help: a call that is late has used its time all the same, and may have had its effect.
///
/// A handle: copies share metrics and observers. Thread safety: all functions from any thread. A call costs two clock reads,
/// and a timer when the function, or a policy further in, looks at the stop token.
class timeout : public detail::timeout_core, public detail::callable_policy<timeout> {
 public:
  static constexpr policy_kind kind = policy_kind::timeout;
  static constexpr bool is_per_attempt = false;
  static constexpr bool is_total = false;

  /// Throws config_error. `source` has to outlive the calls.
  explicit timeout(timeout_options options, clock& source = steady_clock()) : timeout_core(std::move(options), source) {}
  explicit timeout(std::chrono::nanoseconds limit, clock& source = steady_clock())
      : timeout(timeout_options{.limit = limit}, source) {}

  [[nodiscard]] per_attempt_timeout per_attempt() const { return per_attempt_timeout(*this); }
  [[nodiscard]] total_timeout total() const { return total_timeout(*this); }

  template <class Next>
  typename Next::result run(const Next& next, const execution& e) const {
    return run_until_deadline(next, e);
  }
  /// `timeout(2s)`.
  [[nodiscard]] std::string describe() const { return describe_as(""); }
};

}  // namespace switchgear::inline v1
