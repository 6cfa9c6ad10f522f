// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/asio/detail/outcome.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <type_traits>

namespace switchgear::inline v1::asio::detail {

/// What an operation returns that is given a probe instead of a completion token: its completion signatures.
template <class... Signatures>
struct signatures {};

/// A completion token that starts nothing. Used where nothing is evaluated.
struct probe {};

#if defined(BOOST_ASIO_HAS_CO_AWAIT)
template <class T>
struct awaited { static constexpr bool is_awaitable = false; };
template <class T, class Executor>
struct awaited<boost::asio::awaitable<T, Executor>> {
  static constexpr bool is_awaitable = true;
  using result = T;
  using executor = Executor;
};

template <class F>
concept coroutine_function = std::is_invocable_v<F&> && awaited<std::invoke_result_t<F&>>::is_awaitable;
#else
template <class F>
concept coroutine_function = false;
#endif

template <class R>
struct result_of_operation {
  static_assert(!std::is_same_v<R, R>,
                "The function has to return what an asynchronous operation with the token it was given returns, or to take "
                "nothing and return boost::asio::awaitable.");
};
template <class Signature>
struct result_of_operation<signatures<Signature>> : result_of_signature<Signature> {};

template <class F>
struct result_of_initiation {
  static_assert(std::is_invocable_v<F&, probe>,
                "The function has to take a completion token by value, `[&](auto token) { return socket.async_connect(endpoint, "
                "token); }`, or to take nothing and return boost::asio::awaitable.");
  using type = typename result_of_operation<std::invoke_result_t<F&, probe>>::type;
};
#if defined(BOOST_ASIO_HAS_CO_AWAIT)
template <coroutine_function F>
struct result_of_initiation<F> { using type = typename awaited<std::invoke_result_t<F&>>::result; };
#endif

/// What the operation that `F` starts brings: void, a value, or a tuple of several.
template <class F>
using result_of = typename result_of_initiation<F>::type;

}  // namespace switchgear::inline v1::asio::detail

namespace boost::asio {

template <class... Signatures>
class async_result<switchgear::asio::detail::probe, Signatures...> {
 public:
  using return_type = switchgear::asio::detail::signatures<Signatures...>;

  template <class Initiation, class Token, class... A>
  static return_type initiate(Initiation&&, Token&&, A&&...) {
    return {};
  }

  // For operations of the older style, which make a handler out of the token themselves.
  struct completion_handler_type {
    explicit completion_handler_type(switchgear::asio::detail::probe) {}
    template <class... A>
    void operator()(A&&...) {}
  };
  explicit async_result(completion_handler_type&) {}
  return_type get() { return {}; }
};

}  // namespace boost::asio
