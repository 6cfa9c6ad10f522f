// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/any_breaker.hpp>
#include <switchgear/classifier.hpp>
#include <switchgear/detail/chain.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/failure_info.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/policy_event.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

/// Why one provider of a chain did not answer.
struct provider_failure {
  std::string provider{};
  failure_kind kind = failure_kind::exception;
  std::string reason{};
  std::exception_ptr error{};  ///< null for a bad result
  std::optional<std::chrono::nanoseconds> retry_after{};  ///< of a rejection
};

/// What the two errors of a chain have in common: every provider with its reason, in the order in which they were asked.
/// Both are caught as this, too.
class provider_failures {
 public:
  explicit provider_failures(std::vector<provider_failure> failures) : failures_(std::move(failures)) {}
  virtual ~provider_failures() = default;
  provider_failures(const provider_failures&) = default;
  provider_failures(provider_failures&&) = default;
  provider_failures& operator=(const provider_failures&) = default;
  provider_failures& operator=(provider_failures&&) = default;

  [[nodiscard]] const std::vector<provider_failure>& failures() const noexcept { return failures_; }
  /// The shortest time that a rejection said to wait, or nothing when none did.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> retry_after() const noexcept;

 private:
  std::vector<provider_failure> failures_;
};

/// No provider of a chain answered, and at least one was called, or there is none. A failure to breakers and retries further
/// out.
class all_providers_failed_error : public error, public provider_failures {
 public:
  all_providers_failed_error(const std::string& chain, std::vector<provider_failure> failures);
};

/// Every provider of a chain rejected the call, so that nothing was called: a rejection to breakers and retries further out.
/// retry_after() is the shortest of theirs.
class all_providers_rejected_error : public rejected_error, public provider_failures {
 public:
  all_providers_rejected_error(const std::string& chain, std::vector<provider_failure> failures);
  using rejected_error::retry_after;
};

/// What a provider_chain may be told.
struct provider_chain_options {
  std::string name = "provider_chain";

  /// Whether only a rejection (an open circuit) leads to the next provider, and every other exception passes to the caller.
  bool only_rejections = false;

  /// What leads to the next provider besides rejections: whatever this classifier calls a failure. An exception that it
  /// ignores passes to the caller: his own mistake is one for every provider.
  classifier when{};

  [[nodiscard]] std::vector<problem> validate() const;
};

/// What became of the calls of one provider.
struct provider_metrics {
  std::string name{};
  std::uint64_t answered = 0, failed = 0, rejected = 0;
};

namespace detail {

/// As all_providers_rejected_error when every one of at least one did, else as all_providers_failed_error.
[[noreturn]] void throw_no_provider_answered(const std::string& chain, std::vector<provider_failure> failures);

/// The part of a chain that does not depend on its signature.
class provider_chain_core : public policy_state {
 public:
  explicit provider_chain_core(provider_chain_options o);
  ~provider_chain_core();

  const provider_chain_options options;
  const bool judges_values;

  /// Throws config_error for a name that is none, or is there already.
  void add(std::string name);
  void answered(std::size_t provider) noexcept;
  /// To be called inside a catch clause; throws the exception again when it does not lead to the next provider.
  void caught(std::size_t provider, std::vector<provider_failure>& failures, const execution& e) const;
  void bad_result(std::size_t provider, std::vector<provider_failure>& failures, const execution& e) const;
  [[nodiscard]] std::vector<provider_metrics> metrics() const;
  [[nodiscard]] std::string describe() const;

 private:
  struct provider;
  void note(std::size_t provider, const failure_info& why, std::vector<provider_failure>& failures, const execution& e) const;
  std::vector<std::unique_ptr<provider>> providers_;
};

}  // namespace detail

template <class Signature>
class provider_chain;

/// Several providers of one thing, each with a breaker, asked in order: one whose circuit is open is passed over, one that
/// fails is followed by the next, the first answer is the answer.
///
///     sg::provider_chain<reply(const prompt&)> models{{.name = "models"}};
///     models.add("large", large_breaker, [&](const prompt& p) { return large.ask(p); })
///           .add("small", small_breaker, [&](std::stop_token stop, const prompt& p) { return small.ask(p, stop); })
///           .add("canned", [](const prompt&) { return reply{"Please try again later."}; });
///     reply r = models(p);
///
/// When none answers: all_providers_failed_error, or all_providers_rejected_error when none was even called. A
/// cancelled_error, and anything after a stop request, passes at once, and is no evidence for the provider's breaker; nor is
/// what the loser of a hedge brings. As the function of a fallback it has the signature `R()` or `R(const failure_info&)`, and
/// gets the stop token and the correlation id of the call.
///
/// Arguments go to each provider as lvalues. A function that returns something that cannot be moved is not asked about bad
/// results.
///
/// A handle: copies share providers and metrics. Thread safety: calls from any thread at a time, once all providers are
/// added.
template <class R, class... Args>
class provider_chain<R(Args...)> {
 public:
  /// Throws config_error.
  explicit provider_chain(provider_chain_options options = {}) : state_(std::make_shared<state>(std::move(options))) {}

