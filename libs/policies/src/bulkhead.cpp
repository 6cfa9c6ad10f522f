// SPDX-License-Identifier: Apache-2.0
#include <switchgear/bulkhead.hpp>
#include <switchgear/detail/counters.hpp>
#include <switchgear/detail/validation.hpp>
#include <switchgear/detail/waiting.hpp>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <mutex>
#include <optional>

namespace switchgear::inline v1 {
namespace {

using std::chrono::nanoseconds;

enum counter : std::size_t { entered, after_waiting, rejected, timed_out, cancelled, counter_count };

/// The word: places in use in the lower half, calls in the queue in the upper.
constexpr std::uint64_t one_place = 1;
constexpr std::uint64_t one_waiter = std::uint64_t{1} << 32;
constexpr std::int64_t in_use_of(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word); }
constexpr std::int64_t waiting_of(std::uint64_t word) noexcept { return static_cast<std::int64_t>(word >> 32); }

}  // namespace

/// Invariants: the upper half of the word changes only under the mutex; while it is not 0 the lower half is the limit, and
/// nothing changes the word without the mutex (a place that is given back goes to the head of the queue, and newcomers queue).
struct bulkhead::state : detail::policy_state {
  state(bulkhead_options o, clock& c) : policy_state("bulkhead", o.name), options(std::move(o)), source(c) {}
  ~state() { assert(word.load() == 0 && "a place or a waiter of this bulkhead outlived it"); }

  /// Takes a place if one is free and nobody waits.
  bool take() noexcept {
    // The first load is only a guess that the compare-and-swap checks. That one acquires: it reads what the release of leave()
    // wrote (or a later step of the same chain), so the call that had the place before happens before this one.
    std::uint64_t seen = word.load(std::memory_order_relaxed);
    while (waiting_of(seen) == 0 && in_use_of(seen) < options.max_concurrent) {
      if (word.compare_exchange_weak(seen, seen + one_place, std::memory_order_acquire, std::memory_order_relaxed)) {
        note_most(in_use_of(seen) + 1);
        return true;
      }
    }
    return false;
  }

  /// Relaxed: a number for display.
  void note_most(std::int64_t now) noexcept {
    std::int64_t most = most_in_use.load(std::memory_order_relaxed);
    while (most < now && !most_in_use.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
    }
  }

  // Under the mutex, as is everything that follows.
  void push(waiter& w) noexcept {
    w.previous_ = last;
    w.next_ = nullptr;
    (last != nullptr ? last->next_ : first) = &w;
    last = &w;
    w.queued_ = true;
  }
  void remove(waiter& w) noexcept {
    (w.previous_ != nullptr ? w.previous_->next_ : first) = w.next_;
    (w.next_ != nullptr ? w.next_->previous_ : last) = w.previous_;
    w.next_ = w.previous_ = nullptr;
    w.queued_ = false;
  }

  void tell_rejected(policy_event_kind what, const char* reason, const call_context& context) const noexcept {
    if (!is_observed()) return;
    try {
      tell({.kind = what,
            .reason = reason,
            .delay = what == policy_event_kind::timed_out ? std::optional(options.max_wait) : std::nullopt,
            .correlation_id = std::string(context.correlation_id)});
    } catch (...) {
      // No memory for the texts of an event: the rejection stands without it.
    }
  }

  const bulkhead_options options;
  clock& source;
  detail::counters<counter_count> counts;
  alignas(64) std::atomic<std::uint64_t> word{0};
  alignas(64) std::atomic<std::int64_t> most_in_use{0};
  std::mutex mutex;
  waiter* first = nullptr;
  waiter* last = nullptr;
};

