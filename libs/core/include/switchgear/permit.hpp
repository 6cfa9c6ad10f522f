// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/classifier.hpp>
#include <switchgear/clock.hpp>
#include <switchgear/detail/exceptions.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/machine/machine.hpp>
#include <switchgear/state.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <type_traits>
#include <utility>

namespace switchgear::inline v1 {

/// Why a call was not admitted, and when to come back.
struct rejection {
  rejection_reason reason = rejection_reason::open;
  /// Time until the next probe may pass: 0 for half_open_limit, nothing for forced_open.
  std::optional<std::chrono::nanoseconds> retry_after;
  std::uint32_t failure_count = 0;
};

/// What a caller tells about a call, for errors and events. Only looked at when the call is rejected or observed.
struct call_context {
  std::string_view correlation_id{};       ///< of the caller's request; events keep its first 39 bytes
  const error_context* context = nullptr;
};

namespace detail {

/// Emplaces what `make` returns; a result that cannot be moved is made in place. (Not always, because a type that can be
/// made from anything would be made from the maker itself.)
template <class T, class Make>
void emplace_from(std::optional<T>& out, const Make& make) {
  if constexpr (std::is_constructible_v<T, decltype(make())>) {
    out.emplace(make());
  } else {
    struct maker {
      const Make& make;
      operator decltype(std::declval<const Make&>()())() const { return make(); }
    };
    out.emplace(maker{make});
  }
}

/// The sum of a time and a duration that is not negative, or the latest time there is.
[[nodiscard]] constexpr std::chrono::nanoseconds later(std::chrono::nanoseconds time, std::chrono::nanoseconds d) noexcept {
  constexpr auto most = std::chrono::nanoseconds::max();
  return time.count() > 0 && d > most - time ? most : time + d;
}

template <class F>
decltype(auto) invoke_with(F&& f, std::stop_token stop) {
  if constexpr (std::is_invocable_v<F, std::stop_token>) {
    return std::forward<F>(f)(std::move(stop));
  } else {
    return std::forward<F>(f)();
  }
}

template <class F>
using result_of = decltype(invoke_with(std::declval<F>(), std::stop_token{}));

/// What a permit gives its verdict to: the breaker that made it.
class permit_issuer {
 public:
  /// Settles, and answers the verdict it was. With `may_time_out` a success or failure that comes at or after the deadline of
  /// the call becomes a timeout.
  /// `context` may be null.
  virtual verdict settle(const machine::grant& grant, verdict v, std::string_view text, bool may_time_out,
                         const call_context* context) noexcept = 0;
  [[nodiscard]] virtual const classifier& rules() const noexcept = 0;
  [[nodiscard]] virtual std::chrono::nanoseconds call_timeout() const noexcept = 0;
  [[nodiscard]] virtual clock& time_source() const noexcept = 0;
  [[noreturn]] virtual void raise_open(const rejection& why, const call_context& context) const = 0;
  /// Throws call_timeout_error, with the exception that is being handled nested in it if `nested`.
  [[noreturn]] virtual void raise_timeout(bool nested) const = 0;

 protected:
  ~permit_issuer() = default;
};

}  // namespace detail

/// The right to make one call, or the reason why not. Move-only; settled at most once, a second verdict does nothing;
/// destroyed without a verdict it counts as abandoned. It may move to another thread. It must not outlive its breaker.
///
/// Thread safety: that of a value, one thread at a time; permits of one breaker are independent of each other.
class [[nodiscard]] permit {
 public:
  /// No permit and nobody's.
  permit() = default;
  permit(detail::permit_issuer& issuer, const machine::grant& grant, const switchgear::rejection& why) noexcept
      : issuer_(&issuer), grant_(grant), rejection_(why) {}
  permit(permit&& other) noexcept
      : issuer_(std::exchange(other.issuer_, nullptr)), grant_(other.grant_), rejection_(other.rejection_) {
    other.grant_.is = machine::grant::kind::none;
  }
  permit& operator=(permit&& other) noexcept {
    if (this != &other) {
      settle(verdict::abandoned);
      issuer_ = std::exchange(other.issuer_, nullptr);
      context_ = nullptr;
      grant_ = std::exchange(other.grant_, machine::grant{});
      rejection_ = other.rejection_;
    }
    return *this;
  }
  ~permit() { settle(verdict::abandoned); }

