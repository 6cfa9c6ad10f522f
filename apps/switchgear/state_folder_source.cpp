// SPDX-License-Identifier: Apache-2.0
#include "state_folder_source.hpp"

#include <switchgear/errors.hpp>
#include <switchgear/detail/event_hub.hpp>
#include <switchgear/host/file_name.hpp>
#include <switchgear/host/shared_circuits.hpp>
#include <switchgear/host/state_file.hpp>

#include <utility>

namespace host = switchgear::host;
using switchgear::action_outcome;
using switchgear::circuit_action;
using switchgear::event;
using switchgear::event_kind;
using switchgear::state;

namespace {

std::optional<host::state_folder> open_folder(const std::filesystem::path& path) {
  try {
    return host::state_folder::open(path);
  } catch (const host::state_error& e) {
    if (e.what_kind() != host::state_error::kind::missing) throw;
    return std::nullopt;  // it comes with the first `switchgear exec`
  }
}

event_kind kind_to(state s) {
  switchgear::machine::transition change;
  change.to = s;
  return switchgear::detail::kind_of(change);
}

event event_about(const host::circuit_view& view, std::chrono::system_clock::time_point time) {
  event e;
  e.service = view.snapshot.name;
  e.instance = view.instance;
  e.shadow = view.configuration.shadow;
  e.last_failure = view.snapshot.last_failure_time;
  e.time = time;
  e.id = switchgear::make_uuid();
  return e;
}

host::operation run(host::state_file& file, const circuit_action& a) {
  const std::string signed_reason = a.owner + ": " + a.reason;
  switch (a.what) {
    case circuit_action::kind::trip: return file.trip(signed_reason);
    case circuit_action::kind::force_open: return file.force_open(a.reason, a.owner, a.ttl);
    case circuit_action::kind::disable: return file.disable(a.reason, a.owner, a.ttl);
    case circuit_action::kind::release: return file.release(signed_reason);
    case circuit_action::kind::reset: break;
  }
  return file.reset(signed_reason);
}

action_outcome outcome_of(bool enabled, bool renewed, bool acted, state before) {
  using kind = action_outcome::kind;
  if (!enabled) return {kind::nothing_to_do, "the circuit is a pass-through (enabled = false)"};
  if (renewed) return {kind::done, "the override has a new owner, reason and end"};
  if (!acted) return {kind::nothing_to_do, "the circuit is " + std::string(to_string(before))};
  return {kind::done, {}};
}

/// Does it through a breaker on the circuit, as any of the programs that share it could.
action_outcome run(switchgear::circuit_breaker& b, const circuit_action& a) {
  b.advance();  // what is due is not what was asked for
  const switchgear::snapshot before = b.figures();
  const std::string signed_reason = a.owner + ": " + a.reason;
  switch (a.what) {
    case circuit_action::kind::trip: b.trip(signed_reason); break;
    case circuit_action::kind::force_open: b.force_open(a.reason, a.owner, a.ttl); break;
    case circuit_action::kind::disable: b.disable(a.reason, a.owner, a.ttl); break;
    case circuit_action::kind::release: b.release(signed_reason); break;
    case circuit_action::kind::reset: b.reset(signed_reason); break;
  }
  const bool renewed = (a.what == circuit_action::kind::force_open && before.state == state::forced_open) ||
                       (a.what == circuit_action::kind::disable && before.state == state::disabled);
  return outcome_of(b.configuration().enabled, renewed, b.figures().generation != before.generation, before.state);
}

/// The shared circuit of that name and, if it is given, instance.
std::optional<shared_circuit> find_shared(const host::state_folder& folder, std::string_view name, std::string_view instance) {
  std::vector<std::string> problems;  // of others
  for (shared_circuit& c : read_shared_circuits(folder, problems)) {
    if (c.view.snapshot.name == name && (instance.empty() || instance == c.view.instance)) return std::move(c);
  }
  return std::nullopt;
}

}  // namespace

std::vector<shared_circuit> read_shared_circuits(const host::state_folder& folder, std::vector<std::string>& problems) {
  std::vector<shared_circuit> out;
  for (const std::string& file : host::shared_files(folder)) {
    try {
      host::shared_contents found = host::read_shared_circuits(folder, file);
      for (auto& view : found.circuits) out.push_back({file, std::move(view)});
      problems.insert(problems.end(), found.problems.begin(), found.problems.end());
    } catch (const host::state_error& e) {
      problems.emplace_back(e.what());
    }
  }
  return out;
}

switchgear::circuit_reading reading_of(host::circuit_view view) {
  switchgear::circuit_reading r;
  r.now = std::move(view.snapshot);
  r.now.state_changes.clear();
  r.enabled = view.configuration.enabled;
  r.shadow = view.configuration.shadow;
  r.reason = std::move(view.reason);
  r.instance = std::move(view.instance);
  return r;
}

