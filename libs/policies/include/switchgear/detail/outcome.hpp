// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/permit.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace switchgear::inline v1::detail {

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
    error_ = std::move(e);
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
    // Moved out, so that the thread that catches it is the last to hold it.
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    if constexpr (std::is_reference_v<R>) {
      return static_cast<R>(**value_);
    } else if constexpr (!std::is_void_v<R>) {
      R out = *std::move(value_);
      value_.reset();
      return out;
    }
  }
  void drop() noexcept {
    value_.reset();
    error_ = nullptr;
  }

 private:
  std::optional<stored> value_;
  std::exception_ptr error_;
};

}  // namespace switchgear::inline v1::detail
