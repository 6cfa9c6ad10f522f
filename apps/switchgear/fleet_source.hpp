// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_source.hpp>
#include <switchgear/event_listeners.hpp>
#include <switchgear/fleet/operators.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The circuits of a whole fleet, as its store has them, for one who is no member of it: one row for each circuit that the fleet
/// has ever decided about. How each instance sees it is in detail(); what operators do holds for all instances.
///
/// A store keeps decisions and no counters, so rows are not counted. Since when a circuit is as it is, is what the instances
/// tell, or else when this source noticed. Events are what has changed from one read() to the next.
class fleet_source final : public switchgear::circuit_source {
 public:
  /// `where` names the fleet, for people.
  fleet_source(std::shared_ptr<switchgear::fleet::control> fleet, std::string where)
      : fleet_(std::move(fleet)), where_(std::move(where)) {}

  [[nodiscard]] std::vector<switchgear::circuit_reading> read() override;
  [[nodiscard]] std::optional<switchgear::circuit_detail> detail(std::string_view name, std::string_view instance) override;
  switchgear::action_outcome act(const switchgear::circuit_action& action) override;
  [[nodiscard]] switchgear::subscription observe(std::function<void(const switchgear::event&)> handler) override {
    return listeners_.add(std::move(handler));
  }

  /// circuit_reading::instance of all of them, so that they are told apart from those of a bus or a folder.
  static constexpr std::string_view row_instance = "fleet";

 private:
  using decision = switchgear::fleet::decision;
  using time_point = std::chrono::steady_clock::time_point;
  struct circuit {
    decision last;
    time_point since;             ///< when it came to be so
    bool has_to_ask_since = false;  ///< it was so already when it was seen first: the instances know
    std::deque<switchgear::state_change> changes;
  };

  void take(decision&& d, time_point now, std::vector<switchgear::event>& news);
  void ask_since(time_point now);
  [[nodiscard]] switchgear::circuit_reading reading_of(const circuit& c, time_point now) const;

  const std::shared_ptr<switchgear::fleet::control> fleet_;
  const std::string where_;
  std::mutex mutex_;  ///< of what follows
  bool has_read_ = false;
  std::map<std::string, circuit, std::less<>> circuits_;
  switchgear::event_listeners listeners_;
};

/// The reason of a decision, with the instance that made it.
[[nodiscard]] std::string reason_of(const switchgear::fleet::decision& d);

/// A reading as `status --json` shows it, with the views of the instances.
[[nodiscard]] std::string to_json(const switchgear::circuit_reading& r,
                                  const std::vector<switchgear::instance_reading>& instances);
