// SPDX-License-Identifier: Apache-2.0
#include "agent.hpp"

#include <switchgear/config.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <utility>

namespace switchgear::inline v1::fleet {
namespace {

using namespace std::chrono_literals;
using access = switchgear::detail::breaker_access;

/// How soon a decision that a call of this instance brought about is found, when nothing else happens.
constexpr std::chrono::nanoseconds look_every = 25ms;
constexpr std::size_t most_notices = 64;
/// How often a circuit is told that somebody conducts it: well within machine::conductor_patience.
constexpr std::chrono::nanoseconds conduct_every = 1s;

}  // namespace

agent::agent(const options& o, std::string instance, std::uint64_t seed)
    : options_(o), instance_(std::move(instance)), random_(seed ^ std::hash<std::string>{}(instance_)) {}

agent::~agent() {
  up_ = false;
  for (const auto& c : circuits_) {
    withdraw(*c, machine::gate_word::phase::off);
    if (c->ramping) access::set_share(*c->breaker, c->ramp_generation, machine::ramp_word::whole);
  }
}

// --- circuits ---

member_circuit* agent::find(std::string_view name) const noexcept {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nullptr : at->second;
}

bool agent::add(circuit_breaker& breaker) {
  if (find(breaker.name()) != nullptr) return false;
  auto made = std::make_unique<member_circuit>(breaker);
  member_circuit& c = *made;
  circuits_.push_back(std::move(made));
  by_name_.emplace(c.name, &c);
  const auto g = access::look(breaker);
  c.joined = c.seen = g.word.generation();
  if (g.word.state() == state::closed) account(c, g);
  std::erase(gone_views_, c.name);
  if (const auto at = strangers_.find(c.name); at != strangers_.end()) {
    c.known = std::move(at->second.known);
    c.due = at->second.due;
    c.to_apply = true;
    c.in_store = at->second.in_store;
    c.demand = turned_away(breaker);
    strangers_.erase(at);
  } else if (forgot_strangers_ && up_ && !joining_) {
    version_ = 0;  // it may be one of those
    sync_at_ = now_;
  }
  look_at(c);
  return true;
}

bool agent::remove(std::string_view name) {
  member_circuit* const c = find(name);
  if (c == nullptr) return false;
  withdraw(*c, machine::gate_word::phase::off);
  settle_lease(*c);
  if (c->ramping) access::set_share(*c->breaker, c->ramp_generation, machine::ramp_word::whole);
  for (auto& [id, about] : waiting_) {
    if (about.circuit == c) about.circuit = nullptr;
  }
  if (c->known.epoch > 0) remember(told_now(c->known, c->due));
  if (c->told) gone_views_.push_back(c->name);
  by_name_.erase(c->name);
  std::erase_if(circuits_, [c](const auto& owned) { return owned.get() == c; });
  return true;
}

const record* agent::known(std::string_view name) const noexcept {
  if (const member_circuit* const c = find(name)) return c->known.epoch > 0 ? &c->known : nullptr;
  const auto at = strangers_.find(name);
  return at == strangers_.end() ? nullptr : &at->second.known;
}

// --- the link ---

void agent::link_up(nanoseconds now) {
  now_ = std::max(now_, now);
  if (up_) link_down(now, "connected anew");
  up_ = true;
  begin_joining();
}

void agent::link_down(nanoseconds now, std::string_view why) {
  now_ = std::max(now_, now);
  const bool was_local = figures_.now == link::local;
  if (!up_ && was_local) return;
  if (up_) ++figures_.link_losses;
  if (!was_local) tell(notice::kind::local_mode, "fleet " + options_.name + ": every circuit decides alone: " + std::string(why));
  go_alone();
}

void agent::go_alone() {
  up_ = false;
  joining_ = false;
  syncing_ = 0;
  restoring_ = 0;
  waiting_.clear();
  outbox_.clear();
  figures_.now = link::local;
  for (const auto& c : circuits_) after_loss(*c);
  look_at_all();
}

void agent::nonsense(const waiting& about) {
  constexpr std::array<std::string_view, 10> names{"sync", "open", "recovered", "operate", "operate",
                                                   "lease", "keep", "verdict", "restore", "leave"};
  link_down(now_, "the answer of the store to `" + std::string(names[static_cast<std::size_t>(about.what)]) + "` makes no sense");
}

void agent::tell(notice::kind is, std::string text) {
  if (notices_.size() >= most_notices) notices_.erase(notices_.begin());
  notices_.push_back({is, std::move(text)});
}

std::vector<notice> agent::take_notices() { return std::exchange(notices_, {}); }

// --- requests ---

std::string agent::random_id() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (int word = 0; word < 2; ++word) {
    random_ += 0x9e3779b97f4a7c15u;
    std::uint64_t x = random_;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    for (int i = 0; i < 16; ++i, x >>= 4) out += digits[x & 15];
  }
  return out;
}