  /// Whether the call may be made. False once settled or moved from.
  [[nodiscard]] explicit operator bool() const noexcept { return grant_.is != machine::grant::kind::none; }

  void success() noexcept { settle(verdict::success); }
  /// `why` is kept as the text of the last failure.
  void failure(std::string_view why = {}) noexcept { settle(verdict::failure, why); }
  /// The same; the event of the failure carries the correlation id.
  void failure(std::string_view why, const call_context& context) noexcept {
    context_ = &context;
    settle(verdict::failure, why);
    context_ = nullptr;
  }
  void timeout() noexcept { settle(verdict::timeout); }
  /// No evidence: the caller's own fault, or his change of mind.
  void ignore() noexcept { settle(verdict::ignored); }

  void settle(verdict v, std::string_view why = {}) noexcept { settle(v, why, false); }

  /// Settles by what the breaker's classifier says of a returned value; a call that came back after its call_timeout is
  /// a timeout. The verdict it was. A classifier that throws has settled it as a failure.
  template <class T>
  verdict settle_value(const T& value) {
    if (grant_.is == machine::grant::kind::none) return verdict::abandoned;
    const classifier& rules = issuer_->rules();
    if (is_pass_through() || !rules.judges_values()) return settle_return();
    verdict v = verdict::failure;
#if SWITCHGEAR_HAS_EXCEPTIONS
    try {
      v = rules.of_value(value);
    } catch (...) {
      settle(verdict::failure, "the classifier threw");
      throw;
    }
#else
    v = rules.of_value(value);
#endif
    return settle(v, v == verdict::failure ? "the result was classified as a failure" : "", true);
  }
  /// The same for a call that returned nothing.
  verdict settle_return() noexcept { return settle(verdict::success, {}, true); }
  /// Settles by what the classifier says of the exception that is being handled. To be called inside a catch clause.
  verdict settle_exception() { return judge_exception().verdict; }
  /// The same; the event carries the correlation id.
  verdict settle_exception(const call_context& context) {
    context_ = &context;
    const verdict v = judge_exception().verdict;
    context_ = nullptr;
    return v;
  }

  /// Throws circuit_open_error when there is no permit.
  void require(const call_context& context = {}) const {
    if (grant_.is == machine::grant::kind::none) issuer_->raise_open(rejection_, context);
  }

  /// Calls `f` under this permit and settles it by what `f` brings: see circuit_breaker::call. Throws circuit_open_error
  /// when the permit was refused.
  template <class F>
  detail::result_of<F> run(F&& f, const call_context& context = {}) {
    using result = detail::result_of<F>;
    require(context);
    context_ = &context;  // the permit is settled before this function ends
    if constexpr (std::is_void_v<result>) {
      guarded([&] { invoke_until_deadline(std::forward<F>(f)); },
              [&] { return settle_return(); });
    } else if constexpr (std::is_reference_v<result>) {
      std::remove_reference_t<result>* out = nullptr;
      guarded([&] { out = std::addressof(static_cast<std::remove_reference_t<result>&>(invoke_until_deadline(std::forward<F>(f)))); },
              [&] { return settle_value(*out); });
      return static_cast<result>(*out);
    } else if constexpr (!std::is_move_constructible_v<result>) {
      return run_in_place(std::forward<F>(f));
    } else {
      std::optional<result> out;
      guarded([&] { detail::emplace_from(out, [&]() -> result { return invoke_until_deadline(std::forward<F>(f)); }); },
              [&] { return settle_value(*out); });
      return *std::move(out);
    }
  }

  /// The same with the result put into `out` and the verdict told to `note`. Not for refused permits.
  template <class Stored, class F, class Note>
  void run_into(std::optional<Stored>& out, F&& f, const Note& note) {
    guarded(
        [&] {
          if constexpr (std::is_void_v<detail::result_of<F>>) {
            invoke_until_deadline(std::forward<F>(f));
            out.emplace();
          } else {
            detail::emplace_from(out, [&]() -> decltype(auto) { return invoke_until_deadline(std::forward<F>(f)); });
          }
        },
        [&] {
          if constexpr (std::is_void_v<detail::result_of<F>>) {
            return settle_return();
          } else {
            return settle_value(*out);
          }
        },
        note);
  }

