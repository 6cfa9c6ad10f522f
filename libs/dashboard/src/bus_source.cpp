// SPDX-License-Identifier: Apache-2.0
#include "bus_circuit.hpp"
#include "circuit_row.hpp"

#include <switchgear/bus_source.hpp>
#include <switchgear/detail/event_queue.hpp>

#include <chrono>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace switchgear::inline v1 {
namespace {

using detail::bus_circuit;
using real_time = std::chrono::steady_clock;

/// A bus does not say which circuit was withdrawn, only how many it knows. When they are fewer than here, and once a minute in
/// any case (one may have gone and another come), the roll is called.
constexpr auto between_roll_calls = std::chrono::minutes(1);

}  // namespace

/// A roll call is a subscription that is told of all present states, and a second one behind it. The bus serves the two in turn:
/// what the second one hears comes after everything that the first one was told at its beginning.
struct bus_source::state : std::enable_shared_from_this<state> {
  state(event_bus& b, std::size_t most) : bus(b), most_circuits(most) {}

  void hear(const event& e);
  void answer_roll(const event& e, std::uint64_t number);
  void end_of_roll(std::uint64_t number);
  void call_roll();
  bus_circuit* find_or_make(const event& e);
  [[nodiscard]] bool is_counted(const bus_circuit& c) const { return telling_all.contains(c.source()); }

  event_bus& bus;
  const std::size_t most_circuits;

  std::mutex mutex;  ///< of everything up to the subscriptions
  std::unordered_map<std::string, bus_circuit> circuits;  ///< by circuit_key()
  std::unordered_set<std::string> telling_all;            ///< the processes that publish every call
  std::uint64_t roll = 0;         ///< the number of the last roll call
  bool roll_ended = true;
  std::size_t left_out = 0;

  std::mutex roll_mutex;  ///< of what follows; never held while `mutex` is
  real_time::time_point last_roll = real_time::now();
  subscription main, answering, ending;
};

bus_circuit* bus_source::state::find_or_make(const event& e) {
  std::string key = detail::circuit_key(e);
  if (const auto found = circuits.find(key); found != circuits.end()) return &found->second;
  if (circuits.size() >= most_circuits) return nullptr;
  bus_circuit& made = circuits.emplace(std::move(key), bus_circuit(e)).first->second;
  made.seen = roll;
  return &made;
}

void bus_source::state::hear(const event& e) {
  const std::lock_guard lock(mutex);
  // A late event of a call must not bring back a circuit that has been withdrawn.
  const bool tells_state = e.present || is_transition(e.kind);
  if (!tells_state && !circuits.contains(detail::circuit_key(e))) return;
  bus_circuit* const circuit = find_or_make(e);
  if (circuit == nullptr) return;
  if (tells_state) {
    circuit->take_state(e);
    circuit->seen = roll;
  } else {
    circuit->take_call(e);
    if (detail::tells_of_all_calls(e.kind) && telling_all.size() < most_circuits) telling_all.insert(circuit->source());
  }
}

void bus_source::state::answer_roll(const event& e, std::uint64_t number) {
  const std::lock_guard lock(mutex);
  if (number != roll) return;
  const bool known = circuits.contains(detail::circuit_key(e));
  bus_circuit* const circuit = find_or_make(e);
  if (circuit == nullptr) return;
  circuit->seen = number;
  if (!known) circuit->take_state(e);  // there was no room for it before
}

void bus_source::state::end_of_roll(std::uint64_t number) {
  const std::lock_guard lock(mutex);
  if (number != roll || roll_ended) return;
  roll_ended = true;
  std::erase_if(circuits, [number](const auto& one) { return one.second.seen != number; });
  std::unordered_set<std::string> still;
  for (const auto& [key, circuit] : circuits) {
    if (is_counted(circuit)) still.insert(circuit.source());
  }
  telling_all = std::move(still);
}

