// SPDX-License-Identifier: Apache-2.0
#include "client_circuits.hpp"

#include "readings.hpp"

#include <algorithm>
#include <chrono>

namespace switchgear::demo {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

/// How long the page waits for a client's word: a client looks at its pipe ten times a second.
constexpr auto patience = 1s;

constexpr std::size_t most_changes = 1'000;

}  // namespace

void client_circuits::add_client(int number, sender send) {
  const std::lock_guard lock(mutex_);
  clients_[number].send = std::move(send);
}

void client_circuits::remove_client(int number) {
  const std::lock_guard lock(mutex_);
  clients_[number].send = nullptr;
}

void client_circuits::report(int number, const json& readings) {
  std::vector<circuit_reading> read;
  for (const json& r : readings) read.push_back(reading_from(r));
  const std::lock_guard lock(mutex_);
  clients_[number].readings = std::move(read);
}

void client_circuits::tell(const event& e) {
  if (is_transition(e.kind) && e.previous_state != e.state) {
    const std::lock_guard lock(mutex_);
    auto& changes = changes_[{e.service, e.instance}];
    if (changes.size() == most_changes) changes.erase(changes.begin());
    changes.push_back({e.previous_state, e.state, e.time, e.reason, e.failure_count, e.generation});
  }
  listeners_.tell(e);
}

void client_circuits::acted(const json& answer) {
  const std::lock_guard lock(mutex_);
  const auto asked = asked_.find(answer.at("number"));
  if (asked == asked_.end()) return;  // the page has given up waiting
  asked->second = action_outcome{static_cast<action_outcome::kind>(answer.at("outcome").get<int>()), answer.at("message")};
  answered_.notify_all();
}

std::vector<circuit_reading> client_circuits::read() {
  const std::lock_guard lock(mutex_);
  std::vector<circuit_reading> all;
  for (const auto& [number, c] : clients_) all.insert(all.end(), c.readings.begin(), c.readings.end());
  return all;
}

std::optional<circuit_detail> client_circuits::detail(std::string_view name, std::string_view instance) {
  const std::lock_guard lock(mutex_);
  for (const auto& [number, c] : clients_) {
    for (const circuit_reading& r : c.readings) {
      if (r.now.name != name || (!instance.empty() && r.instance != instance)) continue;
      circuit_detail d;
      if (const auto found = changes_.find({r.now.name, r.instance}); found != changes_.end()) d.changes = found->second;
      d.configuration = configured_values(config_, {}, "the demonstration");
      return d;
    }
  }
  return std::nullopt;
}

int client_circuits::client_of(const circuit_action& action) const {
  for (const auto& [number, c] : clients_) {
    for (const circuit_reading& r : c.readings) {
      if (r.now.name == action.name && (action.instance.empty() || r.instance == action.instance)) return number;
    }
  }
  return -1;
}

action_outcome client_circuits::act(const circuit_action& action) {
  std::unique_lock lock(mutex_);
  const int client = client_of(action);
  if (client < 0) return {action_outcome::kind::unknown, "no client has such a circuit"};
  const sender& send = clients_[client].send;
  if (!send) return {action_outcome::kind::refused, "the client is ending"};
  const std::uint64_t number = ++last_number_;
  asked_[number] = std::nullopt;
  json command = to_json(action);
  command["number"] = number;
  if (!send(command.dump())) {
    asked_.erase(number);
    return {action_outcome::kind::refused, "the client has ended"};
  }
  answered_.wait_for(lock, patience, [&] { return asked_[number].has_value(); });
  const auto outcome = asked_[number];
  asked_.erase(number);
  return outcome.value_or(action_outcome{action_outcome::kind::refused, "the client has not answered within a second"});
}

}  // namespace switchgear::demo
