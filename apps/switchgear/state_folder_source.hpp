// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_source.hpp>
#include <switchgear/event_listeners.hpp>
#include <switchgear/host/circuit_view.hpp>
#include <switchgear/host/state_folder.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What a state file says, as a source tells it; without the transitions.
[[nodiscard]] switchgear::circuit_reading reading_of(switchgear::host::circuit_view view);

/// A circuit in one of the files that programs share, see host::shared_circuits.
struct shared_circuit {
  std::string file;  ///< its name in the folder
  switchgear::host::circuit_view view;
};
/// All of them in the folder; what cannot be read is told in `problems`.
[[nodiscard]] std::vector<shared_circuit> read_shared_circuits(const switchgear::host::state_folder& folder,
                                                               std::vector<std::string>& problems);

/// The circuits in a state folder, those of `switchgear exec` and those that programs share, for a dashboard. Whether the
/// folder is there yet is looked at each time. Operators can act on all of them.
///
/// Nobody tells of what happens in files, so events are what has changed from one read() to the next: every transition, and the
/// last failure.
class state_folder_source final : public switchgear::circuit_source {
 public:
  explicit state_folder_source(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] std::vector<switchgear::circuit_reading> read() override;
  [[nodiscard]] std::optional<switchgear::circuit_detail> detail(std::string_view name, std::string_view instance) override;
  switchgear::action_outcome act(const switchgear::circuit_action& action) override;
  [[nodiscard]] switchgear::subscription observe(std::function<void(const switchgear::event&)> handler) override {
    return listeners_.add(std::move(handler));
  }
  [[nodiscard]] std::vector<std::string> problems() override;

 private:
  struct seen {
    std::uint64_t generation = 0;
    std::uint64_t failures = 0;  ///< their number, because the time of the last one comes out a little different each time
  };

  void take_up(const std::string& key, switchgear::host::circuit_view view, std::map<std::string, seen>& next,
               std::vector<switchgear::circuit_reading>& readings, std::vector<switchgear::event>& news) const;
  /// What has happened since `before`.
  static void find_news(const switchgear::host::circuit_view& view, const seen& before, std::vector<switchgear::event>& news);

  const std::filesystem::path folder_;
  std::mutex mutex_;
  bool has_read_ = false;
  std::map<std::string, seen> seen_;  ///< by the names of the files, of shared ones with that of the circuit
  std::vector<std::string> problems_;
  switchgear::event_listeners listeners_;
};
