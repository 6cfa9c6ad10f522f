// SPDX-License-Identifier: Apache-2.0
// Part of the agent: what was decided here, by rules, probes and operators, and how the fleet hears of it.
#include "agent.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace switchgear::inline v1::fleet {
namespace {

using namespace std::chrono_literals;
using access = switchgear::detail::breaker_access;
using machine::cause;

std::string ms(std::chrono::nanoseconds d) { return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(d).count()); }

bool is_override(state s) noexcept { return s == state::forced_open || s == state::disabled; }

/// What the history says about the last change into `into`, up to `generation`.
std::string reason_for(const circuit_breaker& b, state into, std::uint64_t generation, const char* otherwise) {
  const auto history = b.history();
  for (auto at = history.rbegin(); at != history.rend(); ++at) {
    if (at->to_state == into && at->generation <= generation) return one_line(at->reason);
  }
  return otherwise;
}

}  // namespace

// --- what is new ---

void agent::account(member_circuit& c, const detail::glance& g) {
  c.accounted = g.word.generation();
  c.accounts = true;
  c.accounted_state = g.word.state();
  if (is_override(c.accounted_state)) {
    c.override_until = g.facts.until;
    if (const auto told = c.breaker->figures().operator_override) {
      c.override_owner = told->owner;
      c.override_reason = told->reason;
    }
  }
}

bool agent::is_new(const member_circuit& c, const detail::glance& g) noexcept {
  return !c.accounts || g.word.generation() != c.accounted;
}

/// Whether the override that was last in force here had come to its end by itself. What the fleet says of it then follows from
/// the store, where it may have been renewed meanwhile.
bool agent::ended_by_time(const member_circuit& c, const detail::glance& g) noexcept {
  return c.override_until >= 0 && g.facts.since >= c.override_until;
}

bool agent::by_operator(const member_circuit& c, const detail::glance& g) noexcept {
  if (is_override(g.word.state())) return true;
  const bool released = is_override(c.accounted_state) && fleet::is_override(c.known.state) && !ended_by_time(c, g);
  if (g.word.state() != state::closed) return released;
  if (g.word.cause() == cause::manual) return c.known.state != fleet_state::closed;
  return released;
}

void agent::note_change(member_circuit& c, const detail::glance& g) {
  if (g.word.generation() == c.seen) return;
  c.seen = g.word.generation();
  c.view_changed = true;
  if (!is_new(c, g)) return;
  // Half-open after open is only time that has passed.
  const bool by_time = g.word.state() == state::half_open && c.accounts && c.accounted_state == state::open;
  if (by_time) return;
  ++figures_.local_decisions;
  c.demand = turned_away(*c.breaker);
}

// --- operators ---

void agent::note_operator(member_circuit& c, const detail::glance& g) {
  if (c.operated) {
    // He has changed his mind: the last word counts. What is on its way is answered first, so that the order stays.
    if (c.operated->sent_as == 0 && g.word.generation() != c.operated->generation) {
      c.operated.reset();
    } else {
      if (may_send()) send_operation(c);
      return;
    }
  }
  if (!may_send()) return;
  if (is_new(c, g)) {
    const bool from_before = g.word.generation() == c.joined && c.known.epoch > 0;
    if (by_operator(c, g) && !from_before) begin_operation(c, g);
  } else if (is_override(g.word.state())) {
    note_renewal(c, g);
  }
}

/// The same override once more, with another end, owner or reason, is no new generation.
void agent::note_renewal(member_circuit& c, const detail::glance& g) {
  const bool other_end = g.facts.until != c.override_until;
  const auto told = c.breaker->figures().operator_override;
  if (!told || (!other_end && told->owner == c.override_owner && told->reason == c.override_reason)) return;
  if (access::word(*c.breaker).generation() != g.word.generation()) return;  // looked at again at once
  ++figures_.local_decisions;
  begin_operation(c, g);
}

void agent::begin_operation(member_circuit& c, const detail::glance& g) {
  operation o;
  o.id = random_id();
  o.generation = g.word.generation();
  if (is_override(g.word.state())) {
    o.wanted = g.word.state() == state::forced_open ? fleet_state::forced_open : fleet_state::disabled;
    if (const auto told = c.breaker->figures().operator_override) {
      o.owner = one_line(told->owner);
      o.reason = one_line(told->reason);
    }
    if (g.facts.until >= 0) o.until = now_ + nanoseconds(std::max<std::int64_t>(g.facts.until - g.now, 0));
  } else {
    o.reason = reason_for(*c.breaker, state::closed, g.word.generation(), "closed by hand");
  }
  account(c, g);
  if (g.word.state() == state::open || g.word.state() == state::half_open) {
    // Released, and opened since: that is told next, once the fleet has heard of the release.
    --c.accounted;
    c.accounted_state = state::closed;
  }
  c.operated = std::move(o);
  send_operation(c);
}

