// SPDX-License-Identifier: Apache-2.0
// Part of machine.hpp: how a block gets from one generation to the next, and what operators do.
#pragma once

namespace switchgear::inline v1::machine {

template <template <class> class Atomic>
nanos basic_machine<Atomic>::open_period(std::uint32_t attempt, std::uint64_t generation) const noexcept {
  // splitmix64 (Steele, Lea, Flood 2014) of the seed and the generation: the same for everybody who computes it.
  std::uint64_t x = seed_ + generation * 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return machine::open_duration(settings_, attempt, static_cast<std::uint32_t>((x ^ x >> 31) >> 32));
}

template <template <class> class Atomic>
std::uint32_t basic_machine<Atomic>::attempt_after(state_word w, std::uint32_t before, nanos closed_at,
                                                   nanos now) const noexcept {
  const std::uint32_t one_more = before == ~std::uint32_t{0} ? before : before + 1;
  if (w.state() == state::open) {
    if (w.cause() == cause::manual) return 0;
    if (w.cause() == cause::probe_failed) return one_more;
    return closed_at >= 0 && now - closed_at < settings_.open_duration ? one_more : 0;
  }
  return w.state() == state::closed && w.cause() == cause::manual ? 0 : before;
}

template <template <class> class Atomic>
facts basic_machine<Atomic>::read_facts(state_word w) const noexcept {
  const std::uint64_t attempts = header_.attempts.load() >> 4;
  const std::uint64_t until = header_.until.load() >> 4;
  facts out;
  out.attempt = static_cast<std::uint32_t>(attempts);
  out.failure_count = static_cast<std::uint32_t>(attempts >> 32);
  out.closed_at = static_cast<nanos>(header_.closed_at.load() >> 4) - 1;
  out.since = static_cast<nanos>(header_.since.load() >> 4);
  out.until = w.state() == state::open ? static_cast<nanos>(until) : static_cast<nanos>(until) - 1;
  return out;
}

/// The value of a fact of generation `w`, given the value it had in the generation before. Facts are published in the order
/// of their numbers, so while the attempts are being computed closed_at is still that of the generation before.
template <template <class> class Atomic>
std::uint64_t basic_machine<Atomic>::plan(std::uint8_t which, std::uint64_t before, state_word w, nanos now,
                                          const outcome& known) const noexcept {
  switch (which) {
    case fact_attempts: {
      const auto closed_at = static_cast<nanos>(header_.closed_at.load() >> 4) - 1;
      const std::uint64_t attempt =
          known.imposed ? known.attempt : attempt_after(w, static_cast<std::uint32_t>(before), closed_at, now);
      std::uint64_t count = before >> 32;
      if (w.state() == state::closed) count = 0;
      if (w.state() == state::open) count = known.known ? known.failure_count : w.count();
      return attempt | (count < max_failure_count ? count : max_failure_count) << 32;
    }
    case fact_closed_at:
      if (w.state() != state::closed || w.cause() == cause::none) return before;
      return w.cause() == cause::manual ? 0 : static_cast<std::uint64_t>(now) + 1;
    case fact_since:
      return static_cast<std::uint64_t>(now);
    default:
      if (w.state() == state::open) {
        if (known.known) return static_cast<std::uint64_t>(known.until);
        return static_cast<std::uint64_t>(later(now, open_period(read_facts(w).attempt, w.generation())));
      }
      return static_cast<std::uint64_t>(known.until + 1);
  }
}

template <template <class> class Atomic>
void basic_machine<Atomic>::publish(state_word w, nanos now, const outcome& known) noexcept {
  if (is_for(header_.until.load(), w)) return;  // the last of them is there, so all are
  for (std::uint8_t which = 0; which < fact_end; ++which) {
    word_type& fact = fact_word(which);
    // Tried again when it fails: the end of an override may change once more just before it is superseded.
    for (std::uint64_t seen = fact.load(); !is_for(seen, w);) {
      const std::uint64_t value = plan(which, seen >> 4, w, now, known);
      // If the word has moved on, `seen` may belong to a later generation; while it has not, it belongs to the one before.
      if (now_in().generation() != w.generation()) return;
      if (fact.compare_exchange_strong(seen, value << 4 | (w.generation() & 15))) break;
    }
  }
}

template <template <class> class Atomic>
bool basic_machine<Atomic>::move(state_word seen, state to, cause c, trigger why, nanos now, transitions& out,
                                 outcome known, evidence numbers) noexcept {
  publish(seen, now);
  const facts before = read_facts(seen);
  const std::uint64_t generation = (seen.generation() + 1) & state_word::generation_mask;
  if (to == state::open && c == cause::probe_failed) known.failure_count = before.failure_count + 1;
  if (to == state::half_open || to == state::forced_open || to == state::disabled) known.failure_count = before.failure_count;
  const state_word next = state_word::make(to, generation, c, to == state::open ? known.failure_count : 0);
  if (to == state::open && !known.imposed) {
    known.until = later(now, open_period(attempt_after(next, before.attempt, before.closed_at, now), generation));
  }
  known.known = true;
  std::uint64_t expected = seen.bits;
  if (!header_.word.compare_exchange_strong(expected, next.bits)) return false;
  publish(next, now, known);
  if ((to == state::forced_open || to == state::disabled) && known.until >= 0) {
    // Somebody may have finished the transition first, and he cannot know the end: he published that there is none.
    std::uint64_t endless = generation & 15;
    header_.until.compare_exchange_strong(endless, static_cast<std::uint64_t>(known.until + 1) << 4 | (generation & 15));
  }
  if (to != seen.state()) bump(header_.transitions);
  out.add({.from = seen.state(), .to = to, .trigger = why, .generation = generation, .at = now,
           .failure_count = known.failure_count, .observed = numbers.observed, .limit = numbers.limit,
           .calls = numbers.calls, .until = known.until});
  return true;
}

template <template <class> class Atomic>
bool basic_machine<Atomic>::is_due(state_word w, const facts& known, nanos now) const noexcept {
  if (w.state() == state::open) return now >= known.until;
  if (w.state() == state::forced_open || w.state() == state::disabled) return known.until >= 0 && now >= known.until;
  return false;
}

template <template <class> class Atomic>
state_word basic_machine<Atomic>::settle_due(nanos now, transitions& out, std::uint64_t generation) noexcept {
  for (;;) {
    const state_word w = now_in();
    if (generation != any_generation && w.generation() != generation) return w;
    if (out.count + 1 >= transitions::capacity) return w;
    if (w.state() == state::closed || w.state() == state::half_open) return w;
    publish(w, now);
    if (!is_due(w, read_facts(w), now)) {
      if (now_in().bits == w.bits) return w;
      continue;
    }
    const bool opened = w.state() == state::open;
    if (move(w, opened ? state::half_open : state::closed, cause::none,
             opened ? trigger::open_duration_passed : trigger::time_to_live_ended, now, out)) {
      return now_in();
    }
  }
}

template <template <class> class Atomic>
transitions basic_machine<Atomic>::advance(nanos now, std::uint64_t generation) noexcept {
  transitions out;
  if (settings_.enabled) settle_due(now, out, generation);
  return out;
}

template <template <class> class Atomic>
transitions basic_machine<Atomic>::trip(nanos now) noexcept {
  transitions out;
  while (settings_.enabled) {
    const state_word w = settle_due(now, out);
    if (w.state() != state::closed && w.state() != state::half_open) break;
    if (move(w, state::open, cause::manual, trigger::tripped, now, out)) break;
  }
  return out;
}

template <template <class> class Atomic>
transitions basic_machine<Atomic>::override_with(state forced_or_disabled, nanos end, nanos now, bool& renewed,
                                                 std::uint64_t* generation) noexcept {
  transitions out;
  renewed = false;
  while (settings_.enabled) {
    const state_word w = settle_due(now, out);
    if (w.state() != forced_or_disabled) {
      const trigger why = forced_or_disabled == state::disabled ? trigger::disabled : trigger::forced_open;
      if (move(w, forced_or_disabled, cause::none, why, now, out, {.until = end})) {
        if (generation != nullptr) *generation = out.items[out.count - 1].generation;
        break;
      }
      continue;
    }
    publish(w, now);
    std::uint64_t seen = header_.until.load();
    if (!is_for(seen, w) || now_in().bits != w.bits) continue;
    if (header_.until.compare_exchange_strong(seen, static_cast<std::uint64_t>(end + 1) << 4 | (w.generation() & 15))) {
      renewed = true;
      if (generation != nullptr) *generation = w.generation();
      break;
    }
  }
  return out;
}

template <template <class> class Atomic>
transitions basic_machine<Atomic>::release(nanos now) noexcept {
  transitions out;
  while (settings_.enabled) {
    const state_word w = settle_due(now, out);
    if (w.state() != state::forced_open && w.state() != state::disabled) break;
    if (move(w, state::closed, cause::none, trigger::released, now, out)) break;
  }
  return out;
}

template <template <class> class Atomic>
transitions basic_machine<Atomic>::reset(nanos now) noexcept {
  transitions out;
  while (settings_.enabled) {
    if (move(settle_due(now, out), state::closed, cause::manual, trigger::reset, now, out)) break;
  }
  return out;
}

template <template <class> class Atomic>
void basic_machine<Atomic>::reset_metrics() noexcept {
  // The lanes belong to their threads; what they hold is taken off instead. Of several resets at once the last look counts.
  std::uint64_t successes = 0, rejections = 0;
  for (std::uint32_t i = 0; i < lane_count_; ++i) {
    successes += lanes_[i].successes.load() + lanes_[i].shared_successes.load();
    rejections += lanes_[i].rejections.load() + lanes_[i].shared_rejections.load();
  }
  const auto raise = [](word_type& before, std::uint64_t to) {
    std::uint64_t seen = before.load();
    // The difference, because a restored block begins below 0, modulo 2^64.
    while (static_cast<std::int64_t>(to - seen) > 0 && !before.compare_exchange_strong(seen, to)) {
    }
  };
  raise(header_.successes_before, successes);
  raise(header_.rejections_before, rejections);
  for (word_type* counter : {&header_.failures, &header_.timeouts, &header_.ignored, &header_.abandoned,
                             &header_.slow_calls, &header_.would_reject, &header_.late_results,
                             &header_.expired_probes, &header_.transitions}) {
    counter->exchange(0);
  }
}

template <template <class> class Atomic>
void basic_machine<Atomic>::reconfigured() noexcept {
  header_.epoch.store(settings_.epoch);
  withdraw_clean();
}

template <template <class> class Atomic>
totals basic_machine<Atomic>::metrics() const noexcept {
  totals out;
  // Before the lanes: what a reset took off is then in the sums below, and the differences are never negative.
  const std::uint64_t successes_before = header_.successes_before.load();
  const std::uint64_t rejections_before = header_.rejections_before.load();
  for (std::uint32_t i = 0; i < lane_count_; ++i) {
    out.successes += lanes_[i].successes.load() + lanes_[i].shared_successes.load();
    out.rejections += lanes_[i].rejections.load() + lanes_[i].shared_rejections.load();
  }
  out.successes -= successes_before;
  out.rejections -= rejections_before;
  out.failures = header_.failures.load();
  out.timeouts = header_.timeouts.load();
  out.ignored = header_.ignored.load();
  out.abandoned = header_.abandoned.load();
  out.slow_calls = header_.slow_calls.load();
  out.would_reject = header_.would_reject.load();
  out.late_results = header_.late_results.load();
  out.expired_probes = header_.expired_probes.load();
  out.transitions = header_.transitions.load();
  return out;
}

template <template <class> class Atomic>
state basic_machine<Atomic>::observed_state(nanos now) const noexcept {
  if (!settings_.enabled) return state::disabled;
  for (;;) {
    const state_word w = now_in();
    if (w.state() == state::closed || w.state() == state::half_open) return w.state();
    const std::uint64_t until = header_.until.load();
    const facts known = read_facts(w);
    if (now_in().bits != w.bits) continue;
    if (!is_for(until, w) || !is_due(w, known, now)) return w.state();
    return w.state() == state::open ? state::half_open : state::closed;
  }
}

template <template <class> class Atomic>
observation basic_machine<Atomic>::observe(nanos now) const noexcept {
  for (int tries = 0;; ++tries) {
    const state_word w = now_in();
    observation out;
    // Before the facts are read: if they are complete here, those read below are not older.
    const bool published = is_for(header_.until.load(), w);
    out.facts = read_facts(w);
    out.generation = w.generation();
    out.window = window(w.generation(), now);
    if (w.state() == state::closed) out.consecutive_failures = static_cast<std::uint32_t>(w.count());
    if (w.state() == state::half_open) {
      out.half_open_successes = static_cast<std::uint32_t>(w.count());
      out.probes_in_flight = probes_in_flight(w.generation(), now);
    }
    const std::uint64_t last_failure = header_.last_failure_at.load();
    // A snapshot of one generation; after a few transitions in a row the last one is as good as any.
    if (now_in().generation() != w.generation() && tries < 8) continue;

    out.last_failure_at = static_cast<nanos>(last_failure) - 1;
    out.state = w.state();
    if (published && is_due(w, out.facts, now)) out.state = w.state() == state::open ? state::half_open : state::closed;
    if (out.state == state::open) out.retry_after = published ? out.facts.until - now : settings_.open_duration;
    if (w.state() == state::half_open) {
      const gate_word g = gate();
      const bool blocked = is_conducted(g, now) && (g.is() != gate_word::phase::offered || now >= g.until());
      if (blocked || out.probes_in_flight >= settings_.half_open_max_calls) out.retry_after = 0;
    }
    if (settings_.shadow) out.retry_after = -1;
    if (!settings_.enabled) {
      out.state = state::disabled;
      out.retry_after = -1;
    }
    return out;
  }
}

template <template <class> class Atomic>
transition basic_machine<Atomic>::restore(const saved_core& saved, nanos now) noexcept {
  const std::uint64_t generation = (saved.generation + 1) & state_word::generation_mask;
  const std::uint64_t tag = generation & 15;
  const auto put = [tag](word_type& fact, std::uint64_t value) { fact.store(value << 4 | tag); };
  const state from = now_in().state();
  header_.judged.store(~settings_.epoch);  // the rules may hold already: the first verdict judges, whatever it is
  header_.word.store(state_word::make(saved.state, generation, cause::none, saved.count).bits);
  put(header_.attempts, saved.known.attempt | std::uint64_t{saved.known.failure_count} << 32);
  put(header_.closed_at, static_cast<std::uint64_t>(saved.known.closed_at + 1));
  put(header_.since, static_cast<std::uint64_t>(now));
  put(header_.until, static_cast<std::uint64_t>(saved.known.until + (saved.state == state::open ? 0 : 1)));
  return {.from = from, .to = saved.state, .trigger = trigger::restored, .generation = generation, .at = now,
          .failure_count = saved.known.failure_count, .until = saved.known.until};
}

}  // namespace switchgear::inline v1::machine