std::uint64_t agent::send(waiting about, std::string_view what, std::vector<std::string> arguments) {
  const auto ms = [](nanoseconds d) { return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(d).count()); };
  request r;
  r.id = ++last_id_;
  // Until then every instance that is connected has kept its leases, or knows that it is on its own.
  const std::string quarantine = ms(2 * (options_.exchange_every + options_.patience));
  r.arguments = {std::string(what), options_.name, incarnation_, random_id(), ms(options_.keep), quarantine, instance_};
  r.arguments.insert(r.arguments.end(), std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end()));
  about.incarnation = incarnation_;
  about.sent = now_;
  if (about.circuit != nullptr) about.name = about.circuit->name;
  waiting_.emplace(r.id, std::move(about));
  outbox_.push_back(std::move(r));
  return last_id_;
}

void agent::answered(std::uint64_t id, const reply& texts, nanoseconds now) {
  now_ = std::max(now_, now);
  const auto at = waiting_.find(id);
  if (!up_ || at == waiting_.end()) return;
  const waiting about = std::move(at->second);
  waiting_.erase(at);
  if (understand(about, texts)) {
    ++figures_.replies;
  } else {
    nonsense(about);
  }
  if (about.circuit != nullptr) look_at(*about.circuit);
}

// --- looking ---

void agent::wake(member_circuit& c, nanoseconds at) {
  c.wake_at = std::min(c.wake_at, at);
  wake_at_ = std::min(wake_at_, c.wake_at);
}

void agent::look_at_all() {
  for (const auto& c : circuits_) look_at(*c);
}

void agent::look_at(member_circuit& c) {
  c.wake_at = nanoseconds::max();
  auto g = access::look(*c.breaker);
  const bool overridden = g.word.state() == state::forced_open || g.word.state() == state::disabled;
  if (overridden && g.facts.until >= 0 && g.now >= g.facts.until) {
    c.breaker->advance(g.word.generation());  // nobody may call it for a long time
    g = access::look(*c.breaker);
  }
  note_change(c, g);
  note_operator(c, g);
  if (c.to_apply && up_) {
    apply(c);
    g = access::look(*c.breaker);
    c.seen = g.word.generation();
  }
  run_ramp(c);
  if (may_send()) decide(c, g);
  conduct(c);
  if (c.ramping || !access::look(*c.breaker).gate.off()) {
    access::conduct(*c.breaker);
    wake(c, now_ + conduct_every);
  }
  if (g.word.state() == state::forced_open || g.word.state() == state::disabled) {
    wake(c, now_ + options_.exchange_every);
    if (g.facts.until >= 0) wake(c, now_ + nanoseconds(std::max<std::int64_t>(g.facts.until - g.now, 1)));
  }
  wake_at_ = std::min(wake_at_, c.wake_at);
}

void agent::step(nanoseconds now, std::vector<request>& out) {
  now_ = std::max(now_, now);
  if (up_) {
    std::uint64_t late = 0;
    for (const auto& [id, about] : waiting_) {
      if (now_ - about.sent < options_.patience) break;  // in the order of sending
      ++late;
    }
    if (late > 0) {
      figures_.timeouts += late;
      link_down(now_, "no answer of the store within " + format_duration(options_.patience));
    }
  }
  nanoseconds soonest = nanoseconds::max();
  for (const auto& owned : circuits_) {
    member_circuit& c = *owned;
    if (access::word(*c.breaker).generation() != c.seen || now_ >= c.wake_at) look_at(c);
    soonest = std::min(soonest, c.wake_at);
  }
  wake_at_ = soonest;
  if (up_ && syncing_ == 0 && restoring_ == 0 && now_ >= sync_at_) ask_sync();
  flush(out);
}

void agent::flush(std::vector<request>& out) {
  figures_.requests += outbox_.size();
  out.insert(out.end(), std::make_move_iterator(outbox_.begin()), std::make_move_iterator(outbox_.end()));
  outbox_.clear();
}

auto agent::next(nanoseconds now) const -> nanoseconds {
  if (!outbox_.empty()) return nanoseconds(0);
  nanoseconds at = std::min(wake_at_, now + std::min(options_.exchange_every, look_every));
  if (up_ && syncing_ == 0 && restoring_ == 0) at = std::min(at, sync_at_);
  if (!waiting_.empty()) at = std::min(at, waiting_.begin()->second.sent + options_.patience);
  return std::max(at - now, nanoseconds(0));
}

void agent::leave(nanoseconds now, std::vector<request>& out) {
  now_ = std::max(now_, now);
  if (up_) {
    for (const auto& c : circuits_) {
      withdraw(*c, machine::gate_word::phase::off);
      settle_lease(*c);
    }
    send({.what = asks::leave}, "leave", {});
    flush(out);
  }
  go_alone();
}

}  // namespace switchgear::inline v1::fleet
