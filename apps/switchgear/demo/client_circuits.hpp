// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_source.hpp>
#include <switchgear/event_listeners.hpp>

#include <nlohmann/json.hpp>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace switchgear::demo {

/// The circuits of the client processes, as these report them: what the page of the demonstration shows. What an operator does
/// on the page goes to the client whose circuit it is.
///
/// Thread safety: every function from any thread.
class client_circuits final : public circuit_source {
 public:
  /// Sends a line to a client; false when it cannot be reached.
  using sender = std::function<bool(const std::string& line)>;

  /// `in_force`: of every circuit, for display.
  explicit client_circuits(config in_force) : config_(std::move(in_force)) {}

  // --- for the conductor ---

  void add_client(int number, sender send);
  /// When it returns, its sender is not running and is not called again. Its circuits stay, as it reports them to its end.
  void remove_client(int number);
  /// The readings that a client has reported.
  void report(int number, const nlohmann::json& readings);
  void tell(const event& e);
  /// A client's word on what it was asked to do.
  void acted(const nlohmann::json& answer);

  // --- for the page ---

  [[nodiscard]] std::vector<circuit_reading> read() override;
  [[nodiscard]] std::optional<circuit_detail> detail(std::string_view name, std::string_view instance) override;
  action_outcome act(const circuit_action& action) override;
  [[nodiscard]] subscription observe(std::function<void(const event&)> handler) override {
    return listeners_.add(std::move(handler));
  }

 private:
  struct client {
    sender send;  ///< empty: nobody can act on its circuits any more
    std::vector<circuit_reading> readings;
  };

  [[nodiscard]] int client_of(const circuit_action& action) const;

  const config config_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::map<int, client> clients_;
  std::map<std::pair<std::string, std::string>, std::vector<state_change>> changes_;  ///< by name and instance
  std::map<std::uint64_t, std::optional<action_outcome>> asked_;
  std::uint64_t last_number_ = 0;
  event_listeners listeners_;
};

}  // namespace switchgear::demo
