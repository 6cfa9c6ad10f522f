// SPDX-License-Identifier: Apache-2.0
// Part of the agent: what the fleet has decided, put in force here.
#include "agent.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace switchgear::inline v1::fleet {
namespace {

using access = switchgear::detail::breaker_access;
using phase = machine::gate_word::phase;

/// Of circuits that this instance does not have.
constexpr std::size_t most_strangers = 4096;

std::uint32_t millionths(double share) {
  return static_cast<std::uint32_t>(std::clamp(std::llround(share * 1e6), 1LL, 999'999LL));
}

state state_of(fleet_state s) noexcept {
  return s == fleet_state::forced_open ? state::forced_open : state::disabled;
}

}  // namespace

// --- knowing ---

void agent::remember(record r) {
  const auto at = strangers_.find(r.name);
  if (at != strangers_.end() && r.epoch < at->second.known.epoch) return;
  if (at == strangers_.end() && strangers_.size() >= most_strangers) {
    forgot_strangers_ = true;
    return;
  }
  stranger& s = strangers_[r.name];
  s.due = now_ + std::max(r.remaining, std::chrono::milliseconds(0));
  s.in_store = true;
  s.known = std::move(r);
}

void agent::learn(record r) {
  member_circuit* const found = find(r.name);
  if (found == nullptr) {
    if (r.epoch > 0) remember(std::move(r));
    return;
  }
  member_circuit& c = *found;
  if (r.epoch < c.known.epoch) return;
  c.in_store = true;
  // The same epoch with another state: two stores that knew nothing of each other went on from the same past. The one that
  // is there now is right.
  if (r.epoch == c.known.epoch && r.state == c.known.state) {
    if (r.successes != c.known.successes) {
      c.ask_at = now_;  // a lease has come free
      wake(c, now_);
    }
    c.known.successes = r.successes;
    c.known.version = std::max(c.known.version, r.version);
    return;
  }
  // The reply to what was asked here says the same, and to whom it belongs.
  const bool asked = c.deciding != 0 || (c.operated && c.operated->sent_as != 0) || c.lease.is == probe_lease::phase::settling;
  if (r.by == instance_ && asked && r.epoch > 0) return;
  take_over(c, std::move(r), true);
  look_at(c);
}

void agent::take_over(member_circuit& c, record r, bool to_apply) {
  c.due = now_ + std::max(r.remaining, std::chrono::milliseconds(0));
  c.known = std::move(r);
  c.to_apply = to_apply;
  c.in_store = true;
  c.ask_at = now_;
  c.demand = turned_away(*c.breaker);
}

/// A record as it has to be told now.
record agent::told_now(const record& known, nanoseconds due) const {
  record r = known;
  if (r.remaining.count() >= 0) {
    r.remaining = std::max(std::chrono::milliseconds(0), std::chrono::ceil<std::chrono::milliseconds>(due - now_));
  }
  return r;
}

// --- applying ---

/// In local mode only operators decide for others.
bool agent::concerns(const member_circuit& c, const detail::glance& g) const noexcept {
  if (options_.opening != sharing::local) return true;
  switch (c.known.state) {
    case fleet_state::forced_open:
    case fleet_state::disabled: return true;
    case fleet_state::open: return c.known.cause == fleet_cause::manual;
    case fleet_state::closed:
      return c.known.cause == fleet_cause::operated || g.word.state() == state::forced_open || g.word.state() == state::disabled;
  }
  return false;
}

void agent::apply(member_circuit& c) {
  if (c.operated) return;  // newer than what the fleet knows, or about to be answered
  for (int tries = 0; tries < 4; ++tries) {
    const auto g = access::look(*c.breaker);
    // An operator here, whom the fleet has not heard yet: he will be, and that makes a new decision. What was in force before
    // this instance joined is older than what the fleet knows.
    const bool from_before = g.word.generation() == c.joined && c.known.epoch > 0;
    if (is_new(c, g) && !from_before && by_operator(c, g)) return;
    if (!concerns(c, g)) {
      c.to_apply = false;
      return;
    }
    const bool in_force = c.known.state == fleet_state::open     ? apply_open(c, g)
                          : c.known.state == fleet_state::closed ? apply_closed(c, g)
                                                                 : apply_override(c, g);
    if (!in_force) continue;  // it changed meanwhile
    c.to_apply = false;
    if (c.known.state != fleet_state::closed || access::word(*c.breaker).generation() != g.word.generation()) {
      ++figures_.fleet_decisions;
    }
    c.view_changed = true;
    return;
  }
  wake(c, now_ + options_.exchange_every);
}

bool agent::apply_open(member_circuit& c, const detail::glance& g) {
  if (g.word.state() == state::forced_open || g.word.state() == state::disabled) {
    c.breaker->release(decision_text(c.known));
    if (const auto now = access::look(*c.breaker); now.word.state() == state::closed) account(c, now);
    return false;  // and once more, from closed
  }
  // First the gate: otherwise a call might come through as a probe if the period has already ended.
  if (options_.opening != sharing::local) withdraw(c, phase::shut);
  const nanoseconds left = std::max(c.due - now_, nanoseconds(0));
  if (left == nanoseconds(0) && g.word.state() == state::half_open) {
    account(c, g);
    return true;
  }
  const auto after = access::impose_open(*c.breaker, g.word.generation(),
                                         {left, c.known.attempt, c.known.failure_count}, decision_text(c.known));
  if (!after) return !access::settings(*c.breaker).enabled;
  auto now = access::look(*c.breaker);
  if (now.word.generation() == *after) {
    account(c, now);
  } else {
    c.accounted = *after;
    c.accounts = true;
    c.accounted_state = state::open;
  }
  return true;
}

bool agent::apply_closed(member_circuit& c, const detail::glance& g) {
  const state s = g.word.state();
  if (s == state::forced_open || s == state::disabled) {
    c.breaker->release(decision_text(c.known));
    const auto now = access::look(*c.breaker);
    if (now.word.state() == state::closed) account(c, now);
    return now.word.state() == state::closed || !access::settings(*c.breaker).enabled;
  }
  if (s == state::closed) {
    account(c, g);
    return true;
  }
  // Only a recovery needs care; an operator who closes a circuit means all of it.
  const bool ramps = c.known.cause == fleet_cause::recovered && !options_.ramp.empty();
  const std::uint32_t share = ramps ? millionths(options_.ramp.front().share) : machine::ramp_word::whole;
  const auto after = access::impose_closed(*c.breaker, g.word.generation(), share, decision_text(c.known));
  if (!after) return !access::settings(*c.breaker).enabled;
  c.accounted = *after;
  c.accounts = true;
  c.accounted_state = state::closed;
  c.ramping = ramps;
  c.ramp_step = 0;
  c.ramp_generation = *after;
  if (ramps) c.ramp_until = now_ + options_.ramp.front().lasts;
  withdraw(c, phase::off);
  return true;
}

bool agent::apply_override(member_circuit& c, const detail::glance& g) {
  const state wanted = state_of(c.known.state);
  std::optional<nanoseconds> left;
  if (c.known.remaining.count() >= 0) left = std::max(c.due - now_, nanoseconds(1));
  const std::string text = decision_text(c.known);
  if (wanted == state::forced_open) {
    c.breaker->force_open(text, c.known.owner, left);
  } else {
    c.breaker->disable(text, c.known.owner, left);
  }
  const auto now = access::look(*c.breaker);
  if (!access::settings(*c.breaker).enabled) return true;
  const std::uint64_t override_made = g.word.generation() + (g.word.state() == wanted ? 0 : 1);
  if (now.word.state() == state::closed && now.word.generation() == override_made + 1) {
    // Somebody here has released it at once: the override was in force, and the release is told next.
    c.accounted = override_made;
    c.accounts = true;
    c.accounted_state = wanted;
    c.override_until = left ? machine::later(g.now, left->count()) : -1;
    return true;
  }
  if (now.word.state() != wanted) return false;
  // Whoever else was at it at the same moment: the last one's words stand there, and if they are ours all is accounted for.
  const auto figures = c.breaker->figures();
  const bool ours = figures.operator_override && figures.operator_override->reason == text;
  if (ours) {
    account(c, now);
  } else if (now.word.generation() == g.word.generation() || now.word.generation() == g.word.generation() + 1) {
    account(c, now);
    c.override_until = -2;  // that of the other one travels as a renewal
  }
  withdraw(c, phase::off);
  return true;
}

// --- the way back ---

void agent::run_ramp(member_circuit& c) {
  if (!c.ramping) return;
  if (access::word(*c.breaker).generation() != c.ramp_generation) {
    c.ramping = false;
    return;
  }
  if (now_ >= c.ramp_until) {
    ++c.ramp_step;
    const bool over = c.ramp_step >= options_.ramp.size();
    const std::uint32_t share = over ? machine::ramp_word::whole : millionths(options_.ramp[c.ramp_step].share);
    c.ramping = access::set_share(*c.breaker, c.ramp_generation, share) && !over;
    if (c.ramping) c.ramp_until = now_ + options_.ramp[c.ramp_step].lasts;
  }
  if (c.ramping) wake(c, c.ramp_until);
}

}  // namespace switchgear::inline v1::fleet
