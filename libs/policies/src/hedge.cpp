// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/counters.hpp>
#include <switchgear/detail/validation.hpp>
#include <switchgear/hedge.hpp>

namespace switchgear::inline v1 {
namespace {

enum counted : std::size_t { all_calls, hedges, not_started_after_all, wins, refusals, number_of_counters };

bool is_failure(verdict v) noexcept { return v == verdict::failure || v == verdict::timeout; }

}  // namespace

struct hedge::state : detail::policy_state {
  state(hedge_options o, clock& c) : policy_state("hedge", o.name), options(std::move(o)), source(c) {}
  const hedge_options options;
  clock& source;
  detail::counters<number_of_counters> counts;
};

std::vector<problem> hedge_options::validate() const {
  detail::validation v;
  v.name(name);
  v.in_range("delay", delay, std::chrono::nanoseconds(0), detail::a_day);
  v.in_range("max_hedges", max_hedges, 1, 100);
  return v.take();
}

hedge::hedge(hedge_options options, clock& source) {
  detail::require_no(options.validate());
  state_ = std::make_shared<state>(std::move(options), source);
}

const std::string& hedge::name() const noexcept { return state_->name(); }
const hedge_options& hedge::options() const noexcept { return state_->options; }
clock& hedge::time_source() const noexcept { return state_->source; }
subscription hedge::observe(std::function<void(const policy_event&)> handler) const {
  return state_->observe(std::move(handler));
}

hedge_metrics hedge::metrics() const {
  const auto& c = state_->counts;
  // What was taken back first, so that it is never more than what was started.
  const std::uint64_t taken_back = c.sum(not_started_after_all);
  return {c.sum(all_calls), c.sum(hedges) - taken_back, c.sum(wins), c.sum(refusals)};
}

std::string hedge::describe() const {
  const hedge_options& o = state_->options;
  std::string text = "hedge(" + std::to_string(o.max_hedges) + " more after " + format_duration(o.delay);
  if (o.budget) text += ", budget " + o.budget->name();
  return text + ")";
}

hedge_run::hedge_run(const hedge& policy, const execution& e) : policy_(policy), correlation_id_(e.context.correlation_id) {
  policy_.state_->counts.add(all_calls);
  if (policy_.options().budget) policy_.options().budget->earn();
}

hedge_run::decision hedge_run::next(std::chrono::nanoseconds now) {
  const hedge_options& o = policy_.options();
  hedge::state& shared = *policy_.state_;
  if (answer_) return {step::answer, *answer_};
  if (started_ > static_cast<std::size_t>(o.max_hedges)) no_more_ = true;
  if (!no_more_ && (at_once_ || now >= next_at_)) {
    if (started_ > 0 && o.budget && !o.budget->spend()) {
      no_more_ = true;
      shared.counts.add(refusals);
    } else {
      const std::size_t number = started_++;
      ++running_;
      at_once_ = false;
      next_at_ = detail::later(now, o.delay);
      if (number > 0) {
        shared.counts.add(hedges);
        if (shared.is_observed()) {
          shared.tell({.kind = policy_event_kind::hedged,
                       .attempt = static_cast<int>(number) + 1,
                       .delay = o.delay,
                       .correlation_id = correlation_id_});
        }
      }
      return {step::start, number};
    }
  }
  if (running_ == 0) {
    answer_ = 0;  // all have failed: what the first brought
    return {step::answer, 0};
  }
  decision d;
  if (!no_more_) d.until = next_at_;
  return d;
}

void hedge_run::finished(std::size_t attempt, ending how) noexcept {
  --running_;
  if (answer_) return;
  switch (how) {
    case ending::good:
      answer_ = attempt;
      if (attempt > 0) policy_.state_->counts.add(wins);
      break;
    case ending::failed: at_once_ = true; break;
    case ending::rejected: no_more_ = true; break;
  }
}

void hedge_run::not_started(std::size_t attempt) noexcept {
  --running_;
  --started_;
  no_more_ = true;
  hedge::state& shared = *policy_.state_;
  if (attempt > 0) {
    shared.counts.add(not_started_after_all);
    if (shared.options.budget) shared.options.budget->give_back();
  }
  shared.counts.add(refusals);
  if (!shared.is_observed()) return;
  try {
    shared.tell({.kind = policy_event_kind::rejected,
                 .reason = "the executor has no room for an attempt",
                 .attempt = static_cast<int>(attempt) + 1,
                 .correlation_id = correlation_id_});
  } catch (...) {
    // No memory for the texts of an event: the call goes on without it.
  }
}

hedge_run::ending hedge_run::caught() const noexcept {
  try {
    try {
      throw;
    } catch (const rejected_error&) {
      return ending::rejected;
    } catch (const cancelled_error&) {
      return ending::rejected;
    } catch (...) {
      return is_failure(policy_.options().when.of_current_exception().verdict) ? ending::failed : ending::good;
    }
  } catch (...) {
    return ending::failed;  // a rule threw
  }
}

}  // namespace switchgear::inline v1
