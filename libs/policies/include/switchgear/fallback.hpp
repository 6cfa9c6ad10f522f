// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/classifier.hpp>
#include <switchgear/detail/chain.hpp>
#include <switchgear/failure_info.hpp>
#include <switchgear/policy_event.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

/// What a fallback may be told.
struct fallback_options {
  std::string name = "fallback";

  /// What is answered: whatever this classifier calls a failure, and every rejection. Exceptions are, unless it ignores
  /// them; values are not, unless it fails them:
  ///
  ///     .when = sg::classifier{}.ignore<bad_query>().fail_if([](const response& r) { return r.status >= 500; })
  ///
  /// Let it ignore what is the caller's own mistake: an answer from yesterday hides it.
  classifier when{};

  /// Whether only rejections are answered (an open circuit, a full bulkhead), and what the function itself throws or
  /// returns passes. For functions whose own errors tell the caller something that a stand-in cannot.
  bool only_rejections = false;

  [[nodiscard]] std::vector<problem> validate() const;
};

/// What a fallback has counted since it was made.
struct fallback_metrics {
  std::uint64_t rejections = 0, exceptions = 0, bad_results = 0;  ///< that were answered, by failure_kind
  std::uint64_t failed = 0;                                       ///< answers that threw, also counted above
  [[nodiscard]] std::uint64_t answered() const noexcept { return rejections + exceptions + bad_results - failed; }
};

/// The failure that the fallback was called for which threw this exception, on this thread, if no other has thrown since.
/// Null when there is none, and for a bad result.
///
///     catch (const std::exception& e) {
///       if (const auto first = sg::failure_before_fallback(std::current_exception())) log_cause(first);
///     }
[[nodiscard]] std::exception_ptr failure_before_fallback(const std::exception_ptr& e) noexcept;

namespace detail {

/// Makes failure_before_fallback(e) answer on this thread.
void remember_failure_before_fallback(const std::exception_ptr& e, std::exception_ptr before) noexcept;

/// How the function of a fallback is called, if it is one. What tells it most comes first; each question is only asked when
/// the ones before were answered no, because a generic function answers some with an error.
enum class answering_by : std::uint8_t {
  no_function, execution_and_failure, call_with_failure, call, stop_and_failure, failure, stop, nothing
};
template <class F>
constexpr answering_by way_to_answer() {
  if constexpr (std::is_invocable_v<F&, const execution&, const failure_info&>) {
    return answering_by::execution_and_failure;
  } else if constexpr (std::is_invocable_v<F&, std::stop_token, const failure_info&>) {
    return requires(F& f, const execution& e, const failure_info& why) { f.call(e, why); } ? answering_by::call_with_failure
                                                                                            : answering_by::stop_and_failure;
  } else if constexpr (std::is_invocable_v<F&, const failure_info&>) {
    return answering_by::failure;
  } else if constexpr (std::is_invocable_v<F&, std::stop_token>) {
    return requires(F& f, const execution& e) { f.call(e); } ? answering_by::call : answering_by::stop;
  } else if constexpr (std::is_invocable_v<F&>) {
    return answering_by::nothing;
  } else {
    return answering_by::no_function;
  }
}

/// Calls it in that way.
template <answering_by Way, class F>
decltype(auto) answer_with(F& f, const execution& e, const failure_info& why) {
  using enum answering_by;
  if constexpr (Way == execution_and_failure) {
    return std::invoke(f, e, why);
  } else if constexpr (Way == call_with_failure) {
    return f.call(e, why);
  } else if constexpr (Way == answering_by::call) {
    return f.call(e);
  } else if constexpr (Way == stop_and_failure) {
    return std::invoke(f, e.stop, why);
  } else if constexpr (Way == failure) {
    return std::invoke(f, why);
  } else if constexpr (Way == stop) {
    return std::invoke(f, e.stop);
  } else {
    return std::invoke(f);
  }
}

/// The part of a fallback that does not depend on what it answers with.
class fallback_core : public policy_state {
 public:
  explicit fallback_core(fallback_options o);
  ~fallback_core();
  const fallback_options options;
  const bool judges_values;

  [[nodiscard]] std::optional<failure_info> caught(const execution& e) const;
  /// Counts it and tells of it.
  void answering(const failure_info& why, const execution& e) const noexcept;
  /// To be called inside a catch clause for what the answer threw: throws it with the first failure nested in it.
  [[noreturn]] void failed(const failure_info& why) const;
  [[nodiscard]] fallback_metrics metrics() const;

 private:
  struct counts;
  const std::unique_ptr<counts> counts_;
};

}  // namespace detail

/// Answers in place of a call that failed. `F` is a value or a function, which is told as much as it takes: nothing, why it is
/// called (failure_info), the caller's stop token before that, or all that the caller told (execution) and why. A
/// provider_chain is such a function too, and gets the stop token and the correlation id.
///
///     sg::fallback cached{[&](const sg::failure_info& why) { return cache.get(key); }};
///     receipt r = cached.call([&] { return client.charge(order); });
///
/// Everything that fails leads to it, rejections of policies further in included, but never the caller's own change of mind:
/// cancelled_error passes, and so does whatever comes after a stop request.
///
/// A function that throws: its exception leaves, with its type. The first failure is nested in it (std::rethrow_if_nested)
/// where it is one of the library's errors or of the header stdexcept, exactly; a function that throws types of its own uses
/// std::throw_with_nested itself, which does the right thing there. failure_before_fallback() finds the first failure in
/// any case.
///
/// Where a call returns a reference, a value answers with a reference to itself, which lives as long as a copy of the
/// policy does. When it cannot help: where a wrong answer is worse than none.
///
/// A handle: copies share F, metrics and observers. Thread safety: F is called by many threads at a time. A call that
/// succeeds costs nothing.
template <class F>
class fallback : public detail::callable_policy<fallback<F>> {
  static constexpr detail::answering_by way = detail::way_to_answer<F>();
  static constexpr bool is_function = way != detail::answering_by::no_function;

