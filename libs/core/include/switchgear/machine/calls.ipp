// SPDX-License-Identifier: Apache-2.0
// Part of machine.hpp: what one call does to a block.
#pragma once

namespace switchgear::inline v1::machine {

// --- probe slots ---

template <template <class> class Atomic>
probe_slot<Atomic>& basic_machine<Atomic>::slot_at(std::uint32_t index) const noexcept {
  const slot_segment<Atomic>* segment = slots_;
  while (index >= segment->count) {
    index -= segment->count;
    segment = segment->next.load(std::memory_order_acquire);
  }
  return segment->slots[index];
}

/// When the lease of a taken slot ends. A lease that its taker has not written yet is written for him, so that a taker who
/// went away cannot hold the slot for ever.
template <template <class> class Atomic>
nanos basic_machine<Atomic>::lease_of(probe_slot<Atomic>& slot, slot_tag tag, nanos now) noexcept {
  std::uint64_t seen = slot.lease.load();
  if ((seen & 15) == (tag.ticket() & 15)) return static_cast<nanos>(seen >> 4);
  // Only while the tag stands is the lease one that was not written yet; otherwise it is that of the next ticket.
  if (slot.tag.load() != tag.bits) return latest;
  const nanos end = settings_.probe_timeout == 0 ? latest : later(now, settings_.probe_timeout);
  if (slot.lease.compare_exchange_strong(seen, static_cast<std::uint64_t>(end) << 4 | (tag.ticket() & 15))) return end;
  return static_cast<nanos>(seen >> 4);
}

template <template <class> class Atomic>
auto basic_machine<Atomic>::claim_slot(std::uint64_t generation, nanos now, grant& out, bool& expired) noexcept -> claim {
  const std::uint32_t limit = settings_.half_open_max_calls;
  for (;;) {
    std::uint32_t taken = 0, index = 0;
    std::uint32_t best_index = 0;
    probe_slot<Atomic>* best = nullptr;
    slot_tag best_tag;
    nanos best_lease = latest;
    bool best_is_vacant = false;
    for (const auto* segment = slots_; segment != nullptr;
         segment = segment->next.load(std::memory_order_acquire)) {
      for (std::uint32_t i = 0; i < segment->count; ++i, ++index) {
        auto& slot = segment->slots[i];
        const slot_tag tag{slot.tag.load()};
        // A slot of a later generation: this thread is late, and must not take it from a probe that holds it. The caller
        // finds out that the word has moved on.
        if (const std::uint64_t ahead = (tag.generation() - generation) & state_word::generation_mask;
            ahead != 0 && ahead < std::uint64_t{1} << 37) {
          return claim::full;
        }
        const bool vacant = tag.generation() != generation || tag.held() == occupancy::vacant;
        const nanos lease = vacant ? 0 : lease_of(slot, tag, now);
        if (!vacant && lease > now) {
          ++taken;
        } else if (index < limit && !best_is_vacant && (vacant || best == nullptr || lease < best_lease)) {
          best = &slot;
          best_index = index;
          best_tag = tag;
          best_lease = lease;
          best_is_vacant = vacant;
        }
      }
    }
    if (best == nullptr || taken >= limit) return claim::full;

    // The low bits of the new ticket have to differ from those of the lease that still stands there.
    std::uint64_t ticket = best_tag.ticket() + 1;
    const std::uint64_t lease = best->lease.load();
    if ((lease & 15) == (ticket & 15)) ++ticket;
    const slot_tag mine = slot_tag::make(generation, ticket, occupancy::held);
    std::uint64_t expected = best_tag.bits;
    if (!best->tag.compare_exchange_strong(expected, mine.bits)) continue;
    if (!best_is_vacant && best_tag.held() == occupancy::held) {
      expired = true;
      bump(header_.expired_probes);
    }
    out.is = grant::kind::probe;
    out.slot = best_index;
    out.ticket = static_cast<std::uint32_t>(mine.ticket());
    out.generation = generation;
    out.start = now;
    out.lease_end = lease_of(*best, mine, now);
    return claim::taken;
  }
}

template <template <class> class Atomic>
void basic_machine<Atomic>::release_slot(const grant& permit) noexcept {
  std::uint64_t expected = slot_tag::make(permit.generation, permit.ticket, occupancy::held).bits;
  slot_at(permit.slot).tag.compare_exchange_strong(
      expected, slot_tag::make(permit.generation, permit.ticket, occupancy::vacant).bits);
}

template <template <class> class Atomic>
std::uint32_t basic_machine<Atomic>::probes_in_flight(std::uint64_t generation, nanos now) const noexcept {
  std::uint32_t sum = 0;
  for (const auto* segment = slots_; segment != nullptr;
         segment = segment->next.load(std::memory_order_acquire)) {
    for (std::uint32_t i = 0; i < segment->count; ++i) {
      const slot_tag tag{segment->slots[i].tag.load()};
      if (tag.generation() != generation || tag.held() == occupancy::vacant) continue;
      const std::uint64_t lease = segment->slots[i].lease.load();
      if ((lease & 15) != (tag.ticket() & 15) || static_cast<nanos>(lease >> 4) > now) ++sum;
    }
  }
  return sum;
}

// --- acquire ---

template <template <class> class Atomic>
void basic_machine<Atomic>::refuse(acquired& out, rejection_reason reason, nanos retry_after, nanos now,
                                   lane_choice by) noexcept {
  out.rejection.reason = reason;
  out.rejection.retry_after = retry_after;
  out.rejection.failure_count = static_cast<std::uint32_t>(header_.attempts.load() >> 36);
  if (settings_.shadow) {
    bump(header_.would_reject);
    out.permit = {.is = grant::kind::shadow, .start = now};
    return;
  }
  bump(lanes_[by.lane].rejections, lanes_[by.lane].shared_rejections, by);
  out.permit = {};
}

template <template <class> class Atomic>
acquired basic_machine<Atomic>::acquire(nanos now, lane_choice by) noexcept {
  acquired out;
  if (!settings_.enabled) {
    out.permit.is = grant::kind::pass_through;
    return out;
  }
  for (;;) {
    const state_word w = now_in();
    switch (w.state()) {
      case state::closed:
        if (w.cause() == cause::ramping && !ramp_admits(now)) {
          refuse(out, rejection_reason::ramp, 0, now, by);
          return out;
        }
        out.permit = {.is = grant::kind::call, .generation = w.generation(), .start = now};
        return out;
      case state::disabled:
      case state::forced_open: {
        const state_word after = settle_due(now, out.changes);
        if (after.bits != w.bits) continue;
        if (w.state() == state::forced_open) {
          refuse(out, rejection_reason::forced_open, -1, now, by);
          return out;
        }
        out.permit = {.is = grant::kind::call, .generation = w.generation(), .start = now};
        return out;
      }
      case state::open: {
        publish(w, now);
        const auto until = static_cast<nanos>(header_.until.load() >> 4);
        if (now_in().bits != w.bits) continue;
        if (now < until || out.changes.count + 1 >= transitions::capacity) {
          refuse(out, rejection_reason::open, until > now ? until - now : 0, now, by);
          return out;
        }
        gate_word offer;
        const pass passed = pass_gate(now, offer);
        if (passed == pass::refused) {
          if (settle_due(now, out.changes).state() != state::half_open) continue;
          refuse(out, rejection_reason::half_open_limit, 0, now, by);
          return out;
        }
        // The slot is taken before the transition, for the generation that it will make, so that whoever makes the
        // transition is a probe and no probe comes on top of the limit.
        const std::uint64_t next = (w.generation() + 1) & state_word::generation_mask;
        if (claim_slot(next, now, out.permit, out.expired_probe) == claim::full) {
          step_back(passed, offer);
          if (const std::uint64_t present = now_in().generation(); present != w.generation() && present != next) continue;
          refuse(out, rejection_reason::half_open_limit, 0, now, by);
          return out;
        }
        move(w, state::half_open, cause::none, trigger::open_duration_passed, now, out.changes);
        const state_word after = now_in();
        out.permit.gated = passed == pass::taken;
        if (after.state() == state::half_open && after.generation() == next) return out;
        step_back(passed, offer);
        continue;
      }
      case state::half_open: {
        gate_word offer;
        const pass passed = pass_gate(now, offer);
        if (passed == pass::refused) {
          if (now_in().generation() != w.generation()) continue;
          refuse(out, rejection_reason::half_open_limit, 0, now, by);
          return out;
        }
        if (claim_slot(w.generation(), now, out.permit, out.expired_probe) == claim::full) {
          step_back(passed, offer);
          if (now_in().generation() != w.generation()) continue;
          refuse(out, rejection_reason::half_open_limit, 0, now, by);
          return out;
        }
        out.permit.gated = passed == pass::taken;
        const state_word after = now_in();
        if (after.state() == state::half_open && after.generation() == w.generation()) return out;
        release_slot(out.permit);
        step_back(passed, offer);
        continue;
      }
    }
  }
}

// --- settle ---

template <template <class> class Atomic>
settled basic_machine<Atomic>::settle(const grant& permit, verdict v, nanos now, lane_choice by) noexcept {
  settled out;
  if (permit.is == grant::kind::none || permit.is == grant::kind::pass_through) return out;

  if (v == verdict::ignored || v == verdict::abandoned) {
    bump(v == verdict::ignored ? header_.ignored : header_.abandoned);
    if (permit.is == grant::kind::probe) give_back(permit, out, now);
    return out;
  }

  const bool failed = v != verdict::success;
  if (failed) {
    bump(header_.failures);
    if (v == verdict::timeout) bump(header_.timeouts);
    header_.last_failure_at.store(static_cast<std::uint64_t>(now) + 1, std::memory_order_relaxed);
  } else {
    bump(lanes_[by.lane].successes, lanes_[by.lane].shared_successes, by);
  }
  out.slow = settings_.slow_call_duration > 0 && permit.start >= 0 && now - permit.start >= settings_.slow_call_duration;
  if (out.slow) bump(header_.slow_calls);

  const state_word w = now_in();
  if (permit.is == grant::kind::shadow || w.generation() != permit.generation) {
    out.late = true;
  } else if (w.state() == state::closed) {
    settle_closed(permit, failed, out, now, by);
  } else if (w.state() == state::half_open) {
    settle_probe(permit, failed, out, now);
  }
  if (out.late) bump(header_.late_results);
  return out;
}

template <template <class> class Atomic>
void basic_machine<Atomic>::give_back(const grant& permit, settled& out, nanos now) noexcept {
  if (now_in().generation() != permit.generation) return;
  std::uint64_t expected = slot_tag::make(permit.generation, permit.ticket, occupancy::held).bits;
  const slot_tag vacant = slot_tag::make(permit.generation, permit.ticket, occupancy::vacant);
  if (!slot_at(permit.slot).tag.compare_exchange_strong(expected, vacant.bits)) return;
  if (now < permit.lease_end) {
    tell_gate(permit, gate_word::phase::returned);
  } else {
    out.expired_probe = true;
    bump(header_.expired_probes);
  }
}

template <template <class> class Atomic>
void basic_machine<Atomic>::settle_probe(const grant& permit, bool failed, settled& out, nanos now) noexcept {
  if (now >= permit.lease_end) {
    give_back(permit, out, now);
    out.late = true;
    return;
  }
  // From here to the end the slot stays taken, so that no probe is admitted on top of one whose verdict is not applied yet.
  auto& tag = slot_at(permit.slot).tag;
  const slot_tag settling = slot_tag::make(permit.generation, permit.ticket, occupancy::settling);
  std::uint64_t expected = slot_tag::make(permit.generation, permit.ticket, occupancy::held).bits;
  if (!tag.compare_exchange_strong(expected, settling.bits)) {
    out.late = true;  // the lease ended by somebody else's clock, and the slot is his
    return;
  }
  for (;;) {
    const state_word w = now_in();
    if (w.generation() != permit.generation) {
      out.late = true;
      return;
    }
    if (failed || out.slow) {
      const trigger why = failed ? trigger::probe_failed : trigger::slow_probe;
      if (move(w, state::open, cause::probe_failed, why, now, out.changes)) {
        tell_gate(permit, gate_word::phase::failed);
        return;
      }
    } else if (!is_conducted(gate(), now) && w.count() + 1 >= settings_.success_threshold) {
      if (move(w, state::closed, cause::recovered, trigger::probes_succeeded, now, out.changes, {},
               {.observed = w.count() + 1, .limit = settings_.success_threshold})) {
        return;
      }
    } else {
      std::uint64_t seen = w.bits;
      if (header_.word.compare_exchange_strong(seen, w.with_count(w.count() + 1).bits)) break;
    }
  }
  expected = settling.bits;
  tag.compare_exchange_strong(expected, slot_tag::make(permit.generation, permit.ticket, occupancy::vacant).bits);
  tell_gate(permit, gate_word::phase::succeeded);
}

template <template <class> class Atomic>
window_totals basic_machine<Atomic>::window(std::uint64_t generation, nanos now) const noexcept {
  return settings_.timed_window ? timed().totals(generation, now) : counted().totals(generation);
}

template <template <class> class Atomic>
auto basic_machine<Atomic>::judge(std::uint64_t generation, std::uint64_t consecutive, nanos now) const noexcept
    -> judgement {
  const settings& s = settings_;
  if (s.failure_threshold > 0 && consecutive >= s.failure_threshold) {
    return {true, trigger::consecutive_failures, static_cast<std::uint32_t>(consecutive),
            {.observed = consecutive, .limit = s.failure_threshold}};
  }
  if (s.failure_rate == 0 && s.failure_count == 0 && s.slow_call_duration == 0) return {};
  return judge(window(generation, now));
}

template <template <class> class Atomic>
auto basic_machine<Atomic>::judge(const window_totals& held) const noexcept -> judgement {
  const settings& s = settings_;
  const auto failures = static_cast<std::uint32_t>(held.failures);
  const bool enough = held.calls >= s.minimum_calls;
  const auto reaches = [&held](std::uint64_t part, std::uint64_t rate) { return part * 1'000'000 >= rate * held.calls; };
  if (s.failure_rate > 0 && enough && reaches(held.failures, s.failure_rate)) {
    return {true, trigger::failure_rate, failures, {held.failures, s.failure_rate, held.calls}};
  }
  if (s.failure_count > 0 && held.failures >= s.failure_count) {
    return {true, trigger::failure_count, failures, {held.failures, s.failure_count, held.calls}};
  }
  if (s.slow_call_duration > 0 && enough && reaches(held.slow, s.slow_rate)) {
    return {true, trigger::slow_call_rate, failures, {held.slow, s.slow_rate, held.calls}};
  }
  return {};
}

/// Whether one more quick success would change nothing that a rule looks at. A count window has to be full besides; that it
/// is, its last position tells, so this is asked once a lap.
template <template <class> class Atomic>
bool basic_machine<Atomic>::may_be_clean(std::uint64_t generation, nanos now) const noexcept {
  const window_totals held = window(generation, now);
  return held.failures == 0 && held.slow == 0 && (settings_.timed_window || held.calls == settings_.window_calls);
}

template <template <class> class Atomic>
void basic_machine<Atomic>::withdraw_clean() noexcept {
  std::uint64_t seen = header_.word.load();
  while ((seen & state_word::clean_bit) != 0 &&
         !header_.word.compare_exchange_strong(seen, seen & ~state_word::clean_bit)) {
  }
}

template <template <class> class Atomic>
void basic_machine<Atomic>::settle_closed(const grant& permit, bool failed, settled& out, nanos now,
                                          lane_choice by) noexcept {
  const bool evident = failed || out.slow;
  bool judging = evident;
  bool asks_clean = !evident;
  if (settings_.timed_window) {
    timed().push(header_.word, permit.generation, now, failed, out.slow, by);
    judging = true;
    // The flag goes before the judgement: a success that still finds it does not judge, so what it pushed has to be seen
    // by this one. (A count window is full while the flag stands; a success cannot complete anything there.)
    if (evident) withdraw_clean();
  } else {
    if (!evident && now_in().clean() && now_in().generation() == permit.generation) return;
    const auto pushed = counted().push(permit.generation, failed, out.slow);
    if (pushed.stale) {
      out.late = true;
      return;
    }
    judging = judging || pushed.filling;
    asks_clean = asks_clean && pushed.end_of_lap;
    // A quick success in a full window with no failure before it: it moved the window on, and no rule can have come true.
    if (!judging && !asks_clean && header_.judged.load(std::memory_order_relaxed) == settings_.epoch &&
        now_in().count() == 0 && now_in().generation() == permit.generation) {
      return;
    }
  }
  conclude(permit.generation, {failed, evident, judging, asks_clean}, out, now);
}

template <template <class> class Atomic>
void basic_machine<Atomic>::conclude(std::uint64_t generation, pushed_verdict v, settled& out, nanos now) noexcept {
  if (header_.judged.load(std::memory_order_relaxed) != settings_.epoch) {
    header_.judged.store(settings_.epoch);
    v.judging = true;
  }

  for (;;) {
    const state_word w = now_in();
    if (w.generation() != generation) {
      out.late = true;
      return;
    }
    if (!v.evident && w.clean()) return;  // no failure and no slow call in the window: no rule can fire
    const std::uint64_t consecutive = v.failed ? w.count() + 1 : 0;
    if (v.judging) {
      const judgement j = judge(generation, consecutive, now);
      if (j.fires && now == unknown_time) {
        out.needs_time = true;
        return;
      }
      if (j.fires) {
        if (move(w, state::open, cause::none, j.why, now, out.changes, {.failure_count = j.failure_count}, j.numbers)) {
          return;
        }
        continue;
      }
    }
    state_word next = w.with_count(consecutive);
    // While a share is turned away no call may take the way of the healthy, so the word is not called clean.
    const bool cleans = v.asks_clean && w.cause() != cause::ramping && may_be_clean(generation, now);
    if (cleans) next.bits |= state_word::clean_bit;
    std::uint64_t seen = w.bits;
    if (next.bits == seen) return;
    if (!header_.word.compare_exchange_strong(seen, next.bits)) continue;
    // Between the look at the window and the exchange a failure may have come and a success have wiped its count; its
    // bit is in the window then. Whoever records one after this second look takes the flag away himself.
    if (cleans && (!may_be_clean(generation, now) || header_.epoch.load() != settings_.epoch)) withdraw_clean();
    return;
  }
}

}  // namespace switchgear::inline v1::machine
