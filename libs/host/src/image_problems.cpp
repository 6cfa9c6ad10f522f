// SPDX-License-Identifier: Apache-2.0
#include "layout.hpp"

#include <algorithm>
#include <bit>

// What may stand in a state file. The checksums find damage; the rest finds bytes that were made to match them, and is
// what the machine relies on when it takes the words for its own.

namespace switchgear::inline v1::host {
namespace {

using machine::latest;
using machine::state_word;

const char* problem_of(const file_header& h) noexcept {
  if (std::memcmp(h.magic, file_magic, sizeof file_magic) != 0) return "it is not a state file of switchgear";
  if (h.byte_order != byte_order_mark) return "it was made on a host of another byte order";
  if (h.layout != layout_version) return "it is of another version of switchgear";
  if (h.file_bytes != sizeof(file_image) || h.page_bytes != sizeof(state_page) || h.history_places != history_places) {
    return "its sizes are not those of this version";
  }
  if (h.checksum != checksum_of(h)) return "its header is damaged";
  if (h.name_bytes > sizeof h.name || validate_name({h.name, h.name_bytes})) {
    return "the name in it is no name of a circuit";
  }
  return nullptr;
}

const char* problem_of(const stored_config& s) {
  if (s.epoch > largest_sequence || (s.flags & ~std::uint64_t{stored_config::all_flags}) != 0) {
    return "its configuration is damaged";
  }
  const config c = s.load();
  if (!c.validate().empty()) return "the configuration in it is invalid";
  return nullptr;
}

const char* problem_of_word(state_word w) noexcept {
  using machine::cause;
  const cause c = w.cause();
  bool good = false;
  switch (static_cast<unsigned>(w.state())) {
    case 0: good = c != cause::probe_failed && (!w.clean() || w.count() == 0); break;
    case 1: good = c != cause::recovered && !w.clean(); break;
    case 2: good = c == cause::none && !w.clean(); break;
    case 3:
    case 4: good = c == cause::none && !w.clean() && w.count() == 0; break;
    default: break;
  }
  return good ? nullptr : "the state in it is impossible";
}

const char* problem_of_facts(const machine::block& b, state_word w, std::int64_t timeline) noexcept {
  for (const auto* fact : {&b.attempts, &b.closed_at, &b.since, &b.until}) {
    if ((fact->load() & 15) != (w.generation() & 15)) return "its state belongs to several generations";
  }
  const auto now = static_cast<std::uint64_t>(timeline);
  const bool open = w.state() == state::open;
  if (b.closed_at.load() >> 4 > now + 1 || b.since.load() >> 4 > now || b.last_failure_at.load() > now + 1) {
    return "a time in it lies in the future";
  }
  if (b.until.load() >> 4 > static_cast<std::uint64_t>(latest) + (open ? 0 : 1)) return "a time in it is impossible";
  return nullptr;
}

const char* problem_of_counters(const state_page& p) noexcept {
  const auto& b = p.block;
  for (const auto* counter : {&b.failures, &b.timeouts, &b.ignored, &b.abandoned, &b.slow_calls, &b.would_reject,
                              &b.late_results, &b.expired_probes, &b.transitions, &p.lane.successes, &p.lane.rejections,
                              &p.lane.shared_successes, &p.lane.shared_rejections}) {
    if (counter->load() > largest_counter) return "a counter in it is impossible";
  }
  if (b.successes_before.load() > p.lane.successes.load() + p.lane.shared_successes.load() ||
      b.rejections_before.load() > p.lane.rejections.load() + p.lane.shared_rejections.load()) {
    return "its counters contradict each other";
  }
  if (b.epoch.load() != p.configuration.epoch || b.judged.load() > p.configuration.epoch) {
    return "its configuration and its state do not belong together";
  }
  return nullptr;
}

const char* problem_of_count_window(const state_page& p, std::uint32_t size, std::uint64_t generation) noexcept {
  auto* words = const_cast<std::atomic<std::uint64_t>*>(p.window);
  return machine::count_window<std::atomic>(words, size).plausible(generation) ? nullptr : "its window is impossible";
}

const char* problem_of_time_window(const state_page& p, const machine::settings& s, std::uint64_t generation,
                                   std::int64_t timeline) noexcept {
  constexpr const char* problem = "its window is impossible";
  const std::uint32_t buckets = s.window_buckets;
  auto* words = const_cast<std::atomic<std::uint64_t>*>(p.window);
  const std::uint64_t newest = machine::time_window<std::atomic>(words, s, 1).bucket(timeline);
  constexpr std::uint64_t count_mask = (std::uint64_t{1} << 56) - 1;
  for (std::uint32_t i = 0; i < buckets; ++i) {
    const std::uint64_t tag = words[3 * i].load();
    const std::uint64_t number = tag >> 8 & ((std::uint64_t{1} << 39) - 1);
    if (tag >> 47 != (generation & 0x1ffff)) continue;
    // A bucket that was never written reads as number 0 of generation 0, which is right for any index while it is
    // empty.
    if (number > newest || (tag != 0 && number % buckets != i)) return problem;
    const std::uint64_t counts[] = {words[3 * i + 1].load(), words[3 * i + 2].load(),
                                    words[machine::time_window<std::atomic>::stride(3 * buckets) + i].load()};
    std::uint64_t held[3];
    for (int k = 0; k < 3; ++k) held[k] = counts[k] >> 56 == (tag & 0xff) ? counts[k] & count_mask : 0;
    if (held[2] > largest_sequence || held[0] > held[2] || held[1] > held[2]) return problem;
  }
  return nullptr;
}

const char* problem_of_slots(const state_page& p, std::uint64_t generation) noexcept {
  constexpr const char* problem = "a probe in it is impossible";
  for (const auto& slot : p.slots) {
    const machine::slot_tag tag{slot.tag.load()};
    if ((tag.bits & 3) == 3 || tag.generation() > generation) return problem;
    if (tag.generation() == generation && tag.held() == machine::occupancy::settling) return problem;
    const std::uint64_t lease = slot.lease.load();
    if (lease >> 4 > static_cast<std::uint64_t>(latest)) return problem;
    if (tag.held() == machine::occupancy::held && (lease & 15) != (tag.ticket() & 15)) return problem;
  }
  return nullptr;
}

const char* problem_of(const state_page& p) {
  if (p.checksum != checksum_of(p)) return "its state is damaged";
  if (const char* problem = problem_of(p.configuration)) return problem;
  const stored_clock& clock = p.clock;
  if (clock.timeline < 0 || clock.timeline > latest || clock.since_boot < 0 || clock.wall < 0) {
    return "a time in it is impossible";
  }
  if (p.history_next > largest_sequence || p.history_first > p.history_next ||
      p.history_next - p.history_first > history_kept) {
    return "its history is impossible";
  }
  if (!p.owner.valid() || !p.reason.valid() || !p.last_failure.valid()) return "a text in it is impossible";
  const state_word w{p.block.word.load()};
  if (const char* problem = problem_of_word(w)) return problem;
  if (const char* problem = problem_of_facts(p.block, w, clock.timeline)) return problem;
  if (const char* problem = problem_of_counters(p)) return problem;
  const machine::settings s = machine::resolve(p.configuration.load());
  if (const char* problem = s.timed_window ? problem_of_time_window(p, s, w.generation(), clock.timeline)
                                           : problem_of_count_window(p, s.window_calls, w.generation())) {
    return problem;
  }
  return problem_of_slots(p, w.generation());
}

}  // namespace

const char* problem_of_state(const file_image& image) noexcept {
  if (const char* problem = problem_of(image.header)) return problem;
  const std::uint64_t commit = image.commit.load();
  const std::uint64_t number = commit >> 16;
  if (commit != commit_of(number) || image.page(number).number != number) return "its state is damaged";
  return problem_of(image.page(number));
}

const char* problem_of_history(const file_image& image) noexcept {
  const state_page& page = image.page(image.commit.load() >> 16);
  for (std::uint64_t n = page.history_first; n < page.history_next; ++n) {
    const history_entry& e = image.history[n % history_places];
    if (e.checksum != checksum_of(e) || e.number != n) return "its history is damaged";
    if (e.from > 4 || e.to > 4 || e.generation > state_word::generation_mask || e.wall < 0 || !e.reason.valid()) {
      return "its history is impossible";
    }
  }
  return nullptr;
}

}  // namespace switchgear::inline v1::host
