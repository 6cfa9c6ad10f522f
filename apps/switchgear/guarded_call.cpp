// SPDX-License-Identifier: Apache-2.0
#include "guarded_call.hpp"

#include <switchgear/host/state_file.hpp>

#include <iostream>
#include <utility>

#include "circuits.hpp"
#include "command.hpp"
#include "console.hpp"

namespace host = switchgear::host;
using std::chrono::nanoseconds;

void say(const std::string& line) { std::cerr << "switchgear: " + line + "\n"; }

std::string rejection_line(const std::string& name, switchgear::rejection_reason reason, nanoseconds retry_after,
                           const std::string& state_reason, const std::string& owner) {
  using switchgear::rejection_reason;
  const std::string line = "circuit " + name + " rejected the command: ";
  switch (reason) {
    case rejection_reason::open: return line + "open (" + state_reason + "), retry after " + spoken(retry_after);
    case rejection_reason::half_open_limit: return line + "half_open_limit (a probe is out already), retry after 0s";
    case rejection_reason::ramp: return line + "ramp (it has just recovered and admits a share of the calls), retry after 0s";
    case rejection_reason::forced_open: break;
  }
  return line + "forced_open (" + state_reason + ")" + (owner.empty() ? "" : " by " + owner);
}

std::string lease_ended_line(const std::string& name) {
  return "circuit " + name +
         ": this was a probe, and it took longer than probe_timeout, so it did not count; "
         "set --probe-timeout above the time the command takes";
}

std::string shadow_line(const std::string& name) { return "circuit " + name + " would have rejected this (shadow)"; }

namespace {

class own_file_call final : public guarded_call {
 public:
  own_file_call(host::state_file file, published_circuit published, bool quiet)
      : file_(std::move(file)), published_(std::move(published)), quiet_(quiet) {}
  ~own_file_call() override {
    if (!published_.finish(look()) && !quiet_) {
      say("circuit " + file_.name() + ": the bus " + published_.shown_name() + " did not take what happened");
    }
  }

  bool begin(const std::vector<switchgear::config_patch>& layers) override {
    published_.start(look());
    std::vector<switchgear::problem> problems;
    admission_ = file_.acquire(layers, problems);
    if (!problems.empty()) throw usage_error(switchgear::describe(problems));
    tell(admission_.changes);
    if (!admission_.admitted()) {
      const auto& r = admission_.rejection;
      say(rejection_line(file_.name(), r.reason, nanoseconds(r.retry_after), admission_.reason, admission_.owner));
      return false;
    }
    if (admission_.permit.is == switchgear::machine::grant::kind::shadow && !quiet_) say(shadow_line(file_.name()));
    return true;
  }

  [[nodiscard]] const switchgear::config& configuration() const override { return admission_.configuration; }

  void settle(switchgear::verdict v, const std::string& what) noexcept override {
    if (std::exchange(settled_, true)) return;
    try {
      const auto done = file_.settle(admission_.permit, v, what);
      tell(done.changes);
      if (done.lease_ended && !quiet_) say(lease_ended_line(file_.name()));
    } catch (const std::exception& e) {
      say(std::string("error: the outcome could not be recorded: ") + e.what());
    }
  }

 private:
  [[nodiscard]] published_circuit::view look() const {
    return [this] { return view_circuit(file_.name()); };
  }
  void tell(const std::vector<host::change>& changes) {
    published_.tell(look(), changes);
    if (quiet_) return;
    for (const auto& c : changes) std::cerr << line_of(file_.name(), c) + "\n";
  }

  host::state_file file_;
  published_circuit published_;
  host::admission admission_;
  bool quiet_;
  bool settled_ = false;
};

}  // namespace

std::unique_ptr<guarded_call> call_in_own_file(const host::state_folder& folder, const std::string& name,
                                               const switchgear::config_result& initial, published_circuit published,
                                               bool quiet) {
  // With the defaults under them the layers must make sense only for a circuit that is new.
  const auto open = [&] {
    try {
      return host::state_file::open(folder, name);
    } catch (const host::state_error& e) {
      if (e.what_kind() != host::state_error::kind::missing) throw;
    }
    if (!initial) throw usage_error(switchgear::describe(initial.problems));
    return host::state_file::open_or_create(folder, name, initial.value);
  };
  return std::make_unique<own_file_call>(open(), std::move(published), quiet);
}