void agent::send_operation(member_circuit& c) {
  operation& o = *c.operated;
  if (o.sent_as != 0) return;
  std::string left = "-1";
  if (o.until) {
    if (*o.until <= now_) {  // it ended before anybody could hear of it
      c.operated.reset();
      c.to_apply = c.known.epoch > 0;
      return;
    }
    left = ms(*o.until - now_);
  }
  o.sent_as = send({.what = asks::operate, .circuit = &c, .epoch = c.known.epoch}, "operate",
                   {c.name, o.id, std::string(to_string(o.wanted)), left, o.owner, o.reason});
}

bool agent::take_operation(const waiting& about, const reply_head& head, reply_reader& rest) {
  auto r = rest.next_record();
  if (head.status != status::done || !r || !rest.complete() || r->name != about.name) return false;
  if (about.circuit == nullptr || about.what == asks::foreign_operate) {
    if (head.incarnation == incarnation_) learn(std::move(*r));
    return true;
  }
  member_circuit& c = *about.circuit;
  if (!c.operated) return true;
  // It may have been said before, and another operator may have come since then.
  const bool ours = r->by == instance_ && r->state == c.operated->wanted && r->cause == fleet_cause::operated;
  c.operated.reset();
  if (head.incarnation != incarnation_ || went_back(about, *r)) return true;
  if (r->epoch > c.known.epoch) {
    take_over(c, std::move(*r), !ours);
  } else if (ours && r->epoch == c.known.epoch) {
    c.to_apply = false;
  }
  return true;
}

bool agent::went_back(const waiting& about, const record& r) {
  if (r.epoch >= about.epoch) return false;
  if (!joining_) begin_joining();
  return true;
}

bool agent::operate(std::string_view name, fleet_state wanted, std::string_view owner, std::string_view reason,
                    std::optional<nanoseconds> ttl, nanoseconds now) {
  now_ = std::max(now_, now);
  if (wanted == fleet_state::open || validate_name(name)) return false;
  if (member_circuit* const c = find(name)) {
    switch (wanted) {
      case fleet_state::forced_open: c->breaker->force_open(std::string(reason), std::string(owner), ttl); break;
      case fleet_state::disabled: c->breaker->disable(std::string(reason), std::string(owner), ttl); break;
      default:
        if (is_override(access::word(*c->breaker).state())) {
          c->breaker->release(std::string(reason));
        } else {
          c->breaker->reset(std::string(reason));
        }
    }
    look_at(*c);
    return true;
  }
  if (!may_send()) return false;
  const std::string left = ttl ? ms(std::clamp<nanoseconds>(*ttl, 1ms, most_time)) : "-1";
  send({.what = asks::foreign_operate, .name = std::string(name)}, "operate",
       {std::string(name), random_id(), std::string(to_string(wanted)), left, one_line(owner), one_line(reason)});
  return true;
}

// --- rules and probes ---

void agent::decide(member_circuit& c, const detail::glance& g) {
  if (c.operated || c.deciding != 0 || c.to_apply || !is_new(c, g)) return;
  const state s = g.word.state();
  const bool alone = options_.opening == sharing::local || options_.opening == sharing::evidence;
  if (is_override(s)) return;  // note_operator has it

  if (s == state::closed) {
    const bool isolated = c.known.state == fleet_state::open && g.word.cause() == cause::recovered;
    if (isolated && (options_.opening != sharing::local || c.known.cause == fleet_cause::manual)) {
      c.decided = g.word.generation();
      c.deciding = send({.what = asks::recovered, .circuit = &c, .epoch = c.known.epoch}, "recovered",
                        {c.name, std::to_string(c.known.epoch),
                         reason_for(*c.breaker, state::closed, g.word.generation(), "recovered")});
      return;
    }
    account(c, g);
    // Here something ended of which the fleet never knew; what it says holds again.
    if (c.known.state == fleet_state::open && !isolated && options_.opening != sharing::local) {
      c.to_apply = true;
      wake(c, now_);
    }
    return;
  }

  const bool waited_for = s == state::half_open && c.accounts && c.accounted_state == state::open;
  const bool manual = s == state::open && g.word.cause() == cause::manual;
  if (c.known.state != fleet_state::closed || waited_for || (alone && !manual)) {
    // A probe that the gate let through is told of by its lease.
    account(c, g);
    return;
  }
  const bool probed = s == state::open && g.word.cause() == cause::probe_failed;
  const nanoseconds left(s == state::open ? std::max<std::int64_t>(g.facts.until - g.now, 0) : 0);
  send_open(c, g.word.generation(), left, g.facts.attempt, g.facts.failure_count,
            manual   ? fleet_cause::manual
            : probed ? fleet_cause::probe
                     : fleet_cause::rule,
            reason_for(*c.breaker, state::open, g.word.generation(), "a rule held"));
}

