// SPDX-License-Identifier: Apache-2.0
#include "shared_operators.hpp"

#include <switchgear/host/shared_circuits.hpp>
#include <switchgear/machine/describe.hpp>

#include <memory>
#include <utility>
#include <vector>

#include "circuits.hpp"

namespace host = switchgear::host;
namespace detail = switchgear::detail;
using switchgear::circuit_breaker;

namespace {

std::unique_ptr<circuit_breaker> open_shared(const std::string& file, const std::string& name) {
  require_name(name);
  const auto folder = host::state_folder::open(host::default_state_folder());
  const auto shared = host::shared_circuits::open_existing(folder, file);
  if (auto found = shared->find(name)) return found;
  std::string known;
  for (const std::string& one : shared->names()) known += (known.empty() ? "" : ", ") + one;
  const std::string others = known.empty() ? "" : "; there is " + known;
  throw host::state_error(host::state_error::kind::missing, shared->path() + ": there is no circuit \"" + name + "\"" + others);
}

/// Writes down what this process does to a circuit.
class witness final : public detail::transition_watcher {
 public:
  witness(circuit_breaker& b, std::string reason) : breaker_(b), reason_(std::move(reason)) {
    detail::breaker_access::watch(breaker_, this);
  }
  witness(const witness&) = delete;
  witness& operator=(const witness&) = delete;
  ~witness() { detail::breaker_access::watch(breaker_, nullptr); }

  std::vector<host::change> changes;

 private:
  void changed(circuit_breaker&, const switchgear::machine::transition& t) noexcept override {
    if (t.changes_state()) changes.push_back({t, switchgear::machine::describe(t, reason_)});
  }
  circuit_breaker& breaker_;
  std::string reason_;
};

}  // namespace

CLI::Option* add_shared_option(CLI::App& command, std::string& file) {
  return command.add_option("--shared", file, "the circuit is one of the shared circuits FILE.circuits of the state folder")
      ->type_name("FILE");
}

host::operation operate_shared(const std::string& file, const switchgear::circuit_action& action) {
  using kind = switchgear::circuit_action::kind;
  const auto breaker = open_shared(file, action.name);
  host::operation done;
  done.enabled = breaker->configuration().enabled;
  breaker->advance();  // what is due is no doing of the operator's
  done.before = breaker->state();
  const std::uint64_t generation = breaker->figures().generation;
  witness seen(*breaker, action.reason);
  switch (action.what) {
    case kind::trip: breaker->trip(action.reason); break;
    case kind::force_open: breaker->force_open(action.reason, action.owner, action.ttl); break;
    case kind::disable: breaker->disable(action.reason, action.owner, action.ttl); break;
    case kind::release: breaker->release(action.reason); break;
    case kind::reset: breaker->reset(action.reason); break;
  }
  done.changes = std::move(seen.changes);
  done.acted = breaker->figures().generation != generation;
  const bool overrides = action.what == kind::force_open || action.what == kind::disable;
  done.renewed = done.enabled && overrides && !done.acted;
  return done;
}

void reset_shared_metrics(const std::string& file, const std::string& name) { open_shared(file, name)->reset_metrics(); }

host::circuit_view view_shared(const std::string& file, const std::string& name) {
  require_name(name);
  const auto folder = host::state_folder::open(host::default_state_folder());
  const host::shared_contents all = host::read_shared_circuits(folder, host::shared_file_name_of(file));
  for (const host::circuit_view& one : all.circuits) {
    if (one.snapshot.name == name) return one;
  }
  throw host::state_error(host::state_error::kind::missing,
                          "there is no circuit \"" + name + "\" among the shared circuits " + file);
}
