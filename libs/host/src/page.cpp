// SPDX-License-Identifier: Apache-2.0
#include "layout.hpp"

#include <bit>
#include <memory>

namespace switchgear::inline v1::host {
using std::chrono::nanoseconds;

stored_config stored_config::of(const config& c, std::uint64_t epoch) noexcept {
  stored_config s{};
  s.epoch = epoch;
  const auto note = [&s](bool is, flag which) {
    if (is) s.flags |= which;
  };
  note(c.enabled, enabled);
  note(c.shadow, shadow);
  note(c.window.timed, timed);
  note(c.minimum_calls.has_value(), has_minimum_calls);
  note(c.slow_call_rate_threshold.has_value(), has_slow_rate);
  note(c.max_open_duration.has_value(), has_max_open);
  note(c.probe_timeout.has_value(), has_probe_timeout);
  s.failure_threshold = c.failure_threshold;
  s.window_calls = c.window.calls;
  s.window_duration = c.window.duration.count();
  s.window_buckets = c.window_buckets;
  s.minimum_calls = c.minimum_calls.value_or(0);
  s.failure_rate_threshold = std::bit_cast<std::uint64_t>(c.failure_rate_threshold);
  s.failure_count_threshold = c.failure_count_threshold;
  s.slow_call_duration = c.slow_call_duration.count();
  s.slow_call_rate_threshold = std::bit_cast<std::uint64_t>(c.slow_call_rate_threshold.value_or(0));
  s.open_duration = c.open_duration.count();
  s.open_duration_multiplier = std::bit_cast<std::uint64_t>(c.open_duration_multiplier);
  s.max_open_duration = c.max_open_duration.value_or(nanoseconds{0}).count();
  s.jitter = std::bit_cast<std::uint64_t>(c.jitter);
  s.min_reset_interval = c.min_reset_interval.count();
  s.half_open_max_calls = c.half_open_max_calls;
  s.success_threshold = c.success_threshold;
  s.probe_timeout = c.probe_timeout.value_or(nanoseconds{0}).count();
  s.call_timeout = c.call_timeout.count();
  s.state_history = c.state_history;
  return s;
}

config stored_config::load() const noexcept {
  const auto number = [](std::uint64_t bits) { return std::bit_cast<double>(bits); };
  config c;
  c.enabled = flags & enabled;
  c.shadow = flags & shadow;
  c.failure_threshold = failure_threshold;
  c.window = {.calls = window_calls, .duration = nanoseconds(window_duration), .timed = (flags & timed) != 0};
  c.window_buckets = window_buckets;
  if (flags & has_minimum_calls) c.minimum_calls = minimum_calls;
  c.failure_rate_threshold = number(failure_rate_threshold);
  c.failure_count_threshold = failure_count_threshold;
  c.slow_call_duration = nanoseconds(slow_call_duration);
  if (flags & has_slow_rate) c.slow_call_rate_threshold = number(slow_call_rate_threshold);
  c.open_duration = nanoseconds(open_duration);
  c.open_duration_multiplier = number(open_duration_multiplier);
  if (flags & has_max_open) c.max_open_duration = nanoseconds(max_open_duration);
  c.jitter = number(jitter);
  c.min_reset_interval = nanoseconds(min_reset_interval);
  c.half_open_max_calls = half_open_max_calls;
  c.success_threshold = success_threshold;
  if (flags & has_probe_timeout) c.probe_timeout = nanoseconds(probe_timeout);
  c.call_timeout = nanoseconds(call_timeout);
  c.state_history = state_history;
  return c;
}

page_machine::page_machine(state_page& page, std::uint64_t seed)
    : configuration(page.configuration.load()),
      settings(machine::resolve(configuration, page.configuration.epoch)),
      machine(page.block, &page.lane, 1, page.window, &slots, settings, seed) {
  slots.slots = page.slots;
  slots.count = largest_slots;
}

void configure_page(state_page& page, const config& next, std::uint64_t seed) {
  using machine::count_window;
  const config before = page.configuration.load();
  page.configuration = stored_config::of(next, page.configuration.epoch + 1);
  const bool same_window =
      before.window == next.window && (!next.window.timed || before.window_buckets == next.window_buckets);
  if (!same_window) {
    const auto old = std::make_unique<std::atomic<std::uint64_t>[]>(window_words);
    for (std::uint32_t i = 0; i < window_words; ++i) {
      old[i].store(page.window[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
      page.window[i].store(0, std::memory_order_relaxed);
    }
    if (!before.window.timed && !next.window.timed) {
      count_window<std::atomic>(page.window, static_cast<std::uint32_t>(next.window.calls))
          .adopt(count_window<std::atomic>(old.get(), static_cast<std::uint32_t>(before.window.calls)),
                 machine::state_word{page.block.word.load()}.generation());
    }
  }
  page_machine(page, seed).machine.reconfigured();
}

}  // namespace switchgear::inline v1::host
