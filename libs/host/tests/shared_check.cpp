// SPDX-License-Identifier: Apache-2.0
#include "shared_check.hpp"

#include <algorithm>
#include <set>

#include "shared_home.hpp"

namespace switchgear::inline v1::host {
namespace {

using machine::state_word;

constexpr std::uint64_t machine::totals::*all_sums[] = {
    &machine::totals::successes,    &machine::totals::failures,       &machine::totals::timeouts,   &machine::totals::ignored,
    &machine::totals::abandoned,    &machine::totals::slow_calls,     &machine::totals::rejections,
    &machine::totals::would_reject,
    &machine::totals::late_results, &machine::totals::expired_probes, &machine::totals::transitions};

bool ahead(std::uint64_t a, std::uint64_t b) noexcept { return ((a - b) & state_word::generation_mask) < std::uint64_t{1} << 37; }

const char* wrong_word(state_word w) noexcept {
  const auto cause = static_cast<unsigned>(w.cause());
  switch (static_cast<unsigned>(w.state())) {
    case 0: return w.clean() && w.count() != 0 ? "clean with failures in a row" : nullptr;
    case 1: return w.clean() ? "open and clean" : cause == 3 ? "open because it recovered" : nullptr;
    case 2: return w.clean() || cause != 0 ? "an impossible half-open" : nullptr;
    case 3:
    case 4: return w.clean() || cause != 0 || w.count() != 0 ? "an impossible override" : nullptr;
    default: return "no state at all";
  }
}

}  // namespace

std::vector<std::string> shared_checker::look(const shared_file& file, bool quiet) {
  std::vector<std::string> wrong;
  ++tally_.looks;
  std::set<std::string, std::less<>> names;
  for (std::uint32_t i = 0; i < file.places().circuits; ++i) {
    const circuit_entry& e = file.entry(i);
    const place_word is{e.is.load()};
    if (static_cast<unsigned>(is.state()) > 3) wrong.push_back("place " + std::to_string(i) + " is in no state");
    if (is.incarnation() < before_[i].incarnation) wrong.push_back("place " + std::to_string(i) + " grew younger");
    for (std::uint32_t p = 0; p < most_processes; ++p) {
      if (p >= file.places().processes && (e.users[p / 64].load() >> p % 64 & 1) != 0) {
        wrong.push_back("place " + std::to_string(i) + " is mapped by a process that cannot be");
      }
    }
    if (is.state() != place_state::live) continue;
    circuit_name name{};
    const char* problem = problem_of_name(e, name);
    if (e.is.load() != is.bits) continue;  // removed while we looked
    if (problem != nullptr) {
      wrong.emplace_back(problem);
      continue;
    }
    std::vector<std::string> here;
    look_at(file, i, name, is.incarnation(), quiet, here);
    if (e.is.load() != is.bits) continue;  // what was seen may be of the next one there
    if (!names.emplace(name.view()).second) wrong.push_back("two circuits are called " + std::string(name.view()));
    for (auto& text : here) wrong.push_back(std::string(name.view()) + ": " + text);
    ++tally_.circuits;
  }
  return wrong;
}

void shared_checker::look_at(const shared_file& file, std::uint32_t circuit, const circuit_name& name, std::uint64_t incarnation,
                             bool quiet, std::vector<std::string>& wrong) {
  const record_view r = file.record(circuit);
  remembered& before = before_[circuit];
  if (before.incarnation != incarnation) {
    before = {};
    before.incarnation = incarnation;
  }

  if (const char* problem = problem_of_record(r)) {
    wrong.emplace_back(problem);
    return;
  }
  config_page page{};
  if (!r.configuration(page)) {
    wrong.emplace_back("its configuration cannot be read");
    return;
  }
  const state_word w{r.block().word.load()};
  if (const char* problem = wrong_word(w)) wrong.push_back(std::string(problem) + " (" + std::to_string(w.bits) + ")");
  if (!ahead(w.generation(), before.generation)) wrong.emplace_back("its generation went back");
  tally_.generations += w.generation() - before.generation;
  before.generation = w.generation();
  const std::uint64_t epoch = r.block().epoch.load();
  if (epoch < before.epoch) wrong.emplace_back("an older configuration came back");
  before.epoch = epoch;

  const record_machine m(r, page, name.seed);
  const machine::totals sums = m.machine.metrics();
  for (const auto sum : all_sums) {
    if (sums.*sum < before.sums.*sum) wrong.emplace_back("a sum went down");
  }
  before.sums = sums;
  before.lanes.resize(std::size_t{4} * file.places().lanes());
  for (std::uint32_t lane = 0; lane < file.places().lanes(); ++lane) {
    const auto& l = r.lanes()[lane];
    const std::atomic<std::uint64_t>* words[] = {&l.successes, &l.rejections, &l.shared_successes, &l.shared_rejections};
    for (std::size_t k = 0; k < 4; ++k) {
      const std::uint64_t now = words[k]->load();
      if (now < before.lanes[4 * lane + k]) wrong.push_back("lane " + std::to_string(lane) + " lost counts");
      before.lanes[4 * lane + k] = now;
    }
  }

  const machine::nanos now = file.timeline(file.read_clock());
  constexpr machine::nanos slack = 1'000'000'000;  // what other threads have read since
  const machine::observation seen = m.machine.observe(now);
  if (seen.facts.since > now + slack) wrong.emplace_back("its state began in the future");
  if (seen.last_failure_at > now + slack) wrong.emplace_back("it failed in the future");
  const std::uint64_t most = m.settings.timed_window ? std::uint64_t{1} << 40 : m.settings.window_calls;
  config_page still{};
  const bool same = r.configuration(still) && still.configuration.epoch == page.configuration.epoch;
  // Not failures above calls: one who dies between the two counts leaves a failure without its call.
  if (same && (seen.window.calls > most || seen.window.failures > most || seen.window.slow > most)) {
    wrong.push_back("its window is too full: " + std::to_string(seen.window.calls) + " calls, " +
                    std::to_string(seen.window.failures) + " failures, " + std::to_string(seen.window.slow) + " slow");
  }

  std::uint32_t held = 0;
  for (const auto& slot : r.fixed().slots) {
    const machine::slot_tag tag{slot.tag.load()};
    if ((tag.bits & 3) == 3) wrong.emplace_back("a probe slot that is nothing");
    const std::uint64_t present = state_word{r.block().word.load()}.generation();
    // A slot is taken for the generation that a transition is about to make.
    if (!ahead(present + 1, tag.generation())) wrong.emplace_back("a probe of a generation that is still to come");
    const std::uint64_t lease = slot.lease.load();
    if (tag.held() == machine::occupancy::vacant || tag.generation() != w.generation()) continue;
    ++held;
    if (quiet && m.settings.probe_timeout != 0 && (lease & 15) == (tag.ticket() & 15) &&
        static_cast<machine::nanos>(lease >> 4) > machine::later(now + slack, m.settings.probe_timeout)) {
      wrong.emplace_back("a lease that is longer than the longest");
    }
  }
  tally_.probes += held;
  if (w.state() == state::forced_open || w.state() == state::disabled) ++tally_.overrides;

  std::uint64_t last = 0;
  for (const state_change& change : history_of(r, shared_history_places)) {
    if (last != 0 && change.generation <= last) wrong.emplace_back("its history is out of order");
    last = change.generation;
    if (change.from_state == change.to_state) wrong.emplace_back("a transition that is none");
  }
  for (std::uint64_t place = 0; place < shared_history_places; ++place) {
    shared_change c{};
    if (r.fixed().history[place].check.load() != 0 && !r.fixed().history[place].read(c, place)) ++tally_.torn;
  }
}

}  // namespace switchgear::inline v1::host
