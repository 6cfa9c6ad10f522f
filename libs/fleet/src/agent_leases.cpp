// SPDX-License-Identifier: Apache-2.0
// Part of the agent: who may send a probe, and how the fleet hears how it went.
#include "agent.hpp"

#include <algorithm>
#include <utility>

namespace switchgear::inline v1::fleet {
namespace {

using namespace std::chrono_literals;
using access = switchgear::detail::breaker_access;
using machine::gate_word;
using lease_phase = probe_lease::phase;
using outcome = probe_lease::outcome;

/// How often an open circuit is looked at once probes are due.
constexpr std::chrono::nanoseconds recovery_every = 10ms;
/// A probe without a limit of time, or with a longer one, keeps its place this long at most.
constexpr std::chrono::nanoseconds longest_belief = 1h;
constexpr std::size_t most_past_leases = 16;

std::string ms(std::chrono::nanoseconds d) { return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(d).count()); }

std::string_view to_string(outcome o) noexcept {
  return o == outcome::success ? "success" : o == outcome::failure ? "failure" : "none";
}

}  // namespace

/// Calls that were turned away, or would have been.
std::uint64_t agent::turned_away(const circuit_breaker& b) {
  if (access::settings(b).shadow) return b.figures().metrics.would_reject;
  return access::rejections(b);
}

auto agent::longest_probe(const member_circuit& c) const noexcept -> nanoseconds {
  const nanoseconds limit(access::settings(*c.breaker).probe_timeout);
  return limit == nanoseconds(0) ? longest_belief : std::min(limit, longest_belief);
}

/// What the store is told when this instance believes in a lease for `believed`: its clock may be 2 % slower, and its threads
/// come late.
auto agent::lease_time(nanoseconds believed) const noexcept -> nanoseconds { return believed + believed / 50 + 50ms; }

/// Sees to it that the gate is as the fleet wants it, and that the lease goes on.
void agent::conduct(member_circuit& c) {
  const auto g = access::look(*c.breaker);
  const state s = g.word.state();
  const bool recovering = figures_.now == link::shared && options_.opening != sharing::local &&
                          c.known.state == fleet_state::open && !c.to_apply && !c.operated &&
                          (s == state::open || s == state::half_open) && access::settings(*c.breaker).enabled;
  if (!recovering) {
    if (!g.gate.off()) withdraw(c, gate_word::phase::off);
    settle_lease(c);
    return;
  }
  follow_gate(c, g);
  settle_lease(c);
  ask_lease(c, access::look(*c.breaker));
}

void agent::follow_gate(member_circuit& c, detail::glance g) {
  const bool holds = c.lease.is == lease_phase::held || c.lease.is == lease_phase::keeping;
  const bool current = holds && !c.lease.ended && c.lease.epoch == c.known.epoch;
  switch (g.gate.is()) {
    case gate_word::phase::off:
    case gate_word::phase::succeeded:
    case gate_word::phase::failed:
    case gate_word::phase::returned: withdraw(c, gate_word::phase::shut); break;
    case gate_word::phase::shut: break;
    case gate_word::phase::offered:
      if (!current || now_ >= c.lease.offered_until || g.now >= g.gate.until()) withdraw(c, gate_word::phase::shut);
      break;
    case gate_word::phase::taken:
      if (!current || now_ >= c.lease.ends || g.now >= g.gate.until()) withdraw(c, gate_word::phase::shut);
      break;
  }
  if (c.lease.is != lease_phase::none) wake(c, now_ + recovery_every);
}

/// Closes the gate (`shut`), or leaves the circuit on its own (`off`). Whatever the gate said until then is taken note of.
void agent::withdraw(member_circuit& c, gate_word::phase to) {
  for (;;) {
    const gate_word gate = access::look(*c.breaker).gate;
    if (gate.is() == to) return;
    if (!access::set_gate(*c.breaker, gate, gate_word::make(to))) continue;  // a call was faster
    end_lease(c, gate);
    return;
  }
}