std::vector<switchgear::circuit_reading> state_folder_source::read() {
  std::vector<switchgear::circuit_reading> readings;
  std::vector<event> news;
  {
    const std::lock_guard lock(mutex_);
    problems_.clear();
    const auto folder = open_folder(folder_);
    std::map<std::string, seen> next;
    for (const std::string& file : folder ? folder->files() : std::vector<std::string>()) {
      const auto before = seen_.find(file);
      try {
        take_up(file, host::read_circuit(*folder, file), next, readings, news);
      } catch (const host::state_error& e) {
        problems_.emplace_back(e.what());
        // Should it be readable again, what has been told is not told once more.
        if (before != seen_.end()) next.insert(*before);
      }
    }
    if (folder) {
      for (shared_circuit& c : read_shared_circuits(*folder, problems_)) {
        // Names of circuits contain no control characters.
        const std::string key = c.file + "\n" + c.view.snapshot.name;
        take_up(key, std::move(c.view), next, readings, news);
      }
    }
    seen_ = std::move(next);
    has_read_ = true;
  }
  for (const event& e : news) listeners_.tell(e);
  return readings;
}

void state_folder_source::take_up(const std::string& key, host::circuit_view view, std::map<std::string, seen>& next,
                                  std::vector<switchgear::circuit_reading>& readings, std::vector<event>& news) const {
  const auto before = seen_.find(key);
  // One whose generation went down was deleted and made anew.
  const bool known = before != seen_.end() && before->second.generation <= view.snapshot.generation;
  if (has_read_) find_news(view, known ? before->second : seen{}, news);
  next[key] = {view.snapshot.generation, view.snapshot.metrics.failures};
  readings.push_back(reading_of(std::move(view)));
}

void state_folder_source::find_news(const host::circuit_view& view, const seen& before, std::vector<event>& news) {
  const auto& now = view.snapshot;
  // A number that went down was set back; what has failed since then is news.
  if (now.last_failure_time && now.metrics.failures != 0 && now.metrics.failures != before.failures) {
    event e = event_about(view, *now.last_failure_time);
    e.kind = event_kind::failure;
    e.reason = now.last_failure;
    e.state = e.previous_state = now.state;
    e.generation = e.sequence = now.generation;
    e.failure_count = now.consecutive_failures;
    news.push_back(std::move(e));
  }
  for (const auto& change : now.state_changes) {
    if (change.generation <= before.generation) continue;
    event e = event_about(view, change.timestamp);
    e.kind = change.from_state == change.to_state ? event_kind::reset : kind_to(change.to_state);
    e.previous_state = change.from_state;
    e.state = change.to_state;
    e.reason = change.reason;
    e.failure_count = change.failure_count;
    e.generation = e.sequence = change.generation;
    news.push_back(std::move(e));
  }
}

std::optional<switchgear::circuit_detail> state_folder_source::detail(std::string_view name, std::string_view instance) {
  const auto folder = open_folder(folder_);
  if (!folder) return std::nullopt;
  const auto detail_of = [](host::circuit_view view, const char* where) {
    return switchgear::circuit_detail{std::move(view.snapshot.state_changes),
                                      switchgear::configured_values(view.configuration, {}, where)};
  };
  try {
    host::circuit_view view = host::read_circuit(*folder, host::file_name_of(name));
    if (instance.empty() || instance == view.instance) return detail_of(std::move(view), "the state file");
  } catch (const host::state_error& e) {
    if (e.what_kind() != host::state_error::kind::missing) throw;
  }
  auto shared = find_shared(*folder, name, instance);
  if (!shared) return std::nullopt;
  return detail_of(std::move(shared->view), "the file of shared circuits");
}

action_outcome state_folder_source::act(const circuit_action& action) {
  using kind = action_outcome::kind;
  const auto folder = open_folder(folder_);
  if (!folder) return {kind::unknown, "there are no circuits yet in " + folder_.string()};
  try {
    host::state_file file = host::state_file::open(*folder, action.name);
    if (action.instance.empty() || action.instance == file.instance()) {
      const host::operation done = run(file, action);
      return outcome_of(done.enabled, done.renewed, done.acted, done.before);
    }
  } catch (const host::state_error& e) {
    if (e.what_kind() != host::state_error::kind::missing) return {kind::refused, e.what()};
  }
  try {
    const auto shared = find_shared(*folder, action.name, action.instance);
    if (!shared) return {kind::unknown, "there is no such circuit in " + folder_.string()};
    const auto breaker = host::shared_circuits::open_file(*folder, shared->file)->find(action.name);
    if (!breaker) return {kind::unknown, "the circuit was just removed"};
    return run(*breaker, action);
  } catch (const host::state_error& e) {
    return {kind::refused, e.what()};
  }
}

std::vector<std::string> state_folder_source::problems() {
  const std::lock_guard lock(mutex_);
  return problems_;
}
