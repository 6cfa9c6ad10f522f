// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/breaker.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/permit.hpp>

#include <concepts>
#include <coroutine>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace switchgear::inline v1 {

namespace detail {

/// What a co_await expression asks: the result of operator co_await, or the awaitable itself.
template <class A>
decltype(auto) awaiter_of(A&& a) {
  if constexpr (requires { std::forward<A>(a).operator co_await(); }) {
    return std::forward<A>(a).operator co_await();
  } else if constexpr (requires { operator co_await(std::forward<A>(a)); }) {
    return operator co_await(std::forward<A>(a));
  } else {
    return static_cast<std::remove_reference_t<A>&>(a);
  }
}

/// What is awaited instead of an awaitable under a breaker. `A` is a reference where the caller keeps the awaitable.
template <class Handle, class A>
class [[nodiscard]] guarded_awaitable {
  using asked = decltype(awaiter_of(std::declval<A>()));
  using awaiter = std::remove_reference_t<asked>;

 public:
  guarded_awaitable(Handle breaker, A&& awaitable, const call_context& context)
      : breaker_(std::move(breaker)), context_(context), awaitable_(std::forward<A>(awaitable)) {}
  guarded_awaitable(const guarded_awaitable&) = delete;
  guarded_awaitable& operator=(const guarded_awaitable&) = delete;

  bool await_ready() {
    permit_ = acquire(*breaker_);
    permit_.require(context_);
    return settling([&]() -> bool {
      if constexpr (std::is_reference_v<asked>) {
        inner_ = std::addressof(static_cast<awaiter&>(awaiter_of(std::forward<A>(awaitable_))));
      } else {
        detail::emplace_from(inner_, [this]() -> awaiter { return awaiter_of(std::forward<A>(awaitable_)); });
      }
      return inner().await_ready();
    });
  }

  template <class Promise>
  auto await_suspend(std::coroutine_handle<Promise> self) {
    // Once this has begun, another thread may resume the coroutine: only an exception gives it back to this one.
    return settling([&] { return inner().await_suspend(self); });
  }

  decltype(auto) await_resume() {
    return permit_.run([this]() -> decltype(auto) { return inner().await_resume(); }, context_);
  }

 private:
  [[nodiscard]] awaiter& inner() noexcept { return *inner_; }

  template <class B>
  [[nodiscard]] permit acquire(B& b) const noexcept {
    if constexpr (requires { b.try_acquire(context_); }) {
      return b.try_acquire(context_);
    } else {
      return b.try_acquire();
    }
  }

  template <class F>
  std::invoke_result_t<F&> settling(F f) {
    try {
      return f();
    } catch (...) {
      permit_.settle_exception(context_);
      throw;
    }
  }

  Handle breaker_;
  const call_context context_;
  A awaitable_;
  permit permit_;  ///< before the inner awaiter, so that it outlives it
  std::conditional_t<std::is_reference_v<asked>, awaiter*, std::optional<awaiter>> inner_{};
};

}  // namespace detail

/// An awaitable of any coroutine library, under a circuit breaker:
///
///     const reply r = co_await sg::guarded(llm, client.ask(prompt));
///
/// The circuit is asked when the result is awaited; when it rejects, circuit_open_error is thrown and the awaitable is never
/// awaited. What co_await brings, a value or an exception, settles the permit as in circuit_breaker::call; with call_timeout
/// set, what comes at or after the deadline is thrown away for a call_timeout_error, but nothing is cancelled: libraries
/// differ in how that is done. A coroutine that is destroyed while it waits gives its permit back.
///
/// The awaitable is moved in, or referred to when it is an lvalue; the breaker is referred to, or held where it is a handle
/// (shared_ptr, or any_breaker and the like when it is an rvalue). Await the result once, in the same expression. Not for coroutines that only await types of their own library,
/// as those of Boost.Asio: for these there is switchgear::asio.
template <breaker B, class Awaitable>
detail::guarded_awaitable<B*, Awaitable> guarded(B& b, Awaitable&& awaitable, const call_context& context = {}) {
  return {&b, std::forward<Awaitable>(awaitable), context};
}
/// The same with a handle, which is kept until the end.
template <class H, class Awaitable>
  requires(detail::breaker_pointer<H> && !breaker<H>)
detail::guarded_awaitable<H, Awaitable> guarded(H handle, Awaitable&& awaitable, const call_context& context = {}) {
  return {std::move(handle), std::forward<Awaitable>(awaitable), context};
}
/// With a handle that is made for this one call: `co_await sg::guarded(circuits.get("llm"), client.ask(prompt))`.
template <class H, class Awaitable>
  requires(!std::is_reference_v<H> && breaker<H> && std::move_constructible<H>)
detail::guarded_awaitable<std::optional<H>, Awaitable> guarded(H&& handle, Awaitable&& awaitable, const call_context& context = {}) {
  return {std::optional<H>(std::move(handle)), std::forward<Awaitable>(awaitable), context};
}

}  // namespace switchgear::inline v1
