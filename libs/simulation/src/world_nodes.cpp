// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/breaker_access.hpp>

#include <algorithm>
#include <cmath>

#include "purposes.hpp"
#include "world.hpp"

namespace switchgear::inline v1::simulation {
namespace {

using access = detail::breaker_access;
using phase = machine::gate_word::phase;

constexpr std::int64_t second = 1'000'000'000;

}  // namespace

node& world::make_node() {
  const auto number = static_cast<std::uint32_t>(nodes_.size());
  random_stream luck(settings_.seed, purpose::node, number);
  const auto rate = static_cast<std::int64_t>((2 * luck.share() - 1) * settings_.network.drift * 1e6);
  const std::int64_t offset = luck.between(0, 1'000 * second);
  nodes_.push_back(std::make_unique<node>(now_, offset, rate));
  node& n = *nodes_.back();
  n.number = number;
  n.name = "i" + std::to_string(number + 1);
  n.luck = luck;
  n.calls = random_stream(settings_.seed, purpose::calls, number);
  config c = settings_.circuit;
  const double stretch = 1 + c.jitter * n.luck.share();
  c.jitter = 0;
  c.open_duration = std::chrono::nanoseconds(std::llround(static_cast<double>(c.open_duration.count()) * stretch));
  if (c.max_open_duration) c.max_open_duration = std::max(*c.max_open_duration, c.open_duration);
  n.breaker = std::make_unique<circuit_breaker>("upstream", c, n.clock);
  if (settings_.sharing) {
    fleet::options o = settings_.fleet;
    o.instance = n.name;
    n.agent = std::make_unique<fleet::agent>(o, n.name, random_stream(settings_.seed, purpose::ids, number).next());
    n.agent->add(*n.breaker);
    // Now, so that the parts of its window begin at the same times.
    n.twin = std::make_unique<circuit_breaker>("twin", c, n.clock);
  }
  return n;
}

void world::start(node& n) {
  count_lives();
  n.present = true;
  ++present_;
  n.clear_since = now_;
  n.epoch = 0;
  checker_.note(n.name, "starts");
  const auto mean = 1e9 / settings_.calls_per_second;
  queue_.put(now_ + n.calls.exponential_nanos(mean), happening::call, n.number);
  if (settings_.network.drift > 0) queue_.put(now_ + n.luck.exponential_nanos(60e9), happening::drift, n.number);
  if (!n.agent) return;
  // Not all in the same moment.
  const std::int64_t first = now_ + n.luck.between(0, std::min<std::int64_t>(second, settings_.fleet.exchange_every.count()));
  n.clear_since = first;
  n.link.number = 1;
  n.link.is = connection::state::connecting;
  queue_.put(first, happening::connect, n.number, 1);
  wake_at(n, first);
  n.wanted_at = first;
  note_reach(n);
  wait_for_healing(n);
}

void world::stop(node& n, bool farewell) {
  checker_.note(n.name, farewell ? "leaves" : "crashes");
  if (n.agent) {
    if (farewell && n.link.is == connection::state::up) {
      out_.clear();
      n.agent->leave(n.clock.now(), out_);
      for (auto& r : std::exchange(out_, {})) send(n, std::move(r));
    }
    add(n.agent->figures());
    n.agent.reset();
  }
  count_lives();
  n.present = false;
  n.link.is = connection::state::none;
  ++n.link.number;
  --present_;
  if (n.not_closed) figures_.one_opened(false);
  n.not_closed = false;
}

void world::step(node& n) {
  n.clock.run_due();
  out_.clear();
  n.agent->step(n.clock.now(), out_);
  for (auto& r : std::exchange(out_, {})) send(n, std::move(r));
  if (!n.agent->is_up() && n.link.is == connection::state::up) lose(n, {});
  // The agent asks to be woken every few milliseconds only to see whether its circuit has changed. Nothing comes of it as long as
  // it has not: the world, which knows, wakes it for the first of these looks that finds something, and for what is due.
  n.stepped_at = n.clock.now().count();
  n.generation = access::word(*n.breaker).generation();
  std::int64_t due = n.stepped_at;
  n.looks_every = n.agent->next(std::chrono::nanoseconds(due)).count();
  for (std::int64_t wait = n.looks_every; wait > 0 && due - n.stepped_at < 2 * second;) {
    due += wait;
    wait = n.agent->next(std::chrono::nanoseconds(due)).count();
  }
  n.wanted_at = std::max(now_ + 1'000, n.clock.when(due));
  wake_at(n, n.wanted_at);
}

void world::wake_at(node& n, std::int64_t when) {
  if (n.wake_at >= 0 && n.wake_at <= when) return;
  n.wake_at = when;
  queue_.put(when, happening::wake, n.number);
}

void world::looked_after(node& n) {
  if (n.agent && access::word(*n.breaker).generation() != n.generation && n.looks_every > 0) {
    const std::int64_t looks = (n.clock.now().count() - n.stepped_at) / n.looks_every + 1;
    n.wanted_at = std::min(n.wanted_at, std::max(now_ + 1'000, n.clock.when(n.stepped_at + looks * n.looks_every)));
    wake_at(n, n.wanted_at);
  }
  const bool open = access::word(*n.breaker).state() != state::closed;
  if (open != n.not_closed) {
    n.not_closed = open;
    figures_.one_opened(open);
    checker_.note(n.name, open ? "is not closed" : "is closed");
  }
  if (open && !n.knew && figures_.detecting()) {
    n.knew = true;
    figures_.one_knows(now_, present_);
  }
  checker_.look(n);
}

std::vector<node*> world::some(double share) {
  std::vector<node*> all;
  for (const auto& n : nodes_) {
    if (n->present) all.push_back(n.get());
  }
  const auto part = static_cast<std::size_t>(share * static_cast<double>(all.size()));
  const auto count = std::min(all.size(), std::max<std::size_t>(1, part));
  for (std::size_t i = 0; i < count; ++i) std::swap(all[i], all[i + luck_.below(all.size() - i)]);
  all.resize(count);
  return all;
}

node* world::operators_seat() {
  const auto all = some(0);
  return all.empty() ? nullptr : all.front();
}

// --- calls ---

void world::call(node& n) {
  const auto mean = 1e9 / settings_.calls_per_second;
  queue_.put(now_ + std::max<std::int64_t>(1, n.calls.exponential_nanos(mean)), happening::call, n.number);
  const machine::gate_word before = access::look(*n.breaker).gate;
  if (n.agent && !n.agent->is_up()) watch_twin(n);
  if (n.agent && n.agent->is_up()) n.compares = false;

  call_in_flight c;
  c.who = n.number;
  c.right = n.breaker->try_acquire();
  const bool admitted = static_cast<bool>(c.right);
  figures_.asked(admitted);
  if (n.compares) compare_with_twin(n, c, admitted);
  if (!admitted) return;

  if (access::word(*n.breaker).state() == state::half_open) {
    c.probe = true;
    const auto seen = access::look(*n.breaker);
    checker_.note(n.name, seen.gate.is() == phase::taken ? "probes under a lease" : "probes alone");
    if (seen.gate.is() == phase::taken) {
      checker_.probe_has_right(n, before.is() == phase::offered);
      c.leased = checker_.probe_leaves(n, n.clock.now().count() + seen.gate.until() - seen.now);
    } else if (n.agent && n.agent->link_state() == fleet::link::shared) {
      const fleet::record* const known = n.agent->known("upstream");
      checker_.probe_has_right(n, known == nullptr || known->state != fleet::fleet_state::open ||
                                      settings_.fleet.opening == fleet::sharing::local);
    }
  }
  const bool trouble = figures_.in_trouble();
  const upstream::answer a = upstream_.call(now_);
  figures_.reached(a, trouble, c.probe);
  c.good = a.good;
  std::uint32_t at = 0;
  if (free_calls_.empty()) {
    at = static_cast<std::uint32_t>(calls_.size());
    calls_.push_back(std::move(c));
  } else {
    at = free_calls_.back();
    free_calls_.pop_back();
    calls_[at] = std::move(c);
  }
  ++n.out;
  queue_.put(now_ + std::max<std::int64_t>(1, a.takes), happening::call_ends, n.number, at);
}

void world::call_ends(node& n, std::uint32_t which) {
  call_in_flight c = std::move(calls_[which]);
  free_calls_.push_back(which);
  --n.out;
  if (c.probe) figures_.probe_ended();
  if (c.leased != 0) checker_.probe_ended(c.leased);
  // Of a process that has gone nobody learns how it ended.
  const verdict v = !n.present ? verdict::abandoned : c.good ? verdict::success : verdict::failure;
  if (c.probe && n.present) checker_.note(n.name, c.good ? "the probe succeeded" : "the probe failed");
  c.right.settle(v, c.good ? "" : "no answer");
  c.twin.settle(v, c.good ? "" : "no answer");
}

void world::watch_twin(node& n) {
  if (n.compares || n.out > 0) return;
  const auto seen = access::look(*n.breaker);
  const bool ramping = seen.word.state() == state::closed && seen.word.cause() == machine::cause::ramping;
  if (!seen.gate.off() || ramping || seen.word.state() == state::forced_open || seen.word.state() == state::disabled) return;
  n.compares = n.twin->restore(n.breaker->save(), std::chrono::nanoseconds(0)).empty();
}

void world::compare_with_twin(node& n, call_in_flight& c, bool admitted) {
  c.twin = n.twin->try_acquire();
  checker_.compare(n, admitted, static_cast<bool>(c.twin));
}

}  // namespace switchgear::inline v1::simulation