/// What the last word of the gate says about the lease.
void agent::end_lease(member_circuit& c, gate_word gate) {
  probe_lease& lease = c.lease;
  const bool holds = lease.is == lease_phase::held || lease.is == lease_phase::keeping;
  if (!holds || lease.ended) return;
  switch (gate.is()) {
    case gate_word::phase::off:
    case gate_word::phase::shut: return;
    case gate_word::phase::offered:
      ++figures_.leases_unused;
      lease.ended = outcome::none;
      c.demand = turned_away(*c.breaker);  // nobody came; the next one who does is reason enough
      return;
    case gate_word::phase::taken: drop_lease(c, true); return;  // never given back while its probe is out
    case gate_word::phase::returned: lease.ended = outcome::none; return;
    case gate_word::phase::succeeded: {
      const auto threshold = access::settings(*c.breaker).success_threshold;
      lease.ended = outcome::success;
      lease.reason = std::to_string(threshold) + (threshold == 1 ? " probe" : " probes") + " succeeded (threshold " +
                     std::to_string(threshold) + ")";
      return;
    }
    case gate_word::phase::failed: {
      const auto g = access::look(*c.breaker);
      lease.ended = outcome::failure;
      lease.attempt = g.facts.attempt;
      lease.failure_count = g.facts.failure_count;
      lease.open_for = nanoseconds(g.word.state() == state::open ? std::max<std::int64_t>(g.facts.until - g.now, 0) : 0);
      const auto history = c.breaker->history();
      const auto at = std::find_if(history.rbegin(), history.rend(), [](const auto& h) { return h.to_state == state::open; });
      lease.reason = at == history.rend() ? "a probe failed" : one_line(at->reason);
      return;
    }
  }
}

void agent::ask_lease(member_circuit& c, const detail::glance& g) {
  if (c.lease.is != lease_phase::none || g.gate.is() != gate_word::phase::shut) return;
  if (g.word.state() == state::open && g.now < g.facts.until) {
    wake(c, now_ + nanoseconds(g.facts.until - g.now));
    return;
  }
  if (now_ < c.ask_at) {
    wake(c, c.ask_at);
    return;
  }
  if (!may_send() || turned_away(*c.breaker) == c.demand) {
    wake(c, now_ + recovery_every);
    return;
  }
  const nanoseconds believed = options_.use_within + longest_probe(c);
  c.lease = {.is = lease_phase::asking, .token = random_id(), .epoch = c.known.epoch,
             .offered_until = now_ + options_.use_within, .ends = now_ + believed};
  send({.what = asks::lease, .circuit = &c, .epoch = c.known.epoch, .token = c.lease.token}, "lease",
       {c.name, std::to_string(c.known.epoch), std::to_string(access::settings(*c.breaker).half_open_max_calls),
        ms(lease_time(believed)), c.lease.token});
}

bool agent::take_lease(const waiting& about, const reply_head& head, reply_reader& rest) {
  const bool granted = head.status == status::granted;
  const bool busy = head.status == status::busy;
  const bool stale = head.status == status::stale && about.what == asks::lease;
  if (!granted && !busy && !stale) return false;
  std::optional<std::uint64_t> number;
  if (!stale) {
    number = granted ? rest.number(1000) : rest.number();
    if (!number || (granted && *number == 0)) return false;
  }
  auto r = rest.next_record();
  if (!r || !rest.complete() || r->name != about.name) return false;
  if (stale) ++figures_.stale;
  const auto remaining = r->state == fleet_state::open ? r->remaining : std::chrono::milliseconds(0);

  member_circuit* const c = about.circuit;
  const lease_phase expected = about.what == asks::keep ? lease_phase::keeping : lease_phase::asking;
  if (c == nullptr || c->lease.is != expected || c->lease.token != about.token) {
    // Nobody here wants it any more. One that was kept for a probe that is still out goes by itself.
    if (granted && about.what == asks::lease && head.incarnation == incarnation_ && may_send()) {
      send({.what = asks::verdict, .name = about.name, .epoch = about.epoch, .token = about.token}, "verdict",
           {about.name, std::to_string(about.epoch), std::to_string(*number), about.token, "none", "1", "0", "0", "0", ""});
    }
    if (head.incarnation == incarnation_) learn(std::move(*r));
    return true;
  }
  if (granted) {
    c->lease.is = lease_phase::held;
    c->lease.slot = static_cast<std::uint32_t>(*number);
    if (about.what == asks::lease) ++figures_.leases_granted;
  } else if (about.what == asks::keep) {
    ++figures_.leases_lost;  // all places are taken: that probe is none of the fleet's any more
    c->lease = {};
  } else {
    c->lease = {};
  }
  if (head.incarnation != incarnation_) {
    if (about.what == asks::lease) c->lease = {};  // of a store that is gone; nobody has taken it
    return true;
  }
  if (stale && went_back(about, *r)) return true;
  // Before the offer, which depends on it.
  learn(std::move(*r));
  if (granted && about.what == asks::lease && c->lease.is == lease_phase::held) {
    const auto g = access::look(*c->breaker);
    const bool wanted = up_ && c->lease.epoch == c->known.epoch && c->known.state == fleet_state::open && !c->to_apply &&
                        now_ < c->lease.offered_until && g.gate.is() == gate_word::phase::shut;
    const nanoseconds left = c->lease.offered_until - now_;
    const auto offer = gate_word::make(gate_word::phase::offered, machine::later(g.now, std::max<std::int64_t>(left.count(), 0)));
    if (!wanted || !access::set_gate(*c->breaker, g.gate, offer)) {
      ++figures_.leases_unused;
      c->lease.ended = outcome::none;
    }
  }
  if (busy && about.what == asks::lease) {
    // Places come free without anybody saying so, but the end of an open period is known.
    const nanoseconds said = std::chrono::milliseconds(std::min<std::uint64_t>(*number, 3'600'000));
    const nanoseconds most = std::max<nanoseconds>(remaining, options_.exchange_every);
    c->ask_at = now_ + std::clamp<nanoseconds>(said, recovery_every, std::max(most, recovery_every));
  }
  return true;
}

