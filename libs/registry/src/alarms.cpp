// SPDX-License-Identifier: Apache-2.0
#include "alarms.hpp"

#include "registered_breaker.hpp"
#include "registry_core.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace switchgear::inline v1::detail {
namespace {

using std::chrono::nanoseconds;

/// How long to wait when a timer came before its time, which a clock of another pace than the breaker's may do; then twice as
/// long each time.
constexpr nanoseconds first_patience = std::chrono::milliseconds(1);
constexpr nanoseconds longest_patience = std::chrono::minutes(10);

/// How long until time ends the state that a transition led to.
std::optional<nanoseconds> time_left(const machine::transition& t) {
  const bool may_end = t.to == state::open || t.to == state::forced_open || t.to == state::disabled;
  if (!may_end || t.until < t.at) return std::nullopt;
  return nanoseconds(t.until - t.at);
}

}  // namespace

void alarms::changed(registered_breaker& body, const machine::transition& change) {
  std::unique_lock lock(mutex_);
  if (closed_ || body.alarm.ended || change.generation < body.alarm.generation) return;  // told later than its successor
  body.alarm.generation = change.generation;
  const std::uint64_t serial = ++body.alarm.serial;
  const bool was_armed = std::exchange(body.alarm.armed, false);
  const clock::timer before = body.alarm.timer;
  lock.unlock();
  if (was_armed) clock_.cancel(before);
  if (const auto left = time_left(change)) set(body, serial, change.generation, *left, first_patience);
}

void alarms::set(registered_breaker& body, std::uint64_t serial, std::uint64_t generation, nanoseconds delay,
                 nanoseconds patience) {
  const nanoseconds now = clock_.now();
  const nanoseconds when = delay > nanoseconds::max() - now ? nanoseconds::max() : now + delay;
  // Numbers instead of pointers: by the time it runs, registry, breaker and all may be gone.
  auto action = [core = std::weak_ptr(body.owner), index = body.record->index, id = body.id, serial, generation, patience] {
    const std::shared_ptr<registry_core> alive = core.lock();
    if (!alive) return;
    alive->with_record(index, [&](registered_breaker& found) {
      if (found.id == id) alive->timers().ring(found, serial, generation, patience);
    });
  };
  const clock::timer timer = clock_.call_at(when, std::move(action));
  {
    const std::lock_guard lock(mutex_);
    if (!closed_ && !body.alarm.ended && body.alarm.serial == serial) {
      body.alarm.timer = timer;
      body.alarm.armed = true;
      return;
    }
  }
  clock_.cancel(timer);  // something else happened meanwhile; perhaps the action itself
}

void alarms::ring(registered_breaker& body, std::uint64_t serial, std::uint64_t generation, nanoseconds patience) {
  const auto is_void = [&] { return closed_ || body.alarm.ended || body.alarm.serial != serial; };
  {
    const std::lock_guard lock(mutex_);
    if (is_void()) return;
  }
  body.breaker.advance(generation);  // tells changed(), which makes another serial, when it was due
  std::uint64_t next = 0;
  {
    const std::lock_guard lock(mutex_);
    if (is_void()) return;
    body.alarm.armed = false;
    next = ++body.alarm.serial;
  }
  set(body, next, generation, patience, std::min(2 * patience, longest_patience));
}

void alarms::end(registered_breaker& body) noexcept {
  {
    const std::lock_guard lock(mutex_);
    body.alarm.ended = true;
    if (!std::exchange(body.alarm.armed, false)) return;
  }
  clock_.cancel(body.alarm.timer);  // nobody changes it any more
}

void alarms::close() noexcept {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

}  // namespace switchgear::inline v1::detail