std::vector<problem> bulkhead_options::validate() const {
  detail::validation v;
  v.name(name);
  v.in_range("max_concurrent", max_concurrent, 1, 100'000);
  v.in_range("max_queue", max_queue, 0, 1'000'000);
  v.in_range("max_wait", max_wait, nanoseconds(0), detail::a_day);
  v.expect(max_wait.count() == 0 || max_queue != 0, "max_wait", format_duration(max_wait), "0 without max_queue",
           "needs a queue to wait in");
  return v.take();
}

bulkhead_full_error::bulkhead_full_error(const std::string& name, std::int64_t limit, bool waited)
    : rejected_error("bulkhead " + name + " is full: " + std::to_string(limit) + (limit == 1 ? " call" : " calls") +
                     " at a time" + (waited ? ", and no place became free in time" : "")),
      name_(name),
      limit_(limit),
      waited_(waited) {}

bulkhead::bulkhead(bulkhead_options options, clock& source) {
  detail::require_no(options.validate());
  state_ = std::make_shared<state>(std::move(options), source);
}

const std::string& bulkhead::name() const noexcept { return state_->name(); }
const bulkhead_options& bulkhead::options() const noexcept { return state_->options; }
clock& bulkhead::time_source() const noexcept { return state_->source; }
subscription bulkhead::observe(std::function<void(const policy_event&)> handler) const {
  return state_->observe(std::move(handler));
}

bulkhead_metrics bulkhead::metrics() const {
  const std::uint64_t word = state_->word.load();
  const auto count = [this](counter c) { return state_->counts.sum(c); };
  return {count(entered),   count(after_waiting), count(rejected),  count(timed_out),
          count(cancelled), in_use_of(word),      waiting_of(word), state_->most_in_use.load()};
}

std::string bulkhead::describe() const {
  const bulkhead_options& o = state_->options;
  std::string text = "bulkhead(" + std::to_string(o.max_concurrent) + " at a time";
  if (o.max_queue > 0) text += ", queue " + std::to_string(o.max_queue);
  if (o.max_wait.count() > 0) text += ", waits up to " + format_duration(o.max_wait);
  return text + ")";
}

bulkhead::slot bulkhead::try_enter(const call_context& context) const noexcept {
  if (state_->take()) {
    state_->counts.add(entered);
    return slot(*state_);
  }
  state_->counts.add(rejected);
  state_->tell_rejected(policy_event_kind::rejected, "no free place", context);
  return {};
}

bulkhead::entry bulkhead::enter(waiter& w, const call_context& context) const noexcept {
  state& s = *state_;
  if (s.take()) {
    s.counts.add(entered);
    return {outcome::granted, slot(s)};
  }
  if (s.options.max_queue > 0) {
    const std::lock_guard lock(s.mutex);
    assert(!w.queued_ && "this waiter is in the queue already");
    std::uint64_t seen = s.word.load(std::memory_order_relaxed);
    // Until somebody waits, places still come and go without the mutex.
    for (;;) {
      if (waiting_of(seen) == 0 && in_use_of(seen) < s.options.max_concurrent) {
        if (s.take()) {
          s.counts.add(entered);
          return {outcome::granted, slot(s)};
        }
        seen = s.word.load(std::memory_order_relaxed);
      } else if (waiting_of(seen) >= s.options.max_queue) {
        break;
      } else if (s.word.compare_exchange_weak(seen, seen + one_waiter, std::memory_order_relaxed)) {
        // Relaxed: whoever sees this waiter takes the mutex before looking at the queue.
        s.push(w);
        return {outcome::queued, {}};
      }
    }
  }
  s.counts.add(rejected);
  s.tell_rejected(policy_event_kind::rejected, s.options.max_queue > 0 ? "no free place, and the queue is full" : "no free place",
                  context);
  return {};
}

bool bulkhead::withdraw(waiter& w, withdrawal why, const call_context& context) const noexcept {
  state& s = *state_;
  {
    const std::lock_guard lock(s.mutex);
    if (!w.queued_) return false;
    s.remove(w);
    // Relaxed, as in enter(): this says nothing about any place.
    s.word.fetch_sub(one_waiter, std::memory_order_relaxed);
  }
  if (why == withdrawal::timed_out) {
    s.counts.add(timed_out);
    s.tell_rejected(policy_event_kind::timed_out, "no place became free in time", context);
  } else {
    s.counts.add(cancelled);
  }
  return true;
}

void bulkhead::leave(state& s) noexcept {
  // Release: pairs with the acquire in take(), see there. A place that goes to a waiter is handed over in person.
  std::uint64_t seen = s.word.load(std::memory_order_relaxed);
  while (waiting_of(seen) == 0) {
    if (s.word.compare_exchange_weak(seen, seen - one_place, std::memory_order_release, std::memory_order_relaxed)) return;
  }
  waiter* next = nullptr;
  {
    const std::lock_guard lock(s.mutex);
    seen = s.word.load(std::memory_order_relaxed);
    for (;;) {
      if (waiting_of(seen) != 0) {
        next = s.first;
        s.remove(*next);
        // The place stays in use. Nobody else changes the word now: somebody waits, and we have the mutex.
        s.word.fetch_sub(one_waiter, std::memory_order_relaxed);
        break;
      }
      // The last waiter has gone meanwhile.
      if (s.word.compare_exchange_weak(seen, seen - one_place, std::memory_order_release, std::memory_order_relaxed)) return;
    }
  }
  s.counts.add(entered);
  s.counts.add(after_waiting);
  next->granted(slot(s));
}

bulkhead_full_error bulkhead::full_error(bool waited) const { return {name(), options().max_concurrent, waited}; }
cancelled_error bulkhead::stop_error() const { return cancelled_error(name() + ": cancelled while waiting for a place"); }

/// A thread in the queue. Keeps itself alive while it is there: the thread that grants the place may still be in granted()
/// when the one that waited has gone on.
struct bulkhead::blocked_call final : waiter {
  explicit blocked_call(clock& source) : room(source) {}

  void granted(slot s) noexcept override {
    const std::shared_ptr<blocked_call> keep = std::move(self);
    place = std::move(s);
    // Release: pairs with the acquire in take(), so that `place` is seen there.
    arrived.store(true, std::memory_order_release);
    arrived.notify_one();
    room.wake();
  }

  slot take() {
    arrived.wait(false, std::memory_order_acquire);
    return std::move(place);
  }

  detail::waiting_room room;
  std::shared_ptr<blocked_call> self;
  slot place;
  std::atomic<bool> arrived{false};
};

bulkhead::slot bulkhead::wait_for_place(const execution& e) const {
  if (state_->take()) [[likely]] {
    state_->counts.add(entered);
    return slot(*state_);
  }
  return queue_for_place(e);
}

bulkhead::slot bulkhead::queue_for_place(const execution& e) const {
  const bulkhead_options& o = options();
  if (o.max_queue > 0 && e.stop.stop_requested()) {
    state_->counts.add(cancelled);
    throw stop_error();
  }
  const auto call = std::make_shared<blocked_call>(state_->source);
  call->self = call;
  entry got = enter(*call, e.context);
  if (got.is != outcome::queued) {
    call->self.reset();
    if (got.is == outcome::full) throw full_error(false);
    return std::move(got.place);
  }

  using reason = detail::waiting_room::reason;
  reason why = reason::stopped;
  try {
    std::optional<nanoseconds> deadline;
    if (o.max_wait.count() > 0) deadline = detail::later(state_->source.now(), o.max_wait);
    why = call->room.wait(deadline, e.stop);
  } catch (...) {
    // No memory to wait with: out of the queue, or out of the place.
    if (withdraw(*call, withdrawal::cancelled, e.context)) {
      call->self.reset();
    } else {
      (void)call->take();
    }
    throw;
  }
  if (why == reason::woken) return call->take();
  if (withdraw(*call, why == reason::deadline ? withdrawal::timed_out : withdrawal::cancelled, e.context)) {
    call->self.reset();
    if (why == reason::deadline) throw full_error(true);
    throw stop_error();
  }
  // The place came at the same moment. In time for a call that only ran out of patience; one that was stopped gives it back.
  slot place = call->take();
  if (why == reason::deadline) return place;
  throw stop_error();
}

}  // namespace switchgear::inline v1
