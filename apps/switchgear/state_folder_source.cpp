// SPDX-License-Identifier: Apache-2.0
#include "state_folder_source.hpp"

#include <switchgear/errors.hpp>
#include <switchgear/detail/event_hub.hpp>
#include <switchgear/host/file_name.hpp>
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

}  // namespace

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
        host::circuit_view view = host::read_circuit(*folder, file);
        // One whose generation went down was deleted and made anew.
        const bool known = before != seen_.end() && before->second.generation <= view.snapshot.generation;
        if (has_read_) find_news(view, known ? before->second : seen{}, news);
        next[file] = {view.snapshot.generation, view.snapshot.metrics.failures};
        readings.push_back(reading_of(std::move(view)));
      } catch (const host::state_error& e) {
        problems_.emplace_back(e.what());
        // Should it be readable again, what has been told is not told once more.
        if (before != seen_.end()) next.insert(*before);
      }
    }
    seen_ = std::move(next);
    has_read_ = true;
  }
  for (const event& e : news) listeners_.tell(e);
  return readings;
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
  try {
    host::circuit_view view = host::read_circuit(*folder, host::file_name_of(name));
    if (!instance.empty() && instance != view.instance) return std::nullopt;  // another one of that name, from elsewhere
    return switchgear::circuit_detail{std::move(view.snapshot.state_changes),
                                      switchgear::configured_values(view.configuration, {}, "the state file")};
  } catch (const host::state_error& e) {
    if (e.what_kind() != host::state_error::kind::missing) throw;
    return std::nullopt;
  }
}

action_outcome state_folder_source::act(const circuit_action& action) {
  using kind = action_outcome::kind;
  const auto folder = open_folder(folder_);
  if (!folder) return {kind::unknown, "there are no circuits yet in " + folder_.string()};
  try {
    host::state_file file = host::state_file::open(*folder, action.name);
    if (!action.instance.empty() && action.instance != file.instance()) {
      return {kind::unknown, "the circuit of that name in " + folder_.string() + " is another one"};
    }
    const host::operation done = run(file, action);
    if (!done.enabled) return {kind::nothing_to_do, "the circuit is a pass-through (enabled = false)"};
    if (done.renewed) return {kind::done, "the override has a new owner, reason and end"};
    if (!done.acted) return {kind::nothing_to_do, "the circuit is " + std::string(to_string(done.before))};
    return {kind::done, {}};
  } catch (const host::state_error& e) {
    return {e.what_kind() == host::state_error::kind::missing ? kind::unknown : kind::refused, e.what()};
  }
}

std::vector<std::string> state_folder_source::problems() {
  const std::lock_guard lock(mutex_);
  return problems_;
}