  /// Adds a provider behind a breaker that outlives the chain. Throws config_error for a name that is there already.
  template <breaker B, class F>
  provider_chain& add(std::string name, B& b, F f) {
    return add_guarded(std::move(name), any_breaker(b), std::move(f));
  }
  /// The same with a share in the breaker.
  template <breaker B, class F>
  provider_chain& add(std::string name, std::shared_ptr<B> b, F f) {
    return add_guarded(std::move(name), any_breaker(std::move(b)), std::move(f));
  }
  /// The same with a handle.
  template <class F>
  provider_chain& add(std::string name, any_breaker b, F f) {
    return add_guarded(std::move(name), std::move(b), std::move(f));
  }
  /// Adds a provider without a breaker: one that hardly ever fails, as the last.
  template <class F>
  provider_chain& add(std::string name, F f) {
    return add_provider(std::move(name), std::make_shared<provider<F>>(std::move(f)));
  }

  R operator()(Args... arguments) const { return call(execution{}, arguments...); }
  /// The same with a stop token, which goes to the providers that take one.
  R operator()(std::stop_token stop, Args... arguments) const { return call(execution{.stop = std::move(stop)}, arguments...); }

  /// The same with all that a caller may tell.
  R call(const execution& e, std::remove_reference_t<Args>&... arguments) const {
    std::vector<provider_failure> failures;
    for (std::size_t i = 0; i < state_->providers.size(); ++i) {
      if (e.stop.stop_requested()) throw cancelled_error(state_->name() + ": cancelled before asking another provider");
      const provider_base& p = *state_->providers[i];
      bool judging = false;  // what a rule throws then is nobody's failure and passes
      try {
        if constexpr (std::is_void_v<R>) {
          p.ask(e, arguments...);
          state_->answered(i);
          return;
        } else if constexpr (!std::is_reference_v<R> && !std::is_move_constructible_v<R>) {
          // Exists only where the caller wants it, so nobody can look at it here: returning it is an answer.
          struct note {
            state& s;
            std::size_t provider;
            int exceptions = std::uncaught_exceptions();
            ~note() {
              if (std::uncaught_exceptions() == exceptions) s.answered(provider);
            }
          } const at_the_end{*state_, i};
          return p.ask(e, arguments...);
        } else {
          R value = p.ask(e, arguments...);
          judging = true;
          if (!state_->judges_values || state_->options.when.of_value(std::as_const(value)) != verdict::failure) {
            state_->answered(i);
            return static_cast<R&&>(value);
          }
          state_->bad_result(i, failures, e);
        }
      } catch (...) {
        if (judging) throw;
        state_->caught(i, failures, e);
      }
    }
    detail::throw_no_provider_answered(state_->name(), std::move(failures));
  }

  [[nodiscard]] const std::string& name() const noexcept { return state_->name(); }
  [[nodiscard]] const provider_chain_options& options() const noexcept { return state_->options; }
  /// Of each provider, in order.
  [[nodiscard]] std::vector<provider_metrics> metrics() const { return state_->metrics(); }
  /// Told whenever the next provider is asked (policy_event_kind::fell_back).
  [[nodiscard]] subscription observe(std::function<void(const policy_event&)> handler) const {
    return state_->observe(std::move(handler));
  }
  /// `provider_chain(large, small, canned)`.
  [[nodiscard]] std::string describe() const { return state_->describe(); }

 private:
  struct provider_base {
    virtual ~provider_base() = default;
    virtual R ask(const execution& e, std::remove_reference_t<Args>&... arguments) const = 0;
  };

  template <class F>
  static constexpr bool takes_stop = std::is_invocable_v<F&, std::stop_token, std::remove_reference_t<Args>&...>;

  template <class F>
  struct provider final : provider_base {
    static_assert(takes_stop<F> || std::is_invocable_v<F&, std::remove_reference_t<Args>&...>,
                  "This provider cannot be called with the arguments of the chain as lvalues.");
    explicit provider(F function) : f(std::move(function)) {}
    R ask(const execution& e, std::remove_reference_t<Args>&... arguments) const override {
      return detail::invoke_stoppable(f, e.stop, arguments...);
    }
    mutable F f;
  };

  /// The call of a provider as what a guard calls `next`.
  template <class Ask, bool UsesStop>
  struct asking {
    using result = R;
    static constexpr bool uses_stop = UsesStop;
    static constexpr bool runs_only_once = false;
    const Ask& ask;
    R operator()(const execution& e) const { return ask(e); }
  };

  template <class F>
  struct guarded_provider final : provider_base {
    guarded_provider(any_breaker b, F function) : breaker(std::move(b)), inner(std::move(function)) {}
    R ask(const execution& e, std::remove_reference_t<Args>&... arguments) const override {
      const auto ask_inner = [&](const execution& within) -> R { return inner.ask(within, arguments...); };
      return breaker.run(asking<decltype(ask_inner), takes_stop<F>>{ask_inner}, e);
    }
    guard<any_breaker> breaker;  ///< which knows what a cancelled or lost call is worth
    provider<F> inner;
  };

  struct state : detail::provider_chain_core {
    explicit state(provider_chain_options o) : provider_chain_core(std::move(o)) {}
    std::vector<std::shared_ptr<const provider_base>> providers;
  };

  template <class F>
  provider_chain& add_guarded(std::string name, any_breaker b, F f) {
    return add_provider(std::move(name), std::make_shared<guarded_provider<F>>(std::move(b), std::move(f)));
  }
  provider_chain& add_provider(std::string name, std::shared_ptr<const provider_base> p) {
    state_->add(std::move(name));
    state_->providers.push_back(std::move(p));
    return *this;
  }

  std::shared_ptr<state> state_;
};

}  // namespace switchgear::inline v1
