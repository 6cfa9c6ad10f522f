// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/clock.hpp>
#include <switchgear/detail/effect_body.hpp>
#include <switchgear/effect_options.hpp>
#include <switchgear/policy_event.hpp>
#include <switchgear/registry.hpp>
#include <switchgear/transaction.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace switchgear::inline v1 {

namespace detail {
struct effect_core;
}

/// Executes effects: calls that change something outside, each of a named type, each in a transaction of its own.
///
///     sg::effect_executor effects;
///     effects.define("book_flight", {.circuit_breaker = true, .retry = sg::retry_presets::worker()});
///     ticket t = effects.execute("book_flight", [&](sg::transaction& undo) {
///       const seat s = seats.reserve(flight);
///       undo.on_rollback("reserve the seat", [&, s] { seats.release(s); });
///       return bank.charge(order, s);
///     });
///
/// Order: the breaker (when asked for) is outside the retry (when asked for), which is outside the attempt. Each attempt has a
/// transaction of its own, and transaction and verdict agree:
///
/// - The attempt succeeds: its commit actions run and its undos are forgotten. The breaker counts a success.
/// - The attempt fails, by an exception, by a value that effect_options::when calls a failure, or by a commit action that
///   throws: it is rolled back in reverse order before anything else happens, so the next attempt starts afresh and nothing is
///   undone twice. After the last one the breaker counts one failure, and the exception passes unchanged, or the value is
///   returned.
/// - The breaker rejects: circuit_open_error; the function is not called, nothing is registered.
/// - The caller's stop was requested before the call: cancelled_error, nothing runs. During the wait between two attempts:
///   cancelled_error, everything is rolled back by then. During an attempt: the function decides, by returning (commits) or
///   throwing (rolls back). A cancelled call is no evidence: neither an exception nor a failing value that it ends with.
/// - The call_timeout of the breaker, which is for all attempts together, has passed by the executor's clock when an attempt
///   ends, or passes during a wait: rolled back, no further attempt, call_timeout_error, a timeout for the breaker.
/// - It passes while commit actions run that then succeed: committed, a success. What they have done (a mail, an event) cannot
///   be taken back as a rule, and a caller who is told "timeout" of what has happened does it again.
///
/// An undo that throws stops neither the other undos nor changes what passes; see effect_executor_options::on_undo_failure,
/// undo_failures_of and observe(). An attempt that could not be undone completely is not repeated (effect_options).
///
/// The breaker acts while registry::enabled() says so at the time of the call.
///
/// Each executor owns a registry of breakers by default: two executors share nothing. Give both one registry to share them.
///
/// Thread safety: every function from any thread at any time; destruction after the last call has returned. No lock is held
/// while functions, undos, commit actions, classifiers and reporters run. Clock and shared registry outlive the executor; give
/// both the same clock.
///
/// Cost: a call of a defined type takes one shared lock, and one heap object for each undo. A call with options of its own
/// builds its policies each time, so define types that are called often.
class effect_executor {
 public:
  /// With a registry of its own. Throws config_error.
  explicit effect_executor(effect_executor_options options = {}, clock& source = steady_clock());
  /// With breakers that others use too.
  effect_executor(effect_executor_options options, registry& shared, clock& source = steady_clock());
  effect_executor(const effect_executor&) = delete;
  effect_executor& operator=(const effect_executor&) = delete;
  ~effect_executor();

  /// What calls of this type do that bring no options of their own; later calls see it. A breaker that is there already stays
  /// as it is. Throws config_error with every problem of name and options, and when there are max_types already.
  void define(std::string_view type, effect_options options);
  /// What was defined for this type, or the default options: a start for a call that differs a little.
  [[nodiscard]] effect_options definition(std::string_view type) const;

  /// Executes `f` as an effect of this type: as it was defined, or with the default options (no breaker, one attempt). `f` is
  /// called with the transaction, with a std::stop_token and the transaction, with a stop token, or without anything, whichever
  /// of these it takes first; as an lvalue, once for each attempt. Returns what it returns: nothing, a reference or a type
  /// that can be moved. Throws config_error when the type is no name that a breaker may have.
  template <class F>
  detail::effect_result<F> execute(std::string_view type, F&& f) {
    return execute(type, execution{}, std::forward<F>(f));
  }
  /// The same with a stop token and a correlation id: `execute("send_mail", {.stop = stop}, send)`.
  template <class F>
  detail::effect_result<F> execute(std::string_view type, const execution& call, F&& f) {
    detail::effect_function<std::remove_reference_t<F>> body(f);
    run(type, nullptr, call, body);
    return body.take();
  }
  /// With these options alone, whatever was defined. Throws config_error when they are not good.
  template <class F>
  detail::effect_result<F> execute(std::string_view type, const effect_options& options, F&& f) {
    detail::effect_function<std::remove_reference_t<F>> body(f);
    run(type, &options, options.call, body);
    return body.take();
  }

  /// The breakers, by effect type.
  [[nodiscard]] registry& breakers() noexcept;
  [[nodiscard]] const std::string& name() const noexcept;

  /// Of all types together, of one, and of each; those beyond max_types are together under the empty name.
  [[nodiscard]] effect_metrics metrics() const;
  [[nodiscard]] effect_metrics metrics(std::string_view type) const;
  [[nodiscard]] std::map<std::string, effect_metrics, std::less<>> metrics_by_type() const;

  /// Calls `handler` for each undo that threw (policy_event_kind::undo_failed, policy `effect`), on the thread that delivers
  /// events. `reason` is `TYPE: UNDO: TEXT`.
  [[nodiscard]] subscription observe(std::function<void(const policy_event&)> handler) const;

 private:
  void run(std::string_view type, const effect_options* own, const execution& call, detail::effect_body& body);

  std::unique_ptr<detail::effect_core> core_;
};

}  // namespace switchgear::inline v1
