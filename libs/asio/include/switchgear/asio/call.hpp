// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/asio/call_options.hpp>
#include <switchgear/asio/detail/call_state.hpp>
#include <switchgear/asio/detail/target.hpp>

#include <concepts>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

/// Guarded calls as asynchronous operations of Boost.Asio.
namespace switchgear::inline v1::asio {

/// Starts the operation of `f` through `target` and completes as `token` says.
///
///     const auto ask = [&](auto token) { return http.async_post(url, prompt, token); };
///     co_return co_await sg::asio::call(llm, ask, asio::use_awaitable);
///
/// `target` is a breaker (referred to: it outlives the call), a handle to one (shared_ptr, any_breaker), a policy, or a
/// pipeline: the same objects that serve blocking code.
///
/// `f` is called with a completion token, on the executor, once for each attempt; it starts an operation with it and returns
/// what that returns. Or it takes nothing and returns boost::asio::awaitable<T>. A copy of `f` is kept until the call has
/// completed.
///
/// The completion signature is `void(std::exception_ptr)` or `void(std::exception_ptr, T)`. T is what the operation brings
/// after its error; several values are a std::tuple. Error codes become boost::system::system_error. T has to be default
/// constructible and movable. The handler is never called from within call().
///
/// Executor: everything runs on `executor`, by default the handler's associated one (a handler without one means the system's
/// threads, as everywhere in Asio); the handler is called through its own. Where policies act beside the operation (time
/// limits, hedges, call_timeout) all of a call runs in a strand of its own, unless the executor is a strand.
///
/// Without an `executor` given and without such policies a call begins within call(), on the calling thread, as operations of
/// Asio do: the first attempt of `f` runs there, and so do the policies' functions when the call is rejected at once. Make the
/// call on the executor, as a coroutine does, or give the executor, if that matters.
///
/// Memory: the state of a call and the handlers of its operations are allocated with the handler's associated allocator, and
/// given back before the handler is called; by a call on several threads without a strand possibly right afterwards, when
/// the thread that started an attempt has not left it. With time limits it is given back
/// when the cancelled timer has been heard, which is after that.
///
/// Cancellation: the handler's slot is honoured for every type. It is handed on to the operation as it is, ends waits
/// (back-off, queues, turns), and there are no further attempts. The call then completes with system_error(operation_aborted),
/// with the last failure nested in it if there was one, or with whatever the operation brings in spite of it. A breaker
/// ignores errors that follow a cancellation. A time limit that passes later still ends the call, but is no timeout any more:
/// who was first decides.
///
/// Time limits (timeout, time_limiter, a breaker's call_timeout) and lost attempts of a hedge cancel the operation with type
/// terminal; the verdict is settled at that moment. The call completes when the operation has ended, or is left behind because
/// it does not listen: see call_options::abandon_after. It is then a call_timeout_error with the operation's own error nested.
///
/// A call that is destroyed before it completes (its execution context is gone) gives permits, places and turns back.
///
/// retry_report_of() and failure_before_fallback() answer where the handler runs on the thread on which the call ended: when
/// its executor is that of the call.
///
/// Throws what copying and moving the arguments throws, and std::bad_alloc.
template <detail::target Target, class F, class Token>
  requires(!std::same_as<std::remove_cvref_t<F>, call_options>)
auto call(Target&& target, F&& f, Token&& token) {
  return detail::start_call(std::nullopt, std::forward<Target>(target), nullptr, std::forward<F>(f), std::forward<Token>(token));
}

/// The same with a correlation id and other details.
template <detail::target Target, class F, class Token>
auto call(Target&& target, call_options options, F&& f, Token&& token) {
  return detail::start_call(std::nullopt, std::forward<Target>(target), std::make_shared<const call_options>(std::move(options)),
                            std::forward<F>(f), std::forward<Token>(token));
}

/// The same on an executor, or an execution context.
template <detail::place Place, detail::target Target, class F, class Token>
  requires(!std::same_as<std::remove_cvref_t<F>, call_options>)
auto call(Place&& place, Target&& target, F&& f, Token&& token) {
  return detail::start_call(detail::executor_of(place), std::forward<Target>(target), nullptr, std::forward<F>(f),
                            std::forward<Token>(token));
}
/// Both.
template <detail::place Place, detail::target Target, class F, class Token>
auto call(Place&& place, Target&& target, call_options options, F&& f, Token&& token) {
  return detail::start_call(detail::executor_of(place), std::forward<Target>(target),
                            std::make_shared<const call_options>(std::move(options)), std::forward<F>(f),
                            std::forward<Token>(token));
}


/// The same with the default completion token of the executor, where it has one:
///
///     using executor = asio::use_awaitable_t<>::executor_with_default<asio::io_context::executor_type>;
///     co_await sg::asio::call(executor(io.get_executor()), llm, ask);
template <detail::place_with_default Place, detail::target Target, class F>
auto call(Place&& place, Target&& target, F&& f) {
  detail::default_token_of<Place> token;
  return detail::start_call(detail::executor_of(place), std::forward<Target>(target), nullptr, std::forward<F>(f),
                            std::move(token));
}

}  // namespace switchgear::inline v1::asio