  // --- for adapters, which end calls in their own way; not for refused permits ---

  /// How long the call may take; 0 = as long as it likes.
  [[nodiscard]] std::chrono::nanoseconds call_timeout() const noexcept {
    return is_pass_through() ? std::chrono::nanoseconds(0) : issuer_->call_timeout();
  }
  /// The clock of the breaker.
  [[nodiscard]] clock& time_source() const noexcept { return issuer_->time_source(); }

  /// Meaningful when the permit was refused.
  [[nodiscard]] const switchgear::rejection& rejection() const noexcept { return rejection_; }

 private:
  struct judgement {
    switchgear::verdict verdict;
    bool too_late;  ///< it became a timeout because it came after the call_timeout of this breaker
  };
  judgement judge_exception();

  /// Given out while the breaker is not enabled: nothing is judged, timed or counted.
  [[nodiscard]] bool is_pass_through() const noexcept { return grant_.is == machine::grant::kind::pass_through; }

  template <class F>
  decltype(auto) invoke_until_deadline(F&& f) {
    if constexpr (std::is_invocable_v<F, std::stop_token>) {
      const std::chrono::nanoseconds limit = call_timeout();
      if (limit.count() > 0) {
        std::stop_source stop;
        struct armed {
          permit& self;
          const std::stop_source& stop;
          clock& source;
          clock::timer timer;
          ~armed() {
            source.cancel(timer);
            self.asked_to_stop_ = stop.stop_requested();
          }
        } const timer{*this, stop, issuer_->time_source(),
                      issuer_->time_source().call_at(detail::later(issuer_->time_source().now(), limit),
                                                     [stop]() mutable { stop.request_stop(); })};
        return detail::invoke_with(std::forward<F>(f), stop.get_token());
      }
    }
    return detail::invoke_with(std::forward<F>(f), std::stop_token{});
  }

  /// For results that cannot be moved: they exist only where the caller wants them, so nothing can look at one or take it
  /// back. It is settled by having been returned: no rule about values is asked, and one that comes too late counts as a
  /// timeout and is returned all the same.
  template <class F>
  detail::result_of<F> run_in_place(F&& f) {
    struct settling {
      permit& self;
      int exceptions = std::uncaught_exceptions();
      ~settling() {
        if (std::uncaught_exceptions() == exceptions) self.settle_return();
      }
    } const at_the_end{*this};
#if SWITCHGEAR_HAS_EXCEPTIONS
    detail::permit_issuer* const issuer = issuer_;
    try {
      return invoke_until_deadline(std::forward<F>(f));
    } catch (...) {
      if (judge_exception().too_late) issuer->raise_timeout(true);
      throw;
    }
#else
    return invoke_until_deadline(std::forward<F>(f));
#endif
  }

  /// Runs `body`, which calls the function, then `judge`, which settles; sees to it that every way out settles.
  template <class Body, class Judge, class Note>
  void guarded(const Body& body, const Judge& judge, const Note& note) {
#if SWITCHGEAR_HAS_EXCEPTIONS
    detail::permit_issuer* const issuer = issuer_;
    try {
      body();
    } catch (...) {
      note(verdict::failure);  // stands if the classifier throws
      const judgement j = judge_exception();
      note(j.verdict);
      if (j.too_late) issuer->raise_timeout(true);
      throw;
    }
    note(verdict::failure);
    const verdict v = judge();
    note(v);
    if (v == verdict::timeout) issuer->raise_timeout(false);
#else
    body();
    note(judge());
#endif
  }
  template <class Body, class Judge>
  void guarded(const Body& body, const Judge& judge) {
    guarded(body, judge, [](verdict) {});
  }

  verdict settle(verdict v, std::string_view why, bool may_time_out) noexcept {
    if (grant_.is == machine::grant::kind::none) return verdict::abandoned;
    const verdict settled = issuer_->settle(grant_, v, why, may_time_out, context_);
    grant_.is = machine::grant::kind::none;
    return settled;
  }

  detail::permit_issuer* issuer_ = nullptr;
  const call_context* context_ = nullptr;  ///< while run() runs
  machine::grant grant_;
  switchgear::rejection rejection_;
  bool asked_to_stop_ = false;  ///< the function was asked to stop because call_timeout had passed
};

}  // namespace switchgear::inline v1
