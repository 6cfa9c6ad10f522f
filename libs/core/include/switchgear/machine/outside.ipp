// SPDX-License-Identifier: Apache-2.0
// Part of machine.hpp: what is decided outside, by somebody who sees more than this block.
#pragma once

namespace switchgear::inline v1::machine {

// --- the gate and the ramp ---

template <template <class> class Atomic>
auto basic_machine<Atomic>::pass_gate(nanos now, gate_word& was) noexcept -> pass {
  for (;;) {
    was = gate();
    if (!is_conducted(was, now)) return pass::free;
    if (was.is() != gate_word::phase::offered || now >= was.until()) return pass::refused;
    const nanos lease_end = settings_.probe_timeout == 0 ? latest : later(now, settings_.probe_timeout);
    if (set_gate(was, gate_word::make(gate_word::phase::taken, lease_end))) return pass::taken;
  }
}

template <template <class> class Atomic>
void basic_machine<Atomic>::step_back(pass p, gate_word was) noexcept {
  if (p != pass::taken) return;
  if (const gate_word g = gate(); g.is() == gate_word::phase::taken) set_gate(g, was);
}

template <template <class> class Atomic>
void basic_machine<Atomic>::tell_gate(const grant& permit, gate_word::phase end) noexcept {
  if (!permit.gated) return;
  // An earlier probe of the same generation, which the one outside has given up, says nothing of the one that is out now.
  const gate_word g = gate();
  if (g.is() == gate_word::phase::taken && g.until() == permit.lease_end) set_gate(g, gate_word::make(end, g.until()));
}

template <template <class> class Atomic>
bool basic_machine<Atomic>::ramp_admits(nanos now) noexcept {
  if (now >= conducted_until()) return true;
  std::uint64_t seen = header_.ramp.load();
  while (!header_.ramp.compare_exchange_strong(seen, seen + ramp_word::one_call)) {
  }
  return ramp_word{seen}.admits_next();
}

// --- decisions ---

template <template <class> class Atomic>
void basic_machine<Atomic>::conduct(nanos now) noexcept {
  const auto until = static_cast<std::uint64_t>(later(now, conductor_patience));
  std::uint64_t seen = header_.conducted_until.load();
  while (seen < until && !header_.conducted_until.compare_exchange_strong(seen, until)) {
  }
}

template <template <class> class Atomic>
bool basic_machine<Atomic>::impose_open(std::uint64_t generation, const opening& what, nanos now, transitions& out) noexcept {
  while (settings_.enabled) {
    const state_word w = now_in();
    if (w.generation() != generation) return false;
    if (w.state() == state::closed || w.state() == state::half_open) {
      if (move(w, state::open, cause::none, trigger::fleet_opened, now, out,
               {.until = what.until, .failure_count = what.failure_count, .imposed = true, .attempt = what.attempt})) {
        return true;
      }
      continue;  // its count changed
    }
    if (w.state() != state::open) return false;
    publish(w, now);
    const auto put = [&](word_type& fact, std::uint64_t value) {
      std::uint64_t seen = fact.load();
      return is_for(seen, w) && now_in().bits == w.bits && fact.compare_exchange_strong(seen, value << 4 | (generation & 15));
    };
    const std::uint64_t count = what.failure_count < max_failure_count ? what.failure_count : max_failure_count;
    if (put(header_.attempts, what.attempt | count << 32) && put(header_.until, static_cast<std::uint64_t>(what.until))) {
      return true;
    }
  }
  return false;
}

template <template <class> class Atomic>
bool basic_machine<Atomic>::impose_closed(std::uint64_t generation, std::uint32_t share, nanos now, transitions& out) noexcept {
  const bool ramping = share < ramp_word::whole;
  while (settings_.enabled) {
    const state_word w = now_in();
    if (w.generation() != generation || (w.state() != state::open && w.state() != state::half_open)) return false;
    conduct(now);
    header_.ramp.store(share);  // looked at only once the word says so
    if (move(w, state::closed, ramping ? cause::ramping : cause::recovered, trigger::fleet_closed, now, out)) return true;
  }
  return false;
}

template <template <class> class Atomic>
bool basic_machine<Atomic>::set_share(std::uint64_t generation, std::uint32_t share) noexcept {
  for (;;) {
    const state_word w = now_in();
    if (w.generation() != generation || w.state() != state::closed || w.cause() != cause::ramping) return false;
    if (share < ramp_word::whole) {
      header_.ramp.store(share);  // the count begins anew
      return true;
    }
    std::uint64_t seen = w.bits;
    const state_word next = state_word::make(state::closed, generation, cause::recovered, w.count());
    if (header_.word.compare_exchange_strong(seen, next.bits)) return true;
  }
}

template <template <class> class Atomic>
bool basic_machine<Atomic>::would_trip(const window_totals& held, transition& why) const noexcept {
  const judgement j = judge(held);
  why = {.from = state::closed, .to = state::open, .trigger = j.why, .failure_count = j.failure_count,
         .observed = j.numbers.observed, .limit = j.numbers.limit, .calls = j.numbers.calls};
  return j.fires;
}

}  // namespace switchgear::inline v1::machine
