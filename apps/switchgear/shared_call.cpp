// SPDX-License-Identifier: Apache-2.0
#include <switchgear/host/shared_circuits.hpp>
#include <switchgear/machine/describe.hpp>

#include <iostream>
#include <optional>
#include <utility>

#include "command.hpp"
#include "console.hpp"
#include "guarded_call.hpp"

namespace host = switchgear::host;

namespace {

class shared_file_call final : public guarded_call, private switchgear::detail::transition_watcher {
 public:
  shared_file_call(std::shared_ptr<host::shared_circuits> file, std::unique_ptr<switchgear::circuit_breaker> breaker,
                   published_circuit published, bool quiet)
      : file_(std::move(file)), breaker_(std::move(breaker)), published_(std::move(published)), quiet_(quiet) {
    switchgear::detail::breaker_access::watch(*breaker_, this);
  }
  ~shared_file_call() override {
    permit_ = {};  // an abandoned one may still say something
    tell();
    if (!published_.finish(look()) && !quiet_) {
      say("circuit " + breaker_->name() + ": the bus " + published_.shown_name() + " did not take what happened");
    }
  }

  bool begin(const std::vector<switchgear::config_patch>& layers) override {
    published_.start(look());
    configuration_ = breaker_->configuration();
    const auto next = switchgear::apply_layers(layers, configuration_);
    if (!next) throw usage_error(switchgear::describe(next.problems));
    if (!(next.value == configuration_)) {
      if (const auto problems = breaker_->reconfigure(next.value); !problems.empty()) {
        throw usage_error(switchgear::describe(problems));
      }
      configuration_ = next.value;
    }
    const auto would_have = breaker_->figures().metrics.would_reject;
    permit_.emplace(breaker_->try_acquire());
    tell();
    if (!*permit_) {
      const switchgear::snapshot now = breaker_->snapshot();
      const auto& r = permit_->rejection();
      const auto& held = now.operator_override;
      const std::string last = now.state_changes.empty() ? "" : now.state_changes.back().reason;
      say(rejection_line(breaker_->name(), r.reason, r.retry_after.value_or(std::chrono::nanoseconds(0)),
                         held ? held->reason : last, held ? held->owner : ""));
      return false;
    }
    if (!quiet_ && breaker_->figures().metrics.would_reject != would_have) say(shadow_line(breaker_->name()));
    return true;
  }

  [[nodiscard]] const switchgear::config& configuration() const override { return configuration_; }

  void settle(switchgear::verdict v, const std::string& what) noexcept override {
    if (std::exchange(settled_, true)) return;
    try {
      const auto expired = breaker_->figures().metrics.expired_probes;
      permit_->settle(v, what);
      tell();
      if (!quiet_ && breaker_->figures().metrics.expired_probes != expired) say(lease_ended_line(breaker_->name()));
    } catch (const std::exception& e) {
      say(std::string("error: ") + e.what());
    }
  }

 private:
  void changed(switchgear::circuit_breaker&, const switchgear::machine::transition& t) noexcept override {
    if (t.changes_state()) changes_.push_back({t, switchgear::machine::describe(t)});
  }
  [[nodiscard]] published_circuit::view look() const {
    return [this]() -> host::circuit_view {
      for (host::circuit_view& one : file_->views()) {
        if (one.snapshot.name == breaker_->name()) return std::move(one);
      }
      throw host::state_error(host::state_error::kind::missing, "the circuit has been removed");
    };
  }
  void tell() {
    published_.tell(look(), changes_);
    if (!quiet_) {
      for (const auto& c : changes_) std::cerr << line_of(breaker_->name(), c) + "\n";
    }
    changes_.clear();
  }

  std::vector<host::change> changes_;  ///< that this process made and has not told of; before the breaker, which adds to it
  std::shared_ptr<host::shared_circuits> file_;
  std::unique_ptr<switchgear::circuit_breaker> breaker_;
  std::optional<switchgear::permit> permit_;
  published_circuit published_;
  switchgear::config configuration_;
  bool quiet_;
  bool settled_ = false;
};

}  // namespace

std::unique_ptr<guarded_call> call_in_shared_file(const host::state_folder& folder, const std::string& file,
                                                  const std::string& name, const switchgear::config_result& initial,
                                                  published_circuit published, bool quiet) {
  auto shared = host::shared_circuits::open(folder, file);
  auto breaker = shared->find(name);
  if (!breaker) {
    if (!initial) throw usage_error(switchgear::describe(initial.problems));
    breaker = shared->breaker(name, initial.value);
  }
  return std::make_unique<shared_file_call>(std::move(shared), std::move(breaker), std::move(published), quiet);
}
