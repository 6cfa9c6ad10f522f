// SPDX-License-Identifier: Apache-2.0
#include <switchgear/host/state_file.hpp>

#include <switchgear/host/file_name.hpp>
#include <switchgear/machine/describe.hpp>

#include "mapped_file.hpp"
#include "private_entry.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <utility>

namespace switchgear::inline v1::host {

using machine::grant;
using machine::lane_choice;

namespace {

constexpr lane_choice shared_lane{0, false};

}  // namespace

struct state_file::mapping {
  descriptor fd;
  std::string path;
  std::string name;
  clock_source clock;
  file_image* image = nullptr;

  mapping() = default;
  mapping(const mapping&) = delete;
  mapping& operator=(const mapping&) = delete;
  ~mapping() {
    if (image != nullptr) ::munmap(image, sizeof(file_image));
  }
};

/// One operation: the lock, and a copy of the page in force to work on. What is not committed did not happen.
struct state_file::session {
  explicit session(mapping& m) : map(m), lock(m.fd.get(), file_lock::mode::exclusive, m.path) {
    require_image_size(map.fd.get(), map.path);
    if (const char* problem = problem_of_state(*map.image)) throw refusal_of(map.path, problem);
    const std::uint64_t number = map.image->commit.load() >> 16;
    const state_page& current = map.image->page(number);
    page = &map.image->page(number + 1);
    std::memcpy(static_cast<void*>(page), &current, sizeof(state_page));
    page->number = number + 1;
    const moment at = map.clock();
    now = timeline_at(page->clock, at);
    wall = std::max<std::int64_t>(0, at.wall);
    std::copy(at.boot.begin(), at.boot.end(), page->clock.boot);
    page->clock.since_boot = std::max<std::int64_t>(0, at.since_boot);
    page->clock.timeline = now;
    page->clock.wall = wall;
  }

  [[nodiscard]] std::uint64_t seed() const { return map.image->header.seed; }

  std::vector<problem> configure(std::span<const config_patch> layers) {
    const config before = page->configuration.load();
    const config_result wanted = apply_layers(layers, before);
    if (wanted && !(wanted.value == before)) {
      configure_page(*page, wanted.value, seed());
      forget_history_beyond(wanted.value.state_history);
    }
    return wanted.problems;
  }

  void forget_history_beyond(std::int64_t kept) {
    const std::uint64_t most = std::min(history_kept, static_cast<std::uint64_t>(kept));
    if (page->history_next - page->history_first > most) page->history_first = page->history_next - most;
  }

  /// Writes down what happened. `said` is the operator's reason, for the last of them.
  std::vector<change> record(const machine::transitions& steps, std::string_view said = {}, std::string_view by = {}) {
    std::vector<change> out;
    for (const machine::transition& step : steps) {
      const bool last = &step + 1 == steps.end();
      change c{step, one_line(machine::describe(step, last ? said : std::string_view{}), 4096)};
      page->reason.set(c.reason);
      page->owner.set(last ? by : std::string_view{});
      if (!step.changes_state()) continue;
      history_entry& e = map.image->history[page->history_next % history_places];
      e.number = page->history_next++;
      e.wall = wall;
      e.generation = step.generation;
      e.failure_count = step.failure_count;
      e.from = static_cast<std::uint8_t>(step.from);
      e.to = static_cast<std::uint8_t>(step.to);
      e.reason.set(c.reason);
      e.checksum = checksum_of(e);
      out.push_back(std::move(c));
    }
    forget_history_beyond(page->configuration.state_history);
    return out;
  }

  /// The release order keeps the page and the history before the word that puts them in force, for readers that map the
  /// file; a process that is killed leaves all its stores up to that moment, in their order.
  void commit() {
    page->checksum = checksum_of(*page);
    map.image->commit.store(commit_of(page->number), std::memory_order_release);
  }

