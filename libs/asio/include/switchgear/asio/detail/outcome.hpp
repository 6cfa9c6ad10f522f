// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <optional>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace switchgear::inline v1::asio::detail {

/// What became of an operation: an exception, or a value.
template <class T>
struct outcome {
  using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  std::exception_ptr error;
  std::optional<stored> value;

  [[nodiscard]] static outcome failed(std::exception_ptr e) noexcept { return {std::move(e), std::nullopt}; }
  template <class... A>
  [[nodiscard]] static outcome returned(A&&... a) {
    return {nullptr, std::optional<stored>(std::in_place, std::forward<A>(a)...)};
  }
};

/// An outcome that is there, or nothing while the operation is under way.
template <class T>
using maybe = std::optional<outcome<T>>;

/// What a completion handler is called with, without the error before it.
template <class... Values>
struct result_of_values { using type = std::tuple<Values...>; };
template <class Value>
struct result_of_values<Value> { using type = Value; };
template <>
struct result_of_values<> { using type = void; };

template <class T>
inline constexpr bool is_error = std::is_same_v<T, std::exception_ptr> || std::is_same_v<T, boost::system::error_code> ||
                                 std::is_same_v<T, std::error_code>;

template <class First, class... Rest>
struct result_after_error
    : std::conditional_t<is_error<First>, result_of_values<Rest...>, result_of_values<First, Rest...>> {};

/// The result of an operation with a completion signature.
template <class Signature>
struct result_of_signature;
template <class R>
struct result_of_signature<R()> : result_of_values<> {};
template <class R, class... A>
struct result_of_signature<R(A...)> : result_after_error<std::decay_t<A>...> {};

[[nodiscard]] inline std::exception_ptr to_exception(const std::exception_ptr& e) noexcept { return e; }
[[nodiscard]] inline std::exception_ptr to_exception(const boost::system::error_code& e) {
  return e ? std::make_exception_ptr(boost::system::system_error(e)) : nullptr;
}
[[nodiscard]] inline std::exception_ptr to_exception(const std::error_code& e) {
  return e ? std::make_exception_ptr(std::system_error(e)) : nullptr;
}

/// The outcome that the arguments of a completion handler tell.
template <class T>
[[nodiscard]] outcome<T> outcome_of() {
  return outcome<T>::returned();
}
template <class T, class First, class... Rest>
[[nodiscard]] outcome<T> outcome_of(First&& first, Rest&&... rest) {
  if constexpr (is_error<std::decay_t<First>>) {
    if (std::exception_ptr e = to_exception(first)) return outcome<T>::failed(std::move(e));
    return outcome<T>::returned(std::forward<Rest>(rest)...);
  } else {
    return outcome<T>::returned(std::forward<First>(first), std::forward<Rest>(rest)...);
  }
}

}  // namespace switchgear::inline v1::asio::detail
