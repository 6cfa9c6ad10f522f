// SPDX-License-Identifier: Apache-2.0
#include "effect_run.hpp"
#include "find_breaker.hpp"

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
        try {
          if (limit.stop_possible()) {
            run_until(limit);
          } else {
            run_attempts(call_);
          }
        } catch (...) {
          settle_exception(p);
          throw;
        }
        // Whoever asked to stop and then got a failure has got what he asked for: it says nothing about the dependency.
        const bool obeyed = is_failure(verdict_) && call_.stop.stop_requested();
        const verdict v = obeyed ? verdict::ignored : verdict_;
        p.settle(v, v == verdict::failure ? "the result was classified as a failure" : "");
      },
      call_.context);
}

void effect_run::run_until(const std::stop_token& limit) {
  limit_ = limit;
  limit_length_ = breaker_->configuration().call_timeout;
  // 0 when the breaker was reconfigured just now; the token still knows.
  if (limit_length_.count() > 0) deadline_ = later(core_.source.now(), limit_length_);
  linked_stop both(call_.stop);
  no_more_attempts_ = both.source();
  const std::stop_callback on_limit(limit, [source = both.source()]() mutable { source.request_stop(); });
  run_attempts({both.token(), call_.context, call_.fate});
  if (is_failure(verdict_) && limit_has_passed()) refuse_late();  // the undos took too long
}

void effect_run::settle_exception(permit& p) {
  if (const auto v = verdict_by_fate(call_, true)) return p.settle(*v);
  if (refused_late_) return p.timeout();
  if (!limit_has_passed()) return;
  try {
    throw;
  } catch (const cancelled_error&) {
    // The caller did not cancel anything: the limit ended a wait between two attempts, or the effect obeyed it.
    p.timeout();
    std::throw_with_nested(call_timeout_error(std::string(type_), limit_length_));
  } catch (...) {
    // The breaker knows what to make of it, by its classifier and its deadline.
  }
}

bool effect_run::limit_has_passed() const noexcept {
  // The clock too: the timer behind the token may be late, or have set the token and not told those who follow it yet.
  return limit_.stop_requested() || (deadline_ && core_.source.now() >= *deadline_);
}

void effect_run::refuse_late() {
  refused_late_ = true;
  no_more_attempts_.request_stop();
  throw call_timeout_error(std::string(type_), limit_length_);
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
  if (attempts_ > 0 && limit_has_passed()) refuse_late();  // the wait ended just when the limit did
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
    const bool undone = tell_of_undos(t);
    if (limit_has_passed()) no_more_attempts_.request_stop();
    if (undone || always_repeatable) throw;
    unrepeatable_ = std::current_exception();
    return {};
  }
  t.finish_rollback();
  if (limit_has_passed()) no_more_attempts_.request_stop();
  return {.repeatable_failure = tell_of_undos(t) || always_repeatable};
}

verdict effect_run::judge() const {
  const verdict v = body_.judge(plan_.options.when);
  if (is_failure(v) || !plan_.options.retry) return v;
  const verdict by_retry = body_.judge(plan_.options.retry->when);
  return is_failure(by_retry) ? by_retry : v;
}

void effect_run::refuse_what_nobody_waits_for() {
  // Relaxed: the fate is one word, and nothing else is read because of it.
  if (call_.fate != nullptr && call_.fate->load(std::memory_order_relaxed) != call_fate::wanted) {
    throw cancelled_error(std::string(type_) + ": nobody waits for it any more");
  }
  if (limit_has_passed()) refuse_late();
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
  return detail::find_breaker(core_.breakers, type_, {o.breaker, o.breaker_keys, o.when});
}

}  // namespace detail
}  // namespace switchgear::inline v1
