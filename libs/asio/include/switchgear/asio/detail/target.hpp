// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/asio/call_options.hpp>
#include <switchgear/asio/detail/call_state.hpp>
#include <switchgear/asio/detail/signature.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution_context.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace switchgear::inline v1::asio::detail {

template <class T>
inline constexpr bool is_pipeline = false;
template <class... P>
inline constexpr bool is_pipeline<pipeline<P...>> = true;

template <class T>
concept breaker_or_handle = breaker<std::remove_cvref_t<T>> || switchgear::detail::breaker_pointer<std::remove_cvref_t<T>>;

/// What calls can go through.
template <class T>
concept target =
    is_pipeline<std::remove_cvref_t<T>> || std::derived_from<std::remove_cvref_t<T>, policy_base> || breaker_or_handle<T>;

template <class T>
concept place = !target<T> && (std::convertible_to<T&, boost::asio::execution_context&> ||
                               std::convertible_to<std::remove_cvref_t<T>, boost::asio::any_io_executor>);

template <place P>
[[nodiscard]] boost::asio::any_io_executor executor_of(P& p) {
  if constexpr (std::convertible_to<P&, boost::asio::execution_context&>) {
    return p.get_executor();
  } else {
    return p;
  }
}

template <class P>
struct executor_type_of { using type = std::remove_cvref_t<P>; };
template <class P>
  requires requires { typename std::remove_cvref_t<P>::executor_type; }
struct executor_type_of<P> { using type = typename std::remove_cvref_t<P>::executor_type; };
template <class P>
using default_token_of = boost::asio::default_completion_token_t<typename executor_type_of<P>::type>;

template <class P>
concept place_with_default = place<P> && !std::is_void_v<default_token_of<P>>;

/// The policies of a target, to be kept for one call.
template <target T>
[[nodiscard]] auto policies_of(T&& t) {
  using plain = std::remove_cvref_t<T>;
  if constexpr (is_pipeline<plain>) {
    return t.policies();
  } else if constexpr (std::derived_from<plain, policy_base>) {
    return std::tuple<plain>(std::forward<T>(t));
  } else if constexpr (breaker<plain> && !std::copy_constructible<plain>) {
    static_assert(std::is_lvalue_reference_v<T>, "This breaker would be gone before the call has completed.");
    return std::tuple<guard<plain*>>(guard<plain*>(t));
  } else {
    return std::tuple<guard<plain>>(guard<plain>(std::forward<T>(t)));
  }
}

template <class T>
struct completion_signature {
  static_assert(std::move_constructible<T>, "The result of the operation has to be movable.");
  static_assert(std::default_initializable<T>,
                "The result of the operation has to be default constructible, because the handler gets one also when there is "
                "an error: let the operation bring a std::optional of it.");
  using type = void(std::exception_ptr, T);
};
template <>
struct completion_signature<void> { using type = void(std::exception_ptr); };

template <class T, class F, class Token>
auto start_call(std::optional<boost::asio::any_io_executor> executor, T&& t, std::shared_ptr<const call_options> options, F&& f,
                Token&& token) {
  using function = std::decay_t<F>;
  using result = result_of<function>;
  auto policies = policies_of(std::forward<T>(t));
  using policy_tuple = decltype(policies);
  static_assert(!switchgear::detail::policy_facts<policy_tuple>::hedges || !switchgear::detail::is_non_idempotent<function>,
                "A hedge runs the function twice at a time, and this function is marked non_idempotent.");
  return boost::asio::async_initiate<Token, typename completion_signature<result>::type>(
      initiation<result, policy_tuple, function>(std::move(executor), std::move(policies), std::move(options),
                                                 std::forward<F>(f)),
      token);
}

}  // namespace switchgear::inline v1::asio::detail
