// SPDX-License-Identifier: Apache-2.0
//
// The file of a registry: reading, judging, putting in force, applying; and noticing that it has changed.
#include <switchgear/config/text_file.hpp>

#include "registry_core.hpp"

#include <exception>
#include <utility>

namespace switchgear::inline v1::detail {
namespace {

constexpr std::chrono::nanoseconds usual_poll_interval = std::chrono::seconds(1);

struct read_file {
  std::string text;
  std::vector<problem> problems;
};

/// The text of a file that nobody wrote to meanwhile. One that is half written, and stays so while it is read, looks like any
/// other; most are no TOML then.
read_file read_whole(const std::string& path) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    const file_signature before = signature_of(path);
    text_file got = read_text_file(path);
    if (got.error) return {{}, {std::move(*got.error)}};
    if (before == signature_of(path) && before.size == got.text->size()) return {std::move(*got.text), {}};
  }
  return {{}, {{path, "", "", "is being written: it changed while it was read"}}};
}

}  // namespace

void registry_core::open() {
  if (path_.empty()) return;
  if (watches_) start_watching();  // first, so that no change is missed
  const std::lock_guard one_at_a_time(reload_mutex_);
  read_file got = read_whole(path_);
  if (!got.problems.empty()) throw config_error(std::move(got.problems));
  circuit_file_result parsed = parse_toml(got.text, path_);
  if (!parsed) throw config_error(std::move(parsed.problems));
  auto first = std::make_shared<file_in_force>();
  first->file = std::move(parsed.file);
  first->text = std::move(got.text);
  // A name that no table is meant for: what its layers say has to make sense.
  const resolved base = resolve({}, {}, first, environment());
  if (!base.layers.value) throw config_error(base.layers.problems);
  const std::lock_guard lock(mutex_);
  file_ = std::move(first);
}

std::vector<problem> registry_core::reload() {
  if (path_.empty()) return {};
  const environment_says says = environment();  // may call the user, so without the lock
  std::vector<registry_report> told;
  const auto refuse = [&](std::vector<problem> problems) {
    told.push_back({registry_report_kind::file_refused, {}, path_ + " is not taken up, what was in force stays", problems, 1});
    return problems;
  };
  std::vector<problem> out = [&]() -> std::vector<problem> {
    const std::lock_guard one_at_a_time(reload_mutex_);
    read_file got = read_whole(path_);
    if (!got.problems.empty()) return refuse(std::move(got.problems));
    if (got.text.empty()) {
      return refuse({{path_, "", "", "is empty, as a file is before it is written; write a comment if that is meant"}});
    }
    const std::shared_ptr<const file_in_force> before = file();
    if (got.text == before->text) return {};
    circuit_file_result parsed = parse_toml(got.text, path_);
    if (!parsed) return refuse(std::move(parsed.problems));
    auto next = std::make_shared<file_in_force>();
    next->file = std::move(parsed.file);
    next->text = std::move(got.text);
    std::vector<change> changes;
    std::vector<problem> problems = put_in_force(next, says, changes);
    if (!problems.empty()) return refuse(std::move(problems));
    tell_of_hidden(*before, *next, told);
    reloads_.fetch_add(1, std::memory_order_relaxed);  // a figure
    apply(changes, told);
    return {};
  }();
  for (registry_report& r : told) reports_.add(std::move(r));  // outside the lock: their reader may reload again
  return out;
}

std::shared_ptr<const config> registry_core::layered_of(const registered_breaker& body) const {
  const std::lock_guard lock(mutex_);
  return body.layered;
}

std::vector<problem> registry_core::judge(const std::shared_ptr<const file_in_force>& next, environment_says says,
                                          std::vector<change>& changes) const {
  const resolved base = resolve({}, {}, next, says);
  if (!base.layers.value) return base.layers.problems;
  std::vector<problem> problems;
  changes.clear();
  walk([&](registered_breaker& body) {
    const asked_config asked = body.asked.view();
    if (asked.how == asked_config::way::whole) return;
    // A `no` is for calls by name, which ask for it each time. Handles that work now are kept by those who ask by themselves,
    // and nobody would switch their breakers on again. Relaxed: written under the mutex of reloads, which this thread has, or
    // before the breaker could be found.
    const bool is_off = body.record->off_by_environment.load(std::memory_order_relaxed);
    const environment_says own = says == environment_says::no && !is_off ? switch_.last_permission() : says;
    resolved made = resolve(body.breaker.name(), asked, next, own);
    for (problem& p : made.layers.problems) {
      p.message += ", for the breaker " + body.breaker.name();
      problems.push_back(std::move(p));
    }
    if (!made.layers.value || (*made.layers.value == *layered_of(body) && made.off_by_environment == is_off)) return;
    changes.push_back({body.record->index, body.id, std::move(made.layers.value), made.off_by_environment});
  });
  return problems;
}

