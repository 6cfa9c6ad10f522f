// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/event.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace event_samples {

namespace sg = switchgear;

inline sg::event transition(std::string service, std::uint64_t sequence, sg::event_kind kind = sg::event_kind::opened) {
  sg::event e;
  e.kind = kind;
  e.service = std::move(service);
  e.state = kind == sg::event_kind::opened ? sg::state::open : sg::state::closed;
  e.previous_state = kind == sg::event_kind::opened ? sg::state::closed : sg::state::open;
  e.generation = e.sequence = sequence;
  e.time = std::chrono::sys_days(std::chrono::year(2026) / 1 / 18) + std::chrono::milliseconds(37'800'250);
  e.id = "0b6f8c1e-7f0e-4b4e-9a51-2f6f2f3c9a10";
  e.source = "switchgear://till-7/4711";
  e.instance = "9a512f6f2f3c9a10";
  return e;
}

inline sg::event call(std::string service, std::uint64_t sequence, sg::event_kind kind = sg::event_kind::success) {
  sg::event e = transition(std::move(service), sequence);
  e.kind = kind;
  e.previous_state = e.state;
  return e;
}

inline sg::event present(std::string service, std::uint64_t sequence) {
  sg::event e = transition(std::move(service), sequence);
  e.present = true;
  return e;
}

}  // namespace event_samples
