// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/permit.hpp>
#include <switchgear/retry.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace switchgear::inline v1::detail {

/// An exception on its way from the thread that threw it to the one that catches it, with what retry_report_of() and
/// failure_before_fallback() knew of it there.
class carried_exception {
 public:
  [[nodiscard]] explicit operator bool() const noexcept { return error_ != nullptr; }
  /// To be called on the thread of the exception.
  void keep(std::exception_ptr e) noexcept;
  void drop() noexcept { *this = {}; }
  /// Throws it; nothing is left here, so that the thread that catches it is the last to hold it.
  [[noreturn]] void leave();
  /// Whether it is a rejection or a cancellation.
  [[nodiscard]] bool is_refusal() const noexcept;

 private:
  std::exception_ptr error_, before_fallback_;
  std::optional<retry_report> report_;
};

/// What a call on one thread brings for another: a value, a reference, nothing, or an exception. Whoever writes hands over
/// to whoever reads by other means.
template <class R>
class outcome {
  static_assert(std::is_void_v<R> || std::is_reference_v<R> || std::is_move_constructible_v<R>,
                "This call runs on another thread, so what it returns has to be movable.");
  using stored = std::conditional_t<std::is_void_v<R>, std::monostate,
                                    std::conditional_t<std::is_reference_v<R>, std::remove_reference_t<R>*, R>>;

 public:
  /// Keeps what `make` returns; what it throws passes.
  template <class Make>
  void keep(const Make& make) {
    if constexpr (std::is_void_v<R>) {
      make();
      value_.emplace();
    } else if constexpr (std::is_reference_v<R>) {
      std::remove_reference_t<R>& kept = static_cast<std::remove_reference_t<R>&>(make());
      value_.emplace(std::addressof(kept));
    } else {
      emplace_from(value_, make);
    }
  }
  void fail(std::exception_ptr e) noexcept {
    value_.reset();
    error_.keep(std::move(e));
  }

  /// Precondition: keep() has returned, and R is not void.
  [[nodiscard]] std::add_lvalue_reference_t<const std::remove_reference_t<R>> value() const noexcept
    requires(!std::is_void_v<R>)
  {
    if constexpr (std::is_reference_v<R>) {
      return **value_;
    } else {
      return *value_;
    }
  }

  /// Returns the value or throws the exception; nothing is left here.
  R take() {
    if (error_) error_.leave();
    if constexpr (std::is_reference_v<R>) {
      return static_cast<R>(**value_);
    } else if constexpr (!std::is_void_v<R>) {
      R out = *std::move(value_);
      value_.reset();
      return out;
    }
  }
  /// Whether a policy further in, or the caller, did not let the call do its work.
  [[nodiscard]] bool is_refusal() const noexcept { return error_.is_refusal(); }
  void drop() noexcept {
    value_.reset();
    error_.drop();
  }

 private:
  std::optional<stored> value_;
  carried_exception error_;
};

}  // namespace switchgear::inline v1::detail
