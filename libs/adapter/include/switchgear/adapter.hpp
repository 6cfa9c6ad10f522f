// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>

#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace switchgear::inline v1 {

/// The dependency was reached, understood, and said no: the caller's doing, or the way things are (an unknown key, bad SQL, no
/// permission). Never evidence against it.
class refused_error : public error {
 public:
  refused_error(std::string what, error_context context, std::string correlation_id, std::string code = {})
      : error(std::move(what)),
        context_(std::move(context)),
        correlation_id_(std::move(correlation_id)),
        code_(std::move(code)) {}
  [[nodiscard]] const error_context& context() const noexcept { return context_; }
  [[nodiscard]] const std::string& correlation_id() const noexcept { return correlation_id_; }
  /// In the words of the dependency: `404`, `23505`, `WRONGTYPE`, `UNKNOWN_TOPIC_OR_PART`.
  [[nodiscard]] const std::string& code() const noexcept { return code_; }

 private:
  error_context context_;
  std::string correlation_id_, code_;
};

/// What every adapter may be told.
struct adapter_options {
  /// Of the adapter's own breaker, which is named like the target: `consul.dc1`. The contract's, unless the adapter says
  /// otherwise.
  config breaker{};
  /// A breaker of the user's instead, from a registry for instance; it outlives the adapter, and its own classifier has to
  /// know what is evidence (each adapter offers its rules()).
  circuit_breaker* shared_breaker = nullptr;
  /// For operations that may be repeated; within one call of the breaker. One attempt = never.
  retry_options retry{};
  /// Of the breaker and the waits between attempts; outlives the adapter.
  switchgear::clock* clock = nullptr;
};

/// adapter_options of an adapter that differs from the contract by itself: what is not named is the adapter's own.
///
///     sg::llm::options o{.adapter = {.clock = &clock}};                 // the preset llm, and nothing is asked twice
///     o.adapter.breaker.open_duration = 20s;                            // one key of it is another
///     o.adapter = {.breaker = {.open_duration = 20s}};                  // the contract's configuration but for one key
///
/// `breaker` and `retry` are each taken as a whole, as the last line shows. `Breaker` is a function that returns the adapter's
/// configuration, as those in presets.
template <auto Breaker, int Attempts = 3>
struct adapter_options_with {
  config breaker = Breaker();
  circuit_breaker* shared_breaker = nullptr;
  retry_options retry{.max_attempts = Attempts};
  switchgear::clock* clock = nullptr;

  operator adapter_options() const { return {breaker, shared_breaker, retry, clock}; }
};

/// What one call of an adapter may be told.
struct operation_options {
  std::string correlation_id{};  ///< empty: a fresh UUID v4
  std::stop_token stop{};        ///< the caller gives up: cancelled_error, no evidence
};

/// What an adapter is made of: a breaker, retries within it, and errors that say what was done for whom.
///
///     class memcached {
///       sg::adapter guarded_{"memcached", "memcached.sessions", {}, rules()};
///      public:
///       std::string get(const std::string& key, const sg::operation_options& o = {}) {
///         return guarded_.repeat("get", "Failed to read from the cache", o, [&](const sg::adapter::attempt& a) { … });
///       }
///     };
///
/// Errors that leave run() and repeat(): circuit_open_error with the context (nothing was tried) · refused_error, config_error,
/// cancelled_error and every rejection as they were thrown · call_timeout_error for a call_timeout of the breaker ·
/// everything else wrapped in connection_error with the context, what was thrown nested (retry_report_of answers for it). The
/// classifier sees what the function threw, unwrapped. Refusals are repeated only if retry.when calls them failures.
///
/// Thread safety: every function from any thread at any time; destruction after the last has returned.
class adapter {
 public:
  /// One attempt of an operation, as the function sees it. Lives as long as the call.
  struct attempt {
    const error_context& context;
    const std::string& correlation_id;
    std::stop_token stop;  ///< the caller's wish, or call_timeout
    int number = 1;

    /// For throwing: the dependency said no.
    [[nodiscard]] refused_error refused(const std::string& what, std::string code = {}) const {
      return {what, context, correlation_id, std::move(code)};
    }
  };

  /// `target`: who is called, `consul.dc1`; never with credentials. `rules`: what is evidence; refused_error is ignored in
  /// any case. Throws config_error.
  adapter(std::string transport, std::string target, adapter_options options, classifier rules = {});
  adapter(const adapter&) = delete;
  adapter& operator=(const adapter&) = delete;
  ~adapter();

  /// Calls `f(attempt)` once. `failed` begins the text of the connection_error: "Failed to register service billing".
  template <std::invocable<const attempt&> F>
  std::invoke_result_t<F&, const attempt&> run(std::string_view operation, std::string_view failed, const operation_options& o,
                                               F f) const {
    return through(once_, operation, failed, o, f);
  }

  /// The same for an `f` that may be repeated, as often as the retry policy says.
  template <std::invocable<const attempt&> F>
  std::invoke_result_t<F&, const attempt&> repeat(std::string_view operation, std::string_view failed,
                                                  const operation_options& o, F f) const {
    return through(repeated_, operation, failed, o, f);
  }

  [[nodiscard]] circuit_breaker& breaker() const noexcept { return *breaker_; }
  [[nodiscard]] const std::string& transport() const noexcept { return transport_; }
  [[nodiscard]] const std::string& target() const noexcept { return target_; }

 private:
  template <class Policies, class F>
  std::invoke_result_t<F&, const attempt&> through(const Policies& policies, std::string_view operation,
                                                   std::string_view failed, const operation_options& o, F& f) const {
    const std::string id = o.correlation_id.empty() ? make_uuid() : o.correlation_id;
    const error_context context{transport_, std::string(operation), target_};
    int number = 0;
    try {
      return policies(execution{.stop = o.stop, .context = {.correlation_id = id, .context = &context}},
                      [&](std::stop_token stop) -> std::invoke_result_t<F&, const attempt&> {
                        return f(attempt{context, id, std::move(stop), ++number});
                      });
    } catch (...) {
      rethrow_in_context(failed, context, id);
    }
  }
  /// Throws the exception that is being handled, in its context.
  [[noreturn]] static void rethrow_in_context(std::string_view failed, const error_context& context, const std::string& id);

  std::string transport_, target_;
  std::unique_ptr<circuit_breaker> own_;
  circuit_breaker* breaker_;
  pipeline<guard<circuit_breaker*>> once_;
  pipeline<guard<circuit_breaker*>, switchgear::retry> repeated_;
};

}  // namespace switchgear::inline v1
