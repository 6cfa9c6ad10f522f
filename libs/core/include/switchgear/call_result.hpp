// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/detail/exceptions.hpp>
#include <switchgear/permit.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace switchgear::inline v1 {

/// What became of a guarded call, without throwing: a value, or an exception, or a rejection. Plain data, for one
/// thread at a time.
template <class T>
class [[nodiscard]] call_result {
 public:
  using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  /// Whether the function was called and returned, also when its value was classified as a failure (see verdict()).
  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
  [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }

  /// Precondition: has_value().
  [[nodiscard]] stored& operator*() & noexcept { return *value_; }
  [[nodiscard]] const stored& operator*() const& noexcept { return *value_; }
  [[nodiscard]] stored&& operator*() && noexcept { return *std::move(value_); }
  [[nodiscard]] stored* operator->() noexcept { return &*value_; }
  [[nodiscard]] const stored* operator->() const noexcept { return &*value_; }
  [[nodiscard]] stored value_or(stored other) && { return has_value() ? *std::move(value_) : std::move(other); }

  /// Whether the circuit did not let the call through; rejection() says why.
  [[nodiscard]] bool rejected() const noexcept { return rejection_.has_value(); }
  [[nodiscard]] const std::optional<switchgear::rejection>& rejection() const noexcept { return rejection_; }

  /// What went wrong, in words; empty when nothing did.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  /// The function's own exception, or call_timeout_error; null for values and rejections.
  [[nodiscard]] const std::exception_ptr& exception() const noexcept { return exception_; }

  /// How the call counted; abandoned when it was rejected.
  [[nodiscard]] switchgear::verdict verdict() const noexcept { return verdict_; }
  /// How long the function took; 0 when it was not called.
  [[nodiscard]] std::chrono::nanoseconds duration() const noexcept { return duration_; }
  /// The state in which the call was admitted or rejected.
  [[nodiscard]] switchgear::state state() const noexcept { return state_; }

 private:
  friend class circuit_breaker;
  std::optional<stored> value_;
  std::optional<switchgear::rejection> rejection_;
  std::exception_ptr exception_;
  std::string error_;
  std::chrono::nanoseconds duration_{0};
  switchgear::verdict verdict_ = switchgear::verdict::abandoned;
  switchgear::state state_ = switchgear::state::closed;
};

}  // namespace switchgear::inline v1
