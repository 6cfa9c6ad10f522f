// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/clock.hpp>
#include <switchgear/detail/chain.hpp>
#include <switchgear/execute_with_retry.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/registry.hpp>
#include <switchgear/retry.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

/// How named operations are retried and guarded. An aggregate, for designated initialisers:
///
///     sg::operations ops{circuits, {.storage = {.max_attempts = 2}, .others = {{"mail", sg::retry_presets::api()}}}};
struct operations_options {
  /// Whether breakers guard the operations; registry::enabled() has to agree at each call. Off: the retries alone.
  bool breakers = true;

  /// The retries of the four types. What `when` of a type calls a failure is worth another attempt, and is what the breakers
  /// of that type count.
  retry_options worker = retry_presets::worker();
  retry_options storage = retry_presets::storage();
  retry_options scheduler = retry_presets::scheduler();
  retry_options api = retry_presets::api();

  /// Further types, for operations::run and decorate, by name.
  std::map<std::string, retry_options, std::less<>> others{};

  /// The whole configuration of every breaker that is made here; file, preset and environment of the registry then have nothing
  /// to say. Nothing: what the registry finds for its name, so that a file can say `[breaker."storage:*"]`.
  std::optional<config> breaker{};

  /// Some keys for every breaker that is made here, over what the registry finds for the others; empty by default, and not
  /// together with `breaker`: see effect_options::breaker_keys.
  config_patch breaker_keys{};

  /// Every problem at once; empty when the options are good.
  [[nodiscard]] std::vector<problem> validate() const;
};

namespace detail {

struct operation_core;

/// Finds the breaker of one operation when it is first needed, and keeps it.
class operation_slot {
 public:
  operation_slot(std::shared_ptr<const operation_core> core, std::string_view type, std::string_view function);
  ~operation_slot();
  operation_slot(const operation_slot&) = delete;
  operation_slot& operator=(const operation_slot&) = delete;

  /// Empty while breakers are off.
  [[nodiscard]] breaker_handle breaker() const;
  [[nodiscard]] const retry& policy() const noexcept;
  [[nodiscard]] const std::string& key() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// The breaker, if there is one, around the whole retry loop around the function.
template <class F, class... A>
decltype(auto) call_operation(const breaker_handle& breaker, const retry& policy, const execution& e, F&& f, A&&... arguments) {
  if (!breaker) return policy.call(e, std::forward<F>(f), std::forward<A>(arguments)...);
  return call_through(std::tuple<guard<breaker_handle>, const retry&>(guard<breaker_handle>(breaker), policy), e,
                      std::forward<F>(f), std::forward<A>(arguments)...);
}

}  // namespace detail

/// A function as an operation: see operations::decorate. Copies share the breaker. Thread safety: that of the function.
template <class F>
class decorated_operation {
 public:
  decorated_operation(std::shared_ptr<const detail::operation_slot> slot, F f)
      : slot_(std::move(slot)), function_(std::move(f)) {}

  template <class... A>
  decltype(auto) operator()(A&&... arguments) {
    return call(function_, std::forward<A>(arguments)...);
  }
  template <class... A>
  decltype(auto) operator()(A&&... arguments) const {
    return call(function_, std::forward<A>(arguments)...);
  }

  /// The name of its breaker, `storage:save_task`.
  [[nodiscard]] const std::string& key() const noexcept { return slot_->key(); }

 private:
  template <class G>
  decltype(auto) call(G& f) const {
    return detail::call_operation(slot_->breaker(), slot_->policy(), execution{}, f);
  }
  template <class G, class First, class... A>
  decltype(auto) call(G& f, First&& first, A&&... arguments) const {
    if constexpr (std::is_same_v<std::remove_cvref_t<First>, execution>) {
      return detail::call_operation(slot_->breaker(), slot_->policy(), first, f, std::forward<A>(arguments)...);
    } else {
      return detail::call_operation(slot_->breaker(), slot_->policy(), execution{}, f, std::forward<First>(first),
                                    std::forward<A>(arguments)...);
    }
  }

  std::shared_ptr<const detail::operation_slot> slot_;
  F function_;
};

/// Operations of four types, worker, storage, scheduler and api (and further ones), each retried with the figures of its type
/// and guarded by a breaker of its own, named `{type}:{function}`:
///
///     sg::operations ops{circuits};
///     auto row = ops.storage("load_task", [&] { return db.load(id); });
///     auto save = ops.decorate_storage("save_task", [&](const task& t) { db.save(t); });
///     save(my_task);
///
/// The breaker is outside the whole retry loop: success after retries is one success, retries used up are one failure and the
/// function's own exception passes unchanged, and an open circuit throws circuit_open_error at once, without an attempt.
/// Whether breakers work is asked at each call; while they do not, the retries still work and nothing is registered or counted.
///
/// The function gets the arguments as lvalues, because it may run more than once, and a std::stop_token before them when it
/// takes one. Each function has a form with an execution first, for a stop token and a correlation id:
/// `ops.api({.stop = stop}, "ask", ask, question)`. A stop request during a wait ends it with cancelled_error.
///
/// A handle: copies share everything. The registry and the clock outlive it and what it decorates. Thread safety: every
/// function from any thread at any time.
class operations {
 public:
  /// Throws config_error with every problem of the options.
  explicit operations(registry& breakers, operations_options options = {}, clock& source = steady_clock());

