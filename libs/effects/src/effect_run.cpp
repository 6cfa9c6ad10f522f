// SPDX-License-Identifier: Apache-2.0
#include "effect_run.hpp"

#include <switchgear/detail/waiting.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/failure_info.hpp>
#include <switchgear/guard.hpp>

#include <optional>
#include <string>
#include <utility>

namespace switchgear::inline v1 {
namespace {

/// What undo_failures_of() answers. The exception is kept alive so that no other can get its address and be taken for it.
struct noted_failures {
  std::exception_ptr exception;
  std::vector<undo_failure> failures;
};
thread_local noted_failures noted;

}  // namespace

std::vector<undo_failure> undo_failures_of(const std::exception_ptr& e) {
  if (!e || noted.exception != e) return {};
  return noted.failures;
}

namespace detail {

/// The attempts as the rest of the call of a retry policy.
struct effect_run::next_attempt {
  using result = attempt_end;
  static constexpr bool uses_stop = true;
  static constexpr bool runs_only_once = false;

  effect_run& run;
  attempt_end operator()(const execution& e) const { return run.run_attempt(e); }
};

void effect_run::execute() {
  if (call_.stop.stop_requested()) {
    entry_.add(effect_counter::cancelled);
    throw cancelled_error(std::string(type_) + ": cancelled before it began");
  }
  const auto count_the_end = [this]() noexcept {
    if (attempts_ > 0) entry_.add(committed_ ? effect_counter::committed : effect_counter::rolled_back);
  };
  try {
    if (plan_.options.circuit_breaker && core_.breakers.enabled()) {
      run_guarded();
    } else {
      run_attempts(call_);
    }
  } catch (...) {
    count_the_end();
    // Also when there are none: the same exception may have passed before, from a call that left something behind.
    noted = left_behind_.empty() ? noted_failures{} : noted_failures{std::current_exception(), std::move(left_behind_)};
    throw;
  }
  count_the_end();
}

void effect_run::run_guarded() {
  breaker_ = find_breaker();
  permit p = breaker_->try_acquire(call_.context);
  if (!p) entry_.add(effect_counter::rejected);
  p.run(
      [&](const std::stop_token& limit) {
        // An exception of a call that nobody waits for says nothing about the dependency. Else the breaker judges it.
        struct settling {
          const execution& e;
          permit& p;
          int exceptions = std::uncaught_exceptions();
          ~settling() {
            if (std::uncaught_exceptions() == exceptions) return;
            if (const auto v = verdict_by_fate(e, true)) p.settle(*v);
          }
        } const at_the_end{call_, p};
        if (limit.stop_possible()) {
          limit_ = limit;
          linked_stop both(call_.stop);
          const std::stop_callback on_limit(limit, [&both] { both.source().request_stop(); });
          run_attempts({both.token(), call_.context, call_.fate});
        } else {
          run_attempts(call_);
        }
        p.settle(verdict_, verdict_ == verdict::failure ? "the result was classified as a failure" : "");
      },
      call_.context);
}

void effect_run::run_attempts(const execution& e) {
  if (plan_.retry) {
    plan_.retry->run(next_attempt{*this}, e);
    if (unrepeatable_) std::rethrow_exception(unrepeatable_);
  } else {
    run_attempt(e);
  }
}

attempt_end effect_run::run_attempt(const execution& e) {
  entry_.add(++attempts_ == 1 ? effect_counter::executed : effect_counter::retries);
  const bool always_repeatable = plan_.options.retry_after_failed_undo || !plan_.retry;
  transaction t{transaction::decided_elsewhere{}};
  try {
    verdict_ = verdict::failure;
    body_.run(e.stop, t);
    refuse_what_nobody_waits_for();
    verdict_ = judge();
    if (!is_failure(verdict_)) {
      t.finish_commit();
      committed_ = true;
      return {};
    }
  } catch (...) {
    t.finish_rollback();
    if (tell_of_undos(t) || always_repeatable) throw;
    unrepeatable_ = std::current_exception();
    return {};
  }
  t.finish_rollback();
  return {.repeatable_failure = tell_of_undos(t) || always_repeatable};
}

verdict effect_run::judge() const {
  const verdict v = body_.judge(plan_.options.when);
  if (is_failure(v) || !plan_.options.retry) return v;
  const verdict by_retry = body_.judge(plan_.options.retry->when);
  return is_failure(by_retry) ? by_retry : v;
}

void effect_run::refuse_what_nobody_waits_for() const {
  // Relaxed: the fate is one word, and nothing else is read because of it.
  if (call_.fate != nullptr && call_.fate->load(std::memory_order_relaxed) != call_fate::wanted) {
    throw cancelled_error(std::string(type_) + ": nobody waits for it any more");
  }
  if (limit_.stop_requested()) throw call_timeout_error(std::string(type_), breaker_->configuration().call_timeout);
}

bool effect_run::tell_of_undos(const transaction& t) noexcept {
  entry_.add(effect_counter::rollbacks);
  const std::vector<undo_failure>& failed = t.undo_failures();
  if (failed.empty()) return true;
  entry_.add(effect_counter::undo_failures, failed.size());
  try {
    left_behind_.insert(left_behind_.end(), failed.begin(), failed.end());
    core_.tell_of({std::string(type_), attempts_, std::string(call_.context.correlation_id), failed});
  } catch (...) {
    // No memory to tell of them; they are counted.
  }
  return false;
}

breaker_handle effect_run::find_breaker() const {
  const effect_options& o = plan_.options;
  // With a configuration of its own the registry is asked each time, so that it can report one that differs.
  if (o.breaker) return core_.breakers.get(type_, *o.breaker, o.when);
  if (breaker_handle found = core_.breakers.find(type_)) return found;
  return core_.breakers.get(type_, o.when);
}

}  // namespace detail
}  // namespace switchgear::inline v1