/// Judges the file on all breakers and puts it in force for those to come, with no breaker made in between.
std::vector<problem> registry_core::put_in_force(const std::shared_ptr<const file_in_force>& next, environment_says says,
                                                 std::vector<change>& changes) {
  struct hold {
    registry_core& core;
    ~hold() { set(false); }
    std::uint64_t set(bool on) {
      const std::lock_guard lock(core.mutex_);
      core.holds_making_ = on;
      core.may_make_.notify_all();
      return core.created_;
    }
  } making{*this};
  // At first without holding anybody up; only when breakers were made meanwhile do their makers have to wait for once.
  for (const bool hold_them : {false, true}) {
    const std::uint64_t created = making.set(hold_them);
    std::vector<problem> problems = judge(next, says, changes);
    if (!problems.empty()) return problems;
    const std::lock_guard lock(mutex_);
    if (created != created_) continue;
    file_ = next;
    break;
  }
  return {};
}

void registry_core::apply(const std::vector<change>& changes, std::vector<registry_report>& told) {
  for (const change& c : changes) {
    with_record(c.index, [&](registered_breaker& body) {
      if (body.id != c.id) return;
      bool is_another = false;
      {
        const std::lock_guard lock(mutex_);
        is_another = !(*c.next == *body.layered);
        body.layered = c.next;
      }
      body.record->off_by_environment.store(c.off_by_environment, std::memory_order_relaxed);
      if (!is_another) return;  // off as before, but for another reason
      std::vector<problem> problems = body.breaker.reconfigure(*c.next);
      if (problems.empty()) return;
      told.push_back({registry_report_kind::reconfigure_refused, body.breaker.name(), "it keeps its configuration",
                      std::move(problems), 1});
    });
  }
}

void registry_core::tell_of_hidden(const file_in_force& before, const file_in_force& now,
                                   std::vector<registry_report>& told) const {
  walk([&](const registered_breaker& body) {
    const std::string& name = body.breaker.name();
    if (body.asked.view().how != asked_config::way::whole || now.file.table_for(name) == nullptr) return;
    if (before.file.table_for(name) == nullptr) told.push_back(hidden_table(name));
  });
}

// --- noticing ---

void registry_core::start_watching() {
  const bool may_ask_system = poll_interval_ == std::chrono::nanoseconds(0);
  if (may_ask_system) {
    watcher_ = file_watcher::start(path_, [core = weak_from_this()] {
      if (const std::shared_ptr<registry_core> alive = core.lock()) (void)alive->reload_by_itself();
    });
    if (watcher_) return;
    reports_.add({registry_report_kind::not_watching,
                  {},
                  "the system does not tell of changes of " + path_ + ": it is looked at every second",
                  {},
                  1});
  }
  taken_ = seen_ = signature_of(path_);
  poller_ = std::make_unique<file_poller>(clock_, may_ask_system ? usual_poll_interval : poll_interval_,
                                          [core = weak_from_this()] {
                                            if (const std::shared_ptr<registry_core> alive = core.lock()) alive->look_at_file();
                                          });
}

/// Nobody is there to catch what a reload throws: no memory, or an exception of registry_options::read_variable.
bool registry_core::reload_by_itself() noexcept {
  const auto tell = [this](std::string_view what) {
    try {
      reports_.add({registry_report_kind::file_refused,
                    {},
                    path_ + " is not taken up, what was in force stays; taking it up threw: " + std::string(what),
                    {},
                    1});
    } catch (...) {
      // No memory to tell of it.
    }
  };
  try {
    (void)reload();
    return true;
  } catch (const std::exception& e) {
    tell(e.what());
  } catch (...) {
    tell("something that is no std::exception");
  }
  return false;
}

void registry_core::look_at_file() noexcept {
  const file_signature now = signature_of(path_);
  // Only once it looks the same twice: a writer may be at it.
  const bool settled = now.inode != 0 && !(now == taken_) && now == seen_;
  seen_ = now;
  if (settled && reload_by_itself()) taken_ = now;
}

}  // namespace switchgear::inline v1::detail