void agent::send_open(member_circuit& c, std::uint64_t generation, nanoseconds open_for, std::uint32_t attempt,
                      std::uint32_t failure_count, fleet_cause cause, std::string_view reason) {
  const bool votes = options_.opening == sharing::quorum && cause != fleet_cause::manual;
  const std::uint32_t count = votes ? options_.quorum : 1;
  const long long share = votes ? std::llround(options_.quorum_share * 1e6) : 0;
  c.decided = generation;
  c.deciding = send({.what = asks::open, .circuit = &c, .epoch = c.known.epoch, .by_evidence = cause == fleet_cause::evidence},
                    "open",
                    {c.name, std::to_string(c.known.epoch), std::to_string(count), std::to_string(share),
                     ms(options_.quorum_within), ms(std::min<nanoseconds>(open_for, most_time)), std::to_string(attempt),
                     std::to_string(failure_count), std::string(to_string(cause)), std::string(reason)});
}

bool agent::take_decision(const waiting& about, const reply_head& head, reply_reader& rest) {
  auto r = rest.next_record();
  if (!r || !rest.complete() || r->name != about.name) return false;
  const bool voted = head.status == status::voted && about.what == asks::open;
  if (head.status != status::done && head.status != status::stale && !voted) return false;
  if (head.status == status::stale) ++figures_.stale;
  if (about.circuit == nullptr) {
    if (head.incarnation == incarnation_) learn(std::move(*r));
    return true;
  }
  member_circuit& c = *about.circuit;
  c.deciding = 0;
  const auto g = access::look(*c.breaker);
  if (!about.by_evidence && (!c.accounts || c.accounted < c.decided)) {
    // The fleet has heard of this much. What came after it is looked at in its turn.
    c.accounts = true;
    c.accounted = c.decided;
    if (g.word.generation() == c.decided) {
      account(c, g);
    } else {
      c.accounted_state = about.what == asks::open ? state::open : state::closed;
    }
  }
  if (head.incarnation != incarnation_ || voted) return true;
  if (head.status == status::stale) {
    if (went_back(about, *r)) return true;
    const bool same = r->epoch == c.known.epoch && r->state == c.known.state;
    learn(std::move(*r));
    // What the fleet says holds, also when it was known before: the circuit has left it meanwhile.
    if (same && c.known.state == fleet_state::open && g.word.state() == state::closed) c.to_apply = true;
    return true;
  }
  if (about.by_evidence) ++figures_.local_decisions;
  if (r->epoch > c.known.epoch) take_over(c, std::move(*r), about.by_evidence);
  return true;
}

void agent::judge_evidence(member_circuit& c, const machine::window_totals& of_others) {
  if (!may_send() || options_.opening != sharing::evidence || c.deciding != 0 || c.operated || c.to_apply) return;
  const auto g = access::look(*c.breaker);
  if (g.word.state() != state::closed || is_new(c, g) || c.known.state != fleet_state::closed) return;
  machine::window_totals all = access::window(*c.breaker);
  all.calls += of_others.calls;
  all.failures += of_others.failures;
  all.slow += of_others.slow;
  const auto why = access::judge(*c.breaker, all);
  if (!why) return;
  // As the machine counts: an opening soon after a recovery is the next attempt, any other the first.
  const auto& s = access::settings(*c.breaker);
  const bool soon = g.facts.closed_at >= 0 && g.now - g.facts.closed_at < s.open_duration;
  const std::uint32_t attempt = soon ? g.facts.attempt + 1 : 0;
  send_open(c, g.word.generation(), access::open_duration(*c.breaker, attempt), attempt, why->second, fleet_cause::evidence,
            one_line(why->first + " in all instances"));
}

// --- loss ---

void agent::after_loss(member_circuit& c) {
  c.deciding = 0;
  c.ask_at = now_;
  c.view_changed = true;
  if (c.operated) c.operated->sent_as = 0;
  withdraw(c, machine::gate_word::phase::off);
  if (c.lease.is == probe_lease::phase::keeping && !c.lease.ended) drop_lease(c, true);
  c.lease = {};
}

}  // namespace switchgear::inline v1::fleet
