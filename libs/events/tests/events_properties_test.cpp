// SPDX-License-Identifier: Apache-2.0
// What holds for any sequence of operations and any event, drawn at random.
#include "event_samples.hpp"

#include <switchgear/detail/event_queue.hpp>
#include <switchgear/event_reader.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

namespace {

namespace sg = switchgear;

RC_GTEST_PROP(event_queue_properties, counts_everything_and_always_tells_the_last_transition, ()) {
  constexpr std::size_t capacity = 8;
  sg::detail::event_queue queue(capacity);
  sg::detail::event_queue::batch batch;
  std::map<std::string, std::uint64_t> next, told;
  std::uint64_t pushed = 0, taken = 0;
  int actions = 0, done = 0;
  const auto take = [&] {
    queue.wake();
    queue.wait(batch);
    RC_ASSERT(batch.size() <= capacity + next.size());
    batch.for_each([&](const sg::event& e) {
      ++taken;
      if (!is_transition(e.kind)) return;
      RC_ASSERT(told[e.service] < e.sequence);
      told[e.service] = e.sequence;
    });
    queue.done();
  };
  for (const int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 12))) {
    const std::string name(1, static_cast<char>('a' + step % 3));
    if (step < 6) {
      queue.push(event_samples::transition(name, ++next[name]));
      ++pushed;
    } else if (step < 10) {
      queue.push(event_samples::call(name, 1));
      ++pushed;
    } else if (step == 10) {
      // All circuits are as new at this moment as they were when the action was put in.
      queue.run_in_turn([&, then = next] {
        ++done;
        for (const auto& [circuit, sequence] : then) RC_ASSERT(told[circuit] <= sequence);
      });
      ++actions;
    } else {
      take();
    }
    RC_ASSERT(queue.pushed() == pushed);
    RC_ASSERT(queue.dropped() + taken <= pushed);
  }
  take();
  RC_ASSERT(told == next);
  RC_ASSERT(done == actions);
  RC_ASSERT(queue.dropped() + taken == pushed);
}

RC_GTEST_PROP(event_reader_properties, reads_what_is_written, ()) {
  const auto text = rc::gen::string<std::string>();
  const auto time = [] {
    return std::chrono::system_clock::time_point(std::chrono::milliseconds(
        *rc::gen::inRange<std::int64_t>(-9'223'372'036'854, 9'223'372'036'854)));
  };
  sg::event e = event_samples::transition("payments", *rc::gen::arbitrary<std::uint64_t>());
  e.kind = static_cast<sg::event_kind>(*rc::gen::inRange(0, 14));
  e.state = e.previous_state = static_cast<sg::state>(*rc::gen::inRange(0, 5));
  if (is_transition(e.kind)) {
    constexpr sg::state after[] = {sg::state::open,        sg::state::half_open, sg::state::closed,
                                   sg::state::forced_open, sg::state::disabled,  sg::state::closed};
    e.state = after[static_cast<int>(e.kind)];
  }
  e.failure_count = *rc::gen::arbitrary<std::uint32_t>();
  e.time = time();
  if (*rc::gen::arbitrary<bool>()) e.last_failure = time();
  e.reason = *text;
  e.correlation_id = *text;
  e.shadow = *rc::gen::arbitrary<bool>();
  if (*rc::gen::arbitrary<bool>()) {
    e.retry_after = std::chrono::nanoseconds(
        *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(0, std::numeric_limits<std::int64_t>::max()),
                       rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000)));
  }
  if (*rc::gen::arbitrary<bool>()) e.instance.clear();
  const std::string written = to_json(e);
  const auto read = sg::read_event(written);
  RC_LOG() << written << "\n" << read.error;
  RC_ASSERT(read.value.has_value());
  RC_ASSERT(to_json(*read.value) == written);
}

}  // namespace
