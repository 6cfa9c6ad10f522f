// SPDX-License-Identifier: Apache-2.0
#include <switchgear/registry_source.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace switchgear::inline v1 {
namespace {

using kind = circuit_action::kind;

constexpr std::string_view switched_off = "the circuit is switched off by its configuration (enabled = false)";

/// Why an action did nothing, in the words of who asked for it.
std::string nothing_to_do(kind what, state s) {
  const std::string is = "the circuit is " + std::string(to_string(s)) + ": ";
  switch (what) {
    case kind::trip: return is + "only one that is closed or half_open can be tripped";
    case kind::release: return is + "there is no override to release";
    default: return is + "nothing had to be done";
  }
}

}  // namespace

struct registry_source::memory {
  struct known {
    std::uint64_t generation = 0;
    std::string reason;
    int tries = 0;           ///< how often the history did not tell of the generation yet
    std::uint64_t read = 0;  ///< when it was seen the last time
  };
  std::mutex mutex;
  std::uint64_t reads = 0;
  std::unordered_map<std::string, known> circuits;  ///< by instance; only those that have made a transition
  std::string no_instances;                         ///< why they could not be told the last time; empty: they could
};

registry_source::registry_source(registry& circuits, instance_function instances)
    : circuits_(circuits), instances_(std::move(instances)), memory_(std::make_unique<memory>()) {}
registry_source::~registry_source() = default;

std::vector<circuit_reading> registry_source::read() {
  std::vector<circuit_reading> out;
  out.reserve(circuits_.size());
  const std::lock_guard lock(memory_->mutex);
  const std::uint64_t this_time = ++memory_->reads;
  circuits_.for_each([&](circuit_breaker& b) {
    const config in_force = b.configuration();
    circuit_reading r{.now = b.figures(),
                      .enabled = in_force.enabled,
                      .shadow = in_force.shadow,
                      .reason = {},
                      .instance = detail::breaker_access::instance(b),
                      .source = {}};
    if (!in_force.enabled) r.not_operable = switched_off;
    if (r.now.generation != 0) {
      // One without an instance cannot be told from another of its name, so nothing of it is remembered.
      memory::known unknown;
      memory::known& before = r.instance.empty() ? unknown : memory_->circuits[r.instance];
      before.read = this_time;
      if (before.generation != r.now.generation) {
        const std::vector<state_change> changes = b.history();
        before.reason = changes.empty() ? std::string() : changes.back().reason;
        // A transition is in the history a moment after it has happened; a reset of a closed circuit never is.
        const bool told = !changes.empty() && changes.back().generation == r.now.generation;
        if (told || ++before.tries == 3) {
          before.generation = r.now.generation;
          before.tries = 0;
        }
      }
      r.reason = before.reason;
    }
    out.push_back(std::move(r));
  });
  std::erase_if(memory_->circuits, [&](const auto& one) { return one.second.read != this_time; });
  std::ranges::sort(out, {}, [](const circuit_reading& r) -> const std::string& { return r.now.name; });
  return out;
}

std::optional<circuit_detail> registry_source::detail(std::string_view name, std::string_view instance) {
  const breaker_handle found = circuits_.find(name);
  if (!found || (!instance.empty() && detail::breaker_access::instance(*found) != instance)) return std::nullopt;
  circuit_detail out{.changes = found->history(), .configuration = circuits_.configuration_of(name)};
  if (!instances_) return out;
  std::string why;
  try {
    out.instances = instances_(name);
  } catch (const std::exception& e) {
    why = std::string("how other instances see a circuit cannot be told: ") + e.what();
  } catch (...) {
    why = "how other instances see a circuit cannot be told";
  }
  const std::lock_guard lock(memory_->mutex);
  memory_->no_instances = std::move(why);
  return out;
}

std::vector<std::string> registry_source::problems() {
  const std::lock_guard lock(memory_->mutex);
  if (memory_->no_instances.empty()) return {};
  return {memory_->no_instances};
}

action_outcome registry_source::act(const circuit_action& action) {
  using outcome = action_outcome::kind;
  const breaker_handle found = circuits_.find(action.name);
  if (!found || (!action.instance.empty() && detail::breaker_access::instance(*found) != action.instance)) {
    return {outcome::unknown, "there is no circuit of that name"};
  }
  circuit_breaker& b = *found;
  if (!b.configuration().enabled) return {outcome::refused, std::string(switched_off)};
  const snapshot before = b.figures();
  // Overrides carry their owner; of everything else the history shows the reason alone.
  const std::string signed_reason = action.owner.empty() ? action.reason : action.owner + ": " + action.reason;
  bool could = true;
  switch (action.what) {
    case kind::trip:
      could = before.state == state::closed || before.state == state::half_open;
      b.trip(signed_reason);
      break;
    case kind::force_open: b.force_open(action.reason, action.owner, action.ttl); break;
    case kind::disable: b.disable(action.reason, action.owner, action.ttl); break;
    case kind::release:
      could = before.state == state::forced_open || before.state == state::disabled;
      b.release(signed_reason);
      break;
    case kind::reset: b.reset(signed_reason); break;
  }
  // A generation that has passed by itself (a period that was over) is no doing of the operator's.
  const bool is_override = action.what == kind::force_open || action.what == kind::disable;
  const bool changed = b.figures().generation != before.generation;
  if (is_override || (could && changed)) return {outcome::done, {}};
  return {outcome::nothing_to_do, nothing_to_do(action.what, before.state)};
}

subscription registry_source::observe(std::function<void(const event&)> handler) {
  return circuits_.observe(std::move(handler), event_filter::failures);
}

}  // namespace switchgear::inline v1