 public:
  static constexpr policy_kind kind = policy_kind::fallback;

  /// Throws config_error.
  explicit fallback(F answer, fallback_options options = {})
      : state_(std::make_shared<state>(std::move(options), std::move(answer))) {}

  template <class Next>
  typename Next::result run(const Next& next, const execution& e) const {
    using result = typename Next::result;
    if constexpr (!std::is_void_v<result> && (std::is_reference_v<result> || std::is_move_constructible_v<result>)) {
      if (state_->judges_values) [[unlikely]] return run_judging(next, e);
    }
    try {
      return next(e);
    } catch (...) {
      return answer_caught<result>(e);  // in here, so that std::throw_with_nested in the function finds the first failure
    }
  }

  // --- for adapters, which run the call in their own way ---

  /// Why the exception that is being handled is to be answered, or nothing when it is to be let pass.
  [[nodiscard]] std::optional<failure_info> caught(const execution& e) const { return state_->caught(e); }
  /// Why a returned value is to be answered, if it is. Refers to the value.
  template <class T>
  [[nodiscard]] std::optional<failure_info> returned(const T& value, const execution& e) const {
    if (!state_->judges_values || e.stop.stop_requested()) return std::nullopt;
    if (!detail::is_failure(state_->options.when.of_value(value))) return std::nullopt;
    return failure_info::of_result(value);
  }
  /// The answer, or what the function throws instead.
  template <class R>
  R answer(const failure_info& why, const execution& e) const {
    state_->answering(why, e);
    if constexpr (is_function) {
      try {
        return ask<R>(why, e);
      } catch (...) {
        state_->failed(why);
      }
    } else if constexpr (std::is_reference_v<R>) {
      static_assert(std::is_convertible_v<F&, R>, "The value of this fallback does not convert to what the call returns.");
      static_assert(std::is_base_of_v<std::remove_cvref_t<R>, F> || std::is_same_v<std::remove_cvref_t<R>, F>,
                    "The call returns a reference, and this value is of another type.");
      return state_->f;
    } else if constexpr (!std::is_void_v<R>) {
      static_assert(std::is_convertible_v<const F&, R>, "The value of this fallback does not convert to what the call returns.");
      return std::as_const(state_->f);
    }
  }

  [[nodiscard]] const std::string& name() const noexcept { return state_->name(); }
  [[nodiscard]] const fallback_options& options() const noexcept { return state_->options; }
  [[nodiscard]] fallback_metrics metrics() const { return state_->metrics(); }
  /// Told of every answer (policy_event_kind::fell_back).
  [[nodiscard]] subscription observe(std::function<void(const policy_event&)> handler) const {
    return state_->observe(std::move(handler));
  }
  /// `fallback`, or `fallback(only rejections)`.
  [[nodiscard]] std::string describe() const {
    return state_->options.only_rejections ? "fallback(only rejections)" : "fallback";
  }

 private:
  struct state : detail::fallback_core {
    state(fallback_options o, F answer) : fallback_core(std::move(o)), f(std::move(answer)) {}
    F f;
  };

  template <class Next>
  typename Next::result run_judging(const Next& next, const execution& e) const {
    using result = typename Next::result;
    bool answered = false;
    const auto call = [&]() -> result {
      try {
        return next(e);
      } catch (...) {
        answered = true;
        return answer_caught<result>(e);
      }
    };
    result value = call();
    if (!answered) {
      // A classifier that throws lets its exception pass: it is asked outside the try.
      const auto why = returned(static_cast<const std::remove_reference_t<result>&>(value), e);
      if (why) [[unlikely]] return answer<result>(*why, e);
    }
    return static_cast<result&&>(value);
  }

  /// A function of its own, so that nothing of it is in the way of a call that succeeds.
  template <class R>
  [[gnu::noinline]] R answer_caught(const execution& e) const {
    const std::optional<failure_info> why = caught(e);
    if (!why) throw;
    return answer<R>(*why, e);
  }

  template <class R>
  R ask(const failure_info& why, const execution& e) const {
    const auto call = [&]() -> decltype(auto) { return detail::answer_with<way>(state_->f, e, why); };
    using answered = decltype(call());
    if constexpr (std::is_void_v<R>) {
      call();
    } else {
      static_assert(std::is_same_v<answered, R> || std::is_convertible_v<answered, R>,
                    "What this fallback returns does not convert to what the call returns.");
      static_assert(!std::is_reference_v<R> || std::is_reference_v<answered>,
                    "The call returns a reference, so this fallback has to return one too.");
      return call();
    }
  }

  std::shared_ptr<state> state_;
};

}  // namespace switchgear::inline v1
