// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/counters.hpp>
#include <switchgear/detail/validation.hpp>
#include <switchgear/detail/waiting.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/retry.hpp>

#include <algorithm>
#include <utility>

namespace switchgear::inline v1 {
namespace {

using std::chrono::nanoseconds;

/// The last exception that a retry policy let pass on this thread. Kept alive so that another exception cannot get its
/// address and be taken for it.
struct noted_exception {
  std::exception_ptr exception;
  retry_report report;
};
thread_local noted_exception noted;

constexpr std::size_t retries_counter = 7;
constexpr std::size_t after_retries_counter = 8;

std::string number(int n, const char* what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

}  // namespace

struct retry::state : detail::policy_state {
  state(retry_options o, clock& c) : policy_state("retry", o.name), options(std::move(o)), source(c) {}
  const retry_options options;
  clock& source;
  detail::counters<9> counts;  ///< by retry_stop, then the two above
};

std::string_view to_string(retry_stop s) noexcept {
  switch (s) {
    case retry_stop::succeeded: return "succeeded";
    case retry_stop::attempts_used_up: return "attempts used up";
    case retry_stop::time_used_up: return "time used up";
    case retry_stop::not_retryable: return "not retryable";
    case retry_stop::rejected: return "rejected";
    case retry_stop::budget_used_up: return "retry budget used up";
    case retry_stop::cancelled: return "cancelled";
  }
  return "succeeded";
}

std::optional<retry_report> retry_report_of(const std::exception_ptr& e) noexcept {
  if (!e || noted.exception != e) return std::nullopt;
  return noted.report;
}

std::vector<problem> retry_options::validate() const {
  detail::validation v;
  v.name(name);
  v.in_range("max_attempts", max_attempts, 1, 1000);
  v.in_range("total_limit", total_limit, nanoseconds(0), detail::a_day);
  std::vector<problem> all = v.take();
  for (problem& p : backoff.validate()) all.push_back(std::move(p));
  return all;
}

retry::retry(retry_options options, clock& source) {
  detail::require_no(options.validate());
  state_ = std::make_shared<state>(std::move(options), source);
}

const std::string& retry::name() const noexcept { return state_->name(); }
const retry_options& retry::options() const noexcept { return state_->options; }
clock& retry::time_source() const noexcept { return state_->source; }
subscription retry::observe(std::function<void(const policy_event&)> handler) const { return state_->observe(std::move(handler)); }

retry_metrics retry::metrics() const {
  const auto stopped = [this](retry_stop s) { return state_->counts.sum(static_cast<std::size_t>(s)); };
  return {stopped(retry_stop::succeeded),      state_->counts.sum(after_retries_counter),
          stopped(retry_stop::attempts_used_up), stopped(retry_stop::time_used_up),
          stopped(retry_stop::not_retryable),    stopped(retry_stop::rejected),
          stopped(retry_stop::budget_used_up),   stopped(retry_stop::cancelled),
          state_->counts.sum(retries_counter)};
}

std::string retry::describe() const {
  const retry_options& o = state_->options;
  std::string text = "retry(" + number(o.max_attempts, "attempt") + ", " + o.backoff.describe();
  if (o.total_limit.count() > 0) text += ", within " + format_duration(o.total_limit);
  if (o.wait_for_retry_after) text += ", waits for retry_after";
  if (o.budget) text += ", budget " + o.budget->name();
  return text + ")";
}

retry_run::retry_run(const retry& policy) noexcept
    : state_(*policy.state_), judges_values_(state_.options.when.judges_values()) {
  if (state_.options.total_limit.count() > 0) started_ = state_.source.now();
  if (state_.options.budget) state_.options.budget->earn();
}

const classifier& retry_run::rules() const noexcept { return state_.options.when; }

void retry_run::succeeded() noexcept {
  const bool at_once = report_.attempts == 1;
  state_.counts.add(at_once ? static_cast<std::size_t>(retry_stop::succeeded) : after_retries_counter);
}

retry_run::decision retry_run::caught(const execution& e) {
  const std::exception_ptr exception = std::current_exception();
  decision out;
  // The type decides before the classifier: a rejection says when to come back.
  try {
    throw;
  } catch (const rejected_error& r) {
    out = state_.options.wait_for_retry_after && r.retry_after() ? failed(r.what(), r.retry_after(), e)
                                                                 : stop(retry_stop::rejected, r.what(), e);
  } catch (const cancelled_error& c) {
    out = stop(retry_stop::cancelled, c.what(), e);
  } catch (...) {
    classifier::exception_verdict found;
    try {
      found = rules().of_current_exception();
    } catch (...) {
      (void)stop(retry_stop::not_retryable, "the classifier threw", e);
      throw;
    }
    const bool counts = found.verdict == verdict::failure || found.verdict == verdict::timeout;
    if (e.stop.stop_requested()) {
      out = stop(retry_stop::cancelled, found.text, e);
    } else {
      out = counts ? failed(found.text, {}, e) : stop(retry_stop::not_retryable, found.text, e);
    }
  }
  if (!out.again) remember(exception);
  return out;
}

retry_run::decision retry_run::failed(std::string_view why, std::optional<nanoseconds> at_least, const execution& e) {
  const retry_options& o = state_.options;
  if (report_.attempts >= o.max_attempts) return stop(retry_stop::attempts_used_up, why, e);
  const nanoseconds delay = std::max(o.backoff.delay(report_.attempts, previous_), at_least.value_or(nanoseconds(0)));
  if (o.total_limit.count() > 0) {
    const nanoseconds gone = state_.source.now() - started_;
    if (gone >= o.total_limit || delay >= o.total_limit - gone) return stop(retry_stop::time_used_up, why, e);
  }
  if (o.budget && !o.budget->spend()) return stop(retry_stop::budget_used_up, why, e);
  if (state_.is_observed()) {
    state_.tell({.kind = policy_event_kind::retried,
                 .reason = std::string(why),
                 .attempt = report_.attempts,
                 .delay = delay,
                 .correlation_id = std::string(e.context.correlation_id)});
  }
  ++report_.attempts;
  report_.waited += delay;
  previous_ = delay;
  return {true, delay};
}

retry_run::decision retry_run::stop(retry_stop why, std::string_view text, const execution& e) {
  report_.stopped = why;
  state_.counts.add(static_cast<std::size_t>(why));
  if (state_.is_observed()) {
    state_.tell({.kind = policy_event_kind::gave_up,
                 .reason = std::string(to_string(why)) + (text.empty() ? "" : ": ") + std::string(text),
                 .attempt = report_.attempts,
                 .correlation_id = std::string(e.context.correlation_id)});
  }
  return {};
}

std::exception_ptr retry_run::cancelled(const std::exception_ptr& last) {
  not_made();
  (void)stop(retry_stop::cancelled, "a stop was requested during the wait", {});
  std::exception_ptr out;
  try {
    const cancelled_error error(state_.name() + ": cancelled while waiting for another attempt");
    if (!last) throw error;
    try {
      std::rethrow_exception(last);
    } catch (...) {
      std::throw_with_nested(error);
    }
  } catch (...) {
    out = std::current_exception();
  }
  remember(out);
  return out;
}

bool retry_run::begins(const std::exception_ptr& last, const execution& e) {
  const nanoseconds limit = state_.options.total_limit;
  if (limit.count() > 0 && state_.source.now() - started_ >= limit) {
    not_made();
    (void)stop(retry_stop::time_used_up, "the wait took longer than it should", e);
    if (last) remember(last);
    return false;
  }
  state_.counts.add(retries_counter);
  return true;
}

void retry_run::not_made() noexcept {
  --report_.attempts;
  if (state_.options.budget) state_.options.budget->give_back();
}

void retry_run::remember(const std::exception_ptr& e) const noexcept { detail::remember_retry_report(e, report_); }

void detail::remember_retry_report(const std::exception_ptr& e, const retry_report& report) noexcept { noted = {e, report}; }

bool detail::wait_for_retry(clock& source, nanoseconds delay, const std::stop_token& stop) {
  if (delay.count() <= 0) return !stop.stop_requested();
  return sleep_until(source, detail::later(source.now(), delay), stop);
}

namespace retry_presets {
namespace {

using namespace std::chrono_literals;

retry_options preset(const char* name, int attempts, nanoseconds least, nanoseconds most, bool jitter) {
  // With jitter between the least delay and the grown one, growth starts at twice the least, or the first wait would always
  // be the same: 1 … 2 s, 1 … 4 s, 1 … 8 s.
  const backoff grown = exponential(jitter ? 2 * least : least).at_least(least).up_to(most);
  return {.name = name, .max_attempts = attempts, .backoff = jitter ? grown.with_jitter() : grown};
}

}  // namespace

retry_options worker() { return preset("worker", 3, 1s, 10s, true); }
retry_options storage() { return preset("storage", 5, 500ms, 5s, false); }
retry_options scheduler() { return preset("scheduler", 3, 1s, 8s, true); }
retry_options api() { return preset("api", 4, 1s, 15s, true); }

std::optional<retry_options> find(std::string_view name) {
  for (retry_options (*const make)() : {worker, storage, scheduler, api}) {
    if (retry_options o = make(); o.name == name) return o;
  }
  return std::nullopt;
}

}  // namespace retry_presets
}  // namespace switchgear::inline v1
