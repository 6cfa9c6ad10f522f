// SPDX-License-Identifier: Apache-2.0
#include "bus_circuit.hpp"

#include "circuit_row.hpp"

#include <algorithm>
#include <cstddef>

namespace switchgear::inline v1::detail {
namespace {

using system_time = std::chrono::system_clock;

/// What a snapshot keeps of the text of a failure.
constexpr std::size_t longest_failure = 47;

/// Members tell of whatever times they like: those far from now are brought so near that differences and sums can be counted.
system_time::time_point plausible(system_time::time_point t) {
  constexpr system_time::time_point earliest{}, latest{std::chrono::days(150 * 365)};
  return std::clamp(t, earliest, latest);
}

system_time::duration plausible(std::chrono::nanoseconds wait) {
  constexpr std::chrono::nanoseconds longest = std::chrono::days(36'500);
  return std::chrono::duration_cast<system_time::duration>(std::min(wait, longest));
}

}  // namespace

bus_circuit::bus_circuit(const event& first)
    : instance_(instance_of(first)), source_(first.source), since_(plausible(first.time)) {
  now_.name = first.service;
  now_.state = first.state;
  now_.generation = first.generation;
  shadow_ = first.shadow;
}

void bus_circuit::take_state(const event& e) {
  const std::string reason = kept_text(e.reason);
  const auto time = plausible(e.time);
  const bool news = changes_.empty() || changes_.back().generation != e.generation;
  // A reset of a closed circuit and a circuit that is as it was made have no transition behind them.
  if (news && e.state != e.previous_state) {
    changes_.push_back({e.previous_state, e.state, time, reason, e.failure_count, e.generation});
    if (changes_.size() > most_changes) changes_.pop_front();
    if (!e.present) ++now_.metrics.transitions;
  }
  if (!e.source.empty()) source_ = e.source;
  now_.state = e.state;
  now_.generation = e.generation;
  now_.window = {};
  now_.consecutive_failures = now_.half_open_successes = 0;
  if (e.last_failure) now_.last_failure_time = plausible(*e.last_failure);
  reason_ = reason;
  shadow_ = e.shadow;
  since_ = time;
  retry_at_.reset();
  if (e.retry_after) retry_at_ = time + plausible(*e.retry_after);
}

void bus_circuit::take_call(const event& e) {
  lifetime_metrics& m = now_.metrics;
  const bool present = e.generation == now_.generation;
  shadow_ = e.shadow;
  switch (e.kind) {
    case event_kind::success:
      ++m.successes;
      if (present && now_.state == state::half_open) ++now_.half_open_successes;
      if (present && now_.state == state::closed) {
        now_.consecutive_failures = 0;
        ++now_.window.calls;
      }
      break;
    case event_kind::failure:
      ++m.failures;
      now_.last_failure_time = plausible(e.time);
      now_.last_failure = e.reason.substr(0, longest_failure);
      if (present && now_.state == state::closed) {
        ++now_.consecutive_failures;
        ++now_.window.calls;
        ++now_.window.failures;
      }
      break;
    case event_kind::slow:
      ++m.slow_calls;
      if (present && now_.state == state::closed) ++now_.window.slow;
      break;
    case event_kind::rejected: ++(e.shadow ? m.would_reject : m.rejections); break;
    case event_kind::ignored: ++m.ignored; break;
    case event_kind::late: ++m.late_results; break;
    case event_kind::probe_expired: ++m.expired_probes; break;
    default: break;
  }
}

circuit_reading bus_circuit::read(bool counted, system_time::time_point now) const {
  using std::chrono::nanoseconds;
  circuit_reading out{.now = now_,
                      .counted = counted,
                      .shadow = shadow_,
                      .reason = reason_,
                      .instance = instance_,
                      .source = source_,
                      .not_operable = "operators act where the circuit lives: a bus tells of circuits and carries no orders"};
  if (!counted) {  // failures without successes would say that everything fails
    out.now.metrics = {};
    out.now.window = {};
    out.now.consecutive_failures = out.now.half_open_successes = 0;
  }
  out.now.time_in_state = std::max<nanoseconds>(now - since_, nanoseconds(0));
  if (retry_at_) out.now.retry_after = std::max<nanoseconds>(*retry_at_ - now, nanoseconds(0));
  return out;
}

}  // namespace switchgear::inline v1::detail
