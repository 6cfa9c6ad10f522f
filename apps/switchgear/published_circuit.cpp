// SPDX-License-Identifier: Apache-2.0
#include "published_circuit.hpp"

#include <switchgear/detail/event_hub.hpp>
#include <switchgear/publish_to.hpp>

#include <chrono>

#include "bus_options.hpp"

namespace host = switchgear::host;
using namespace std::chrono_literals;
using switchgear::event;

namespace {

/// How long the end of the program may be put off by a bus that is slow or away.
constexpr auto patience = 500ms;

/// How long those who listen later are told of the circuit, whether or not it is used.
constexpr auto kept = 24h;

}  // namespace

published_circuit::published_circuit(const std::string& url) {
  if (url.empty()) return;
  (void)open_named_bus(url);
  url_ = url;
  shown_ = shown_bus(url);
}

published_circuit::published_circuit(published_circuit&&) noexcept = default;
published_circuit::~published_circuit() = default;

void published_circuit::start(const view& look) {
  if (url_.empty()) return;
  bus_ = open_named_bus(url_, {.keep_present = kept, .member = "file-" + look().instance});
  start_quietly(*bus_);
}

void published_circuit::tell(const view& look, const std::vector<host::change>& changes) noexcept {
  if (!bus_ || changes.empty()) return;
  try {
    const host::circuit_view view = look();
    for (const host::change& c : changes) {
      event e;
      e.kind = switchgear::detail::kind_of(c.step);
      e.service = view.snapshot.name;
      e.instance = view.instance;
      e.state = c.step.to;
      e.previous_state = c.step.from;
      e.failure_count = c.step.failure_count;
      e.last_failure = view.snapshot.last_failure_time;
      e.reason = c.reason;
      e.generation = e.sequence = c.step.generation;
      if (c.step.to == switchgear::state::open) e.retry_after = std::chrono::nanoseconds(c.step.until - c.step.at);
      e.shadow = view.configuration.shadow;
      bus_->publish(e);
    }
  } catch (...) {
    // The circuit itself is in order, and the command matters more than who hears of it.
  }
}

bool published_circuit::finish(const view& look) noexcept {
  if (!bus_) return true;
  try {
    const host::circuit_view view = look();
    bus_->publish(present_event(view.snapshot, view.instance, view.configuration.shadow));
    const bool taken = bus_->flush(patience) && bus_->metrics().dropped == 0;
    bus_->close();
    bus_.reset();
    return taken;
  } catch (...) {
    return false;
  }
}