  template <class F, class... A>
  decltype(auto) worker(std::string_view function, F&& f, A&&... arguments) const {
    return run("worker", function, std::forward<F>(f), std::forward<A>(arguments)...);
  }
  template <class F, class... A>
  decltype(auto) storage(std::string_view function, F&& f, A&&... arguments) const {
    return run("storage", function, std::forward<F>(f), std::forward<A>(arguments)...);
  }
  template <class F, class... A>
  decltype(auto) scheduler(std::string_view function, F&& f, A&&... arguments) const {
    return run("scheduler", function, std::forward<F>(f), std::forward<A>(arguments)...);
  }
  template <class F, class... A>
  decltype(auto) api(std::string_view function, F&& f, A&&... arguments) const {
    return run("api", function, std::forward<F>(f), std::forward<A>(arguments)...);
  }
  template <class F, class... A>
  decltype(auto) worker(const execution& e, std::string_view function, F&& f, A&&... arguments) const {
    return run(e, "worker", function, std::forward<F>(f), std::forward<A>(arguments)...);
  }
  template <class F, class... A>
  decltype(auto) storage(const execution& e, std::string_view function, F&& f, A&&... arguments) const {
    return run(e, "storage", function, std::forward<F>(f), std::forward<A>(arguments)...);
  }
  template <class F, class... A>
  decltype(auto) scheduler(const execution& e, std::string_view function, F&& f, A&&... arguments) const {
    return run(e, "scheduler", function, std::forward<F>(f), std::forward<A>(arguments)...);
  }
  template <class F, class... A>
  decltype(auto) api(const execution& e, std::string_view function, F&& f, A&&... arguments) const {
    return run(e, "api", function, std::forward<F>(f), std::forward<A>(arguments)...);
  }

  /// An operation of any type. Throws config_error when there is no such type, and what registry::get throws.
  template <class F, class... A>
  decltype(auto) run(std::string_view type, std::string_view function, F&& f, A&&... arguments) const {
    return run(execution{}, type, function, std::forward<F>(f), std::forward<A>(arguments)...);
  }
  template <class F, class... A>
  decltype(auto) run(const execution& e, std::string_view type, std::string_view function, F&& f, A&&... arguments) const {
    const retry& repeated = policy(type);
    return detail::call_operation(find_breaker(type, function), repeated, e, std::forward<F>(f), std::forward<A>(arguments)...);
  }

  /// A function object that calls a copy of `f` as this operation, with any arguments (an execution may be the first). It
  /// looks its breaker up once and keeps it, and asks at each call whether breakers work. Throws config_error when there is no
  /// such type.
  template <class F>
  [[nodiscard]] decorated_operation<std::decay_t<F>> decorate(std::string_view type, std::string_view function, F&& f) const {
    return {make_slot(type, function), std::forward<F>(f)};
  }
  template <class F>
  [[nodiscard]] auto decorate_worker(std::string_view function, F&& f) const {
    return decorate("worker", function, std::forward<F>(f));
  }
  template <class F>
  [[nodiscard]] auto decorate_storage(std::string_view function, F&& f) const {
    return decorate("storage", function, std::forward<F>(f));
  }
  template <class F>
  [[nodiscard]] auto decorate_scheduler(std::string_view function, F&& f) const {
    return decorate("scheduler", function, std::forward<F>(f));
  }
  template <class F>
  [[nodiscard]] auto decorate_api(std::string_view function, F&& f) const {
    return decorate("api", function, std::forward<F>(f));
  }

  /// The retry policy of a type, for its metrics and events. Throws config_error when there is no such type.
  [[nodiscard]] const retry& policy(std::string_view type) const;
  /// Whether breakers work now.
  [[nodiscard]] bool breakers_work() const;
  [[nodiscard]] const operations_options& options() const noexcept;

 private:
  [[nodiscard]] breaker_handle find_breaker(std::string_view type, std::string_view function) const;
  [[nodiscard]] std::shared_ptr<const detail::operation_slot> make_slot(std::string_view type, std::string_view function) const;

  std::shared_ptr<const detail::operation_core> core_;
};

}  // namespace switchgear::inline v1