void bus_source::state::call_roll() {
  const std::lock_guard one_at_a_time(roll_mutex);
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex);
    // With the lock held: the bus counts a circuit before it tells of it, so what was heard by now is counted.
    const std::size_t on_bus = bus.metrics().circuits;
    left_out = circuits.size() >= most_circuits && on_bus > circuits.size() ? on_bus - circuits.size() : 0;
    if (on_bus == 0) {
      if (!roll_ended) ++roll;  // nobody will answer
      roll_ended = true;
      circuits.clear();
      telling_all.clear();
    }
    const bool long_ago = real_time::now() - last_roll > between_roll_calls;
    if (!roll_ended && !long_ago) return;
    // One that has not ended by now never will: whom it asked has lost the question.
    const bool due = !roll_ended || on_bus < circuits.size() || (!circuits.empty() && long_ago);
    if (due) {
      number = ++roll;
      roll_ended = false;
    }
  }
  if (number == 0) {
    answering = {};  // outside the lock that the handlers take: ending waits for one that runs
    ending = {};
    return;
  }
  last_roll = real_time::now();
  const std::weak_ptr<state> self = weak_from_this();
  answering = bus.subscribe(
      topics::state,
      [self, number](std::string_view, const event& e) {
        if (const auto s = self.lock()) s->answer_roll(e, number);
      },
      {.present = true});
  ending = bus.subscribe(
      topics::state,
      [self, number](std::string_view, const event&) {
        if (const auto s = self.lock()) s->end_of_roll(number);
      },
      {.present = true});
}

bus_source::bus_source(event_bus& bus, std::size_t most_circuits) : state_(std::make_shared<state>(bus, most_circuits)) {
  const std::weak_ptr<state> self = state_;
  state_->main = bus.subscribe(
      topics::all,
      [self](std::string_view, const event& e) {
        if (const auto s = self.lock()) s->hear(e);
      },
      {.present = true});
}

bus_source::~bus_source() {
  state_->main.end();
  const std::lock_guard lock(state_->roll_mutex);
  state_->answering.end();
  state_->ending.end();
}

std::vector<circuit_reading> bus_source::read() {
  state_->call_roll();
  const auto now = std::chrono::system_clock::now();
  std::vector<circuit_reading> out;
  const std::lock_guard lock(state_->mutex);
  out.reserve(state_->circuits.size());
  for (const auto& [key, circuit] : state_->circuits) out.push_back(circuit.read(state_->is_counted(circuit), now));
  return out;
}

std::optional<circuit_detail> bus_source::detail(std::string_view name, std::string_view instance) {
  const std::lock_guard lock(state_->mutex);
  const bus_circuit* found = nullptr;
  if (!instance.empty()) {
    const auto at = state_->circuits.find(detail::circuit_key(name, instance));
    if (at != state_->circuits.end()) found = &at->second;
  } else {
    for (const auto& [key, circuit] : state_->circuits) {
      if (circuit.name() == name) found = &circuit;
    }
  }
  if (found == nullptr) return std::nullopt;
  return circuit_detail{found->changes(), {}};
}

action_outcome bus_source::act(const circuit_action&) {
  return {action_outcome::kind::refused, "operators act where the circuit lives: a bus tells of circuits and carries no orders"};
}

subscription bus_source::observe(std::function<void(const event&)> handler) {
  return state_->bus.subscribe(topics::all, [handler = std::move(handler)](std::string_view, const event& e) {
    const bool failed = e.kind == event_kind::failure || e.kind == event_kind::late || e.kind == event_kind::probe_expired;
    if (is_transition(e.kind) || failed) handler(e);
  });
}

std::vector<std::string> bus_source::problems() {
  std::vector<std::string> out;
  if (!state_->bus.metrics().connected) out.emplace_back("the bus is not connected: what is shown is what was told before");
  const std::lock_guard lock(state_->mutex);
  if (state_->left_out != 0) {
    out.push_back("circuits beyond the first " + std::to_string(state_->most_circuits) +
                  " are not shown: " + std::to_string(state_->left_out));
  }
  return out;
}

}  // namespace switchgear::inline v1