  mapping& map;
  file_lock lock;
  state_page* page = nullptr;
  machine::nanos now = 0;
  std::int64_t wall = 0;
};

state_file::state_file(std::unique_ptr<mapping> m) : mapping_(std::move(m)) {}
state_file::state_file(state_file&&) noexcept = default;
state_file& state_file::operator=(state_file&&) noexcept = default;
state_file::~state_file() = default;

state_file state_file::open(const state_folder& folder, std::string_view name, clock_source clock) {
  auto m = std::make_unique<mapping>();
  const std::string file = file_name_of(name);
  m->path = (folder.path() / file).string();
  m->name = name;
  m->clock = std::move(clock);
  m->fd = open_state_file(folder, file, O_RDWR);
  const file_lock lock(m->fd.get(), file_lock::mode::exclusive, m->path);
  require_image_size(m->fd.get(), m->path);
  void* at = ::mmap(nullptr, sizeof(file_image), PROT_READ | PROT_WRITE, MAP_SHARED, m->fd.get(), 0);
  if (at == MAP_FAILED) throw system_error_of(m->path + " cannot be mapped", errno);
  m->image = static_cast<file_image*>(at);
  const char* problem = problem_of_state(*m->image);
  if (problem == nullptr) problem = problem_of_history(*m->image);
  if (problem != nullptr) throw refusal_of(m->path, problem);
  const file_header& h = m->image->header;
  if (name != std::string_view(h.name, h.name_bytes)) {
    throw refusal_of(m->path, "it belongs to the circuit \"" + std::string(h.name, h.name_bytes) + "\"");
  }
  return state_file(std::move(m));
}

state_file state_file::open_or_create(const state_folder& folder, std::string_view name, const config& initial,
                                      clock_source clock) {
  try {
    return open(folder, name, clock);
  } catch (const state_error& e) {
    if (e.what_kind() != state_error::kind::missing) throw;
  }
  make_state_file(folder, file_name_of(name), name, initial, clock());
  return open(folder, name, std::move(clock));
}

const std::string& state_file::name() const noexcept { return mapping_->name; }

std::string state_file::instance() const {
  return instance_text(mapping_->image->header.seed);
}

admission state_file::acquire(std::span<const config_patch> layers, std::vector<problem>& problems) {
  session s(*mapping_);
  admission out;
  problems = s.configure(layers);
  if (!problems.empty()) return out;
  page_machine m(*s.page, s.seed());
  const machine::acquired got = m.machine.acquire(s.now, shared_lane);
  out.permit = got.permit;
  out.rejection = got.rejection;
  out.changes = s.record(got.changes);
  out.configuration = m.configuration;
  out.reason = s.page->reason.view();
  out.owner = s.page->owner.view();
  s.commit();
  return out;
}

admission state_file::acquire() {
  std::vector<problem> none;
  return acquire({}, none);
}

settlement state_file::settle(const grant& permit, verdict v, std::string_view what) {
  session s(*mapping_);
  page_machine m(*s.page, s.seed());
  const machine::settled done = m.machine.settle(permit, v, s.now, shared_lane);
  if ((v == verdict::failure || v == verdict::timeout) && m.settings.enabled) s.page->last_failure.set(what);
  settlement out{.changes = s.record(done.changes), .late = done.late};
  out.lease_ended = done.late && permit.is == grant::kind::probe && s.now >= permit.lease_end;
  s.commit();
  return out;
}

std::vector<problem> state_file::reconfigure(std::span<const config_patch> layers) {
  session s(*mapping_);
  std::vector<problem> problems = s.configure(layers);
  if (problems.empty()) s.commit();
  return problems;
}

std::vector<change> state_file::advance() {
  session s(*mapping_);
  page_machine m(*s.page, s.seed());
  std::vector<change> out = s.record(m.machine.advance(s.now));
  s.commit();
  return out;
}

namespace {

/// What the machine did for an operator: due transitions, and behind them the one that was asked for.
operation begin(page_machine& m, machine::nanos now) {
  operation out;
  out.enabled = m.settings.enabled;
  out.before = m.machine.observed_state(now);
  return out;
}

bool did(const machine::transitions& steps, machine::trigger wanted) {
  return std::any_of(steps.begin(), steps.end(), [&](const auto& step) { return step.trigger == wanted; });
}

}  // namespace

operation state_file::trip(std::string_view reason) {
  session s(*mapping_);
  page_machine m(*s.page, s.seed());
  operation out = begin(m, s.now);
  const machine::transitions steps = m.machine.trip(s.now);
  out.acted = did(steps, machine::trigger::tripped);
  out.changes = s.record(steps, out.acted ? reason : std::string_view{});
  s.commit();
  return out;
}

operation state_file::override_with(state to, std::string_view reason, std::string_view owner,
                                    std::optional<std::chrono::nanoseconds> ttl) {
  session s(*mapping_);
  page_machine m(*s.page, s.seed());
  operation out = begin(m, s.now);
  const machine::nanos end = ttl ? machine::later(s.now, ttl->count()) : -1;
  const machine::transitions steps = m.machine.override_with(to, end, s.now, out.renewed);
  const auto wanted = to == state::disabled ? machine::trigger::disabled : machine::trigger::forced_open;
  out.acted = out.renewed || did(steps, wanted);
  out.changes = s.record(steps, out.acted ? reason : std::string_view{}, out.acted ? owner : std::string_view{});
  if (out.renewed) {
    const machine::transition same{.from = to, .to = to, .trigger = wanted};
    s.page->reason.set(machine::describe(same, reason));
    s.page->owner.set(owner);
  }
  s.commit();
  return out;
}

operation state_file::force_open(std::string_view reason, std::string_view owner,
                                 std::optional<std::chrono::nanoseconds> ttl) {
  return override_with(state::forced_open, reason, owner, ttl);
}

operation state_file::disable(std::string_view reason, std::string_view owner,
                              std::optional<std::chrono::nanoseconds> ttl) {
  return override_with(state::disabled, reason, owner, ttl);
}

operation state_file::release(std::string_view reason) {
  session s(*mapping_);
  page_machine m(*s.page, s.seed());
  operation out = begin(m, s.now);
  const machine::transitions steps = m.machine.release(s.now);
  out.acted = did(steps, machine::trigger::released);
  out.changes = s.record(steps, out.acted ? reason : std::string_view{});
  s.commit();
  return out;
}

operation state_file::reset(std::string_view reason) {
  session s(*mapping_);
  page_machine m(*s.page, s.seed());
  operation out = begin(m, s.now);
  const machine::transitions steps = m.machine.reset(s.now);
  out.acted = did(steps, machine::trigger::reset);
  out.changes = s.record(steps, reason);
  s.commit();
  return out;
}

void state_file::reset_metrics() {
  session s(*mapping_);
  page_machine(*s.page, s.seed()).machine.reset_metrics();
  s.commit();
}

}  // namespace switchgear::inline v1::host
