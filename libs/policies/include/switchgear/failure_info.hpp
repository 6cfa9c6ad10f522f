// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/classifier.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/policy.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string_view>
#include <type_traits>

namespace switchgear::inline v1 {

/// In which way a call failed.
enum class failure_kind : std::uint8_t {
  rejection,   ///< by a circuit or another policy: the function was not called
  exception,   ///< the function's own, or the end of a time limit
  bad_result,  ///< a value that the classifier calls a failure
};
/// The name, `bad_result`.
[[nodiscard]] std::string_view to_string(failure_kind k) noexcept;

/// Why a call failed, for whoever answers in its place.
///
///     sg::fallback([](const sg::failure_info& why) -> receipt {
///       if (why.kind() == sg::failure_kind::rejection) return queue_for(why.retry_after().value_or(1min));
///       return cached_receipt();
///     });
///
/// A result that is referred to lives as long as the answer is being made; everything else as long as a copy of this.
class failure_info {
 public:
  [[nodiscard]] failure_kind kind() const noexcept { return kind_; }

  /// Of a rejection: when to come back, where it is known. Never negative, 0 for "any moment".
  [[nodiscard]] std::optional<std::chrono::nanoseconds> retry_after() const noexcept { return retry_after_; }

  /// What was thrown; null for a bad result.
  [[nodiscard]] const std::exception_ptr& error() const noexcept { return error_; }

  /// In words, never empty.
  [[nodiscard]] std::string_view what() const noexcept { return what_; }

  /// The rejection by a breaker (its name, state, failure count, correlation id), or null.
  [[nodiscard]] const circuit_open_error* circuit() const noexcept { return circuit_; }

  /// The bad result, where it is a T; else null.
  template <class T>
  [[nodiscard]] const T* result() const noexcept {
    return type_ == &detail::type_tag<std::remove_cv_t<T>> ? static_cast<const T*>(result_) : nullptr;
  }

  /// Of the exception that is being handled. To be called inside a catch clause.
  [[nodiscard]] static failure_info of_current_exception();
  /// Of a value, to which it refers.
  template <class T>
  [[nodiscard]] static failure_info of_result(const T& value) noexcept {
    failure_info f;
    f.kind_ = failure_kind::bad_result;
    f.what_ = "the result was classified as a failure";
    f.result_ = std::addressof(value);
    f.type_ = &detail::type_tag<T>;
    return f;
  }

 private:
  failure_info() = default;

  failure_kind kind_ = failure_kind::exception;
  std::optional<std::chrono::nanoseconds> retry_after_;
  std::exception_ptr error_;
  std::string_view what_ = "an exception that is not a std::exception";
  const circuit_open_error* circuit_ = nullptr;  ///< kept alive by error_
  const void* result_ = nullptr;
  const void* type_ = nullptr;
};

namespace detail {

/// What a policy that answers in place of a failed call thinks of the exception that is being handled: nothing when it is
/// none of its business (a cancellation, a stop request, what `when` ignores, no rejection while only those count). To be
/// called inside a catch clause.
[[nodiscard]] std::optional<failure_info> failure_of_current_exception(const classifier& when, bool only_rejections,
                                                                       const execution& e);

/// Whether a verdict is one of the two sorts of failure.
[[nodiscard]] constexpr bool is_failure(verdict v) noexcept { return v == verdict::failure || v == verdict::timeout; }

}  // namespace detail
}  // namespace switchgear::inline v1
