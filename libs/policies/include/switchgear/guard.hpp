// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/breaker.hpp>
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/detail/chain.hpp>
#include <switchgear/detail/deadline_stop.hpp>

#include <concepts>
#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace switchgear::inline v1 {

namespace detail {

template <class H>
concept breaker_pointer = requires(const H& h) {
  { *h } -> std::convertible_to<std::add_lvalue_reference_t<std::remove_cvref_t<decltype(*h)>>>;
  requires breaker<std::remove_cvref_t<decltype(*h)>>;
};

/// What becomes of a call that nobody waits for any more, whatever it brings.
[[nodiscard]] inline std::optional<verdict> verdict_by_fate(const execution& e, bool threw) noexcept {
  // Relaxed: the fate is one word, and nothing else is read because of it.
  const call_fate fate = e.fate == nullptr ? call_fate::wanted : e.fate->load(std::memory_order_relaxed);
  if (fate == call_fate::lost) return verdict::ignored;
  if (fate == call_fate::timed_out) return verdict::timeout;
  if (threw && e.stop.stop_requested()) return verdict::ignored;  // the caller gave up, and the function obeyed
  return std::nullopt;
}

}  // namespace detail

/// A circuit breaker as a policy: `guard(payments)` refers to a breaker that outlives the policy, `guard(handle)` holds a
/// handle (std::shared_ptr, any_breaker, what a registry gives out).
///
/// An exception that leaves after the caller asked to stop is no evidence, nor is whatever the loser of a hedge brings; a
/// call whose time limit further out has passed is a timeout.
///
/// Thread safety: that of the breaker.
template <class Target>
class guard : public detail::callable_policy<guard<Target>> {
 public:
  static constexpr policy_kind kind = policy_kind::guard;

  template <class B>
    requires breaker<B> && std::same_as<Target, B*>
  explicit guard(B& target) noexcept : target_(&target) {}
  explicit guard(Target target) noexcept
    requires(!std::is_pointer_v<Target>)
      : target_(std::move(target)) {}

  [[nodiscard]] auto& target() const noexcept {
    if constexpr (detail::breaker_pointer<Target>) {
      return *target_;
    } else {
      return target_;
    }
  }

  template <class Next>
  typename Next::result run(const Next& next, const execution& e) const {
    if (e.fate == nullptr && !e.stop.stop_possible()) [[likely]] {
      return target().call(rest<Next>{next, e}, e.context);
    }
    return run_watched(next, e);
  }

  [[nodiscard]] std::string describe() const { return "guard(" + std::string(target().name()) + ")"; }

 private:
  /// The rest of the call as a breaker calls it: with the stop token of its call_timeout when somebody would look at it.
  template <class Next>
  struct rest {
    const Next& next;
    const execution& e;

    typename Next::result operator()(const std::stop_token& limit) const
      requires(Next::uses_stop)
    {
      if (!limit.stop_possible()) return next(e);
      const detail::deadline_stop both(limit, e);  // a breaker further in hears whose wish it was
      return next(both.inner(e));
    }
    typename Next::result operator()() const
      requires(!Next::uses_stop)
    {
      return next(e);
    }
  };

  template <class Next>
  typename Next::result run_watched(const Next& next, const execution& e) const {
    permit p = acquire(e.context);
    return p.run(watched<Next>{rest<Next>{next, e}, p}, e.context);
  }

  [[nodiscard]] permit acquire(const call_context& context) const noexcept {
    if constexpr (requires { target().try_acquire(context); }) {
      return target().try_acquire(context);
    } else {
      return target().try_acquire();
    }
  }

  template <class Next>
  struct watched {
    rest<Next> inner;
    permit& p;

    /// For what returns: exceptions have been settled before it goes.
    struct settling {
      const execution& e;
      permit& p;
      int exceptions = std::uncaught_exceptions();
      ~settling() {
        if (std::uncaught_exceptions() > exceptions) return;
        if (const auto v = detail::verdict_by_fate(e, false)) p.settle(*v);
      }
    };

    template <class... Limit>
    typename Next::result call(const Limit&... limit) const {
      try {
        const settling at_the_end{inner.e, p};
        return inner(limit...);
      } catch (const rejected_error&) {
        p.ignore();  // whatever became of the caller: nobody was called
        throw;
      } catch (...) {
        if (const auto v = detail::verdict_by_fate(inner.e, true)) p.settle(*v);
        throw;
      }
    }

    typename Next::result operator()(const std::stop_token& limit) const
      requires(Next::uses_stop)
    {
      return call(limit);
    }
    typename Next::result operator()() const
      requires(!Next::uses_stop)
    {
      return call();
    }
  };

  mutable Target target_;
};

/// Refers to a breaker.
template <class B>
  requires(breaker<B> && !std::copy_constructible<B>)
guard(B&) -> guard<B*>;
/// Holds a handle.
template <class H>
  requires(std::copy_constructible<H> && (breaker<H> || detail::breaker_pointer<H>))
guard(H) -> guard<H>;

}  // namespace switchgear::inline v1