/// Tells the store how it went, as soon as that is possible.
void agent::settle_lease(member_circuit& c) {
  probe_lease& lease = c.lease;
  if (lease.is != lease_phase::held || !lease.ended || !may_send()) return;
  lease.is = lease_phase::settling;
  send({.what = asks::verdict, .circuit = &c, .epoch = lease.epoch, .token = lease.token}, "verdict",
       {c.name, std::to_string(lease.epoch), std::to_string(lease.slot), lease.token, std::string(to_string(*lease.ended)),
        std::to_string(access::settings(*c.breaker).success_threshold), ms(lease.open_for), std::to_string(lease.attempt),
        std::to_string(lease.failure_count), lease.reason});
}

bool agent::take_verdict(const waiting& about, const reply_head& head, reply_reader& rest) {
  auto r = rest.next_record();
  if (head.status != status::done && head.status != status::stale) return false;
  if (!r || !rest.complete() || r->name != about.name) return false;
  const bool stale = head.status == status::stale;
  if (about.circuit == nullptr || about.circuit->lease.token != about.token) {
    if (head.incarnation == incarnation_) learn(std::move(*r));
    return true;
  }
  member_circuit& c = *about.circuit;
  const auto ended = c.lease.ended.value_or(outcome::none);
  const bool failed = ended == outcome::failure;
  c.lease = {};
  c.ask_at = now_;
  if (stale && ended != outcome::none) {
    ++figures_.stale;
    ++figures_.leases_lost;
  }
  if (head.incarnation != incarnation_) return true;
  const bool decided_here = !stale && failed && r->epoch > c.known.epoch;
  if (decided_here) {
    // The circuit has opened already, for as long as was told.
    const state s = access::word(*c.breaker).state();
    take_over(c, std::move(*r), s != state::open && s != state::half_open);
  } else {
    learn(std::move(*r));
  }
  return true;
}

/// The place at the store goes by itself, with the time.
void agent::drop_lease(member_circuit& c, bool still_out) {
  if (still_out) {
    ++figures_.leases_lost;
    std::erase_if(c.past_leases, [this](const past_lease& p) { return now_ >= p.ends; });
    if (now_ < c.lease.ends && c.past_leases.size() < most_past_leases) {
      c.past_leases.push_back({c.lease.token, c.lease.epoch, c.lease.ends});
    }
  }
  c.lease = {};
  c.ask_at = now_;
}

/// The store was lost, and with it who holds what.
void agent::keep_lease(member_circuit& c) {
  probe_lease& lease = c.lease;
  if (lease.is != lease_phase::held && lease.is != lease_phase::settling) return;
  if (lease.is == lease_phase::settling) lease.is = lease_phase::held;
  const gate_word gate = access::look(*c.breaker).gate;
  if (!lease.ended && gate.is() == gate_word::phase::offered) withdraw(c, gate_word::phase::shut);
  const bool worth = lease.is == lease_phase::held && (!lease.ended || *lease.ended != outcome::none) && now_ < lease.ends;
  if (!worth) {
    drop_lease(c, false);
    return;
  }
  lease.is = lease_phase::keeping;
  send_keep(c, lease.token, lease.epoch, lease.ends);
}

/// All that may have a probe out, also those that are not followed any more.
void agent::keep_leases(member_circuit& c) {
  keep_lease(c);
  std::erase_if(c.past_leases, [this](const past_lease& p) { return now_ >= p.ends; });
  for (const past_lease& p : c.past_leases) send_keep(c, p.token, p.epoch, p.ends);
}

void agent::send_keep(member_circuit& c, const std::string& token, std::uint64_t epoch, nanoseconds ends) {
  send({.what = asks::keep, .circuit = &c, .epoch = epoch, .token = token}, "keep",
       {c.name, std::to_string(epoch), std::to_string(access::settings(*c.breaker).half_open_max_calls),
        ms(lease_time(ends - now_)), token});
}

}  // namespace switchgear::inline v1::fleet
