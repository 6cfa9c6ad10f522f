// SPDX-License-Identifier: Apache-2.0
#include "page.hpp"

#include <chrono>
#include <iterator>

namespace switchgear::inline v1::detail {
namespace {

using circuit = prometheus_circuit;
using number = std::optional<double>;

double seconds(std::chrono::nanoseconds t) { return std::chrono::duration<double>(t).count(); }

/// Wall time as seconds since 1970.
double timestamp(std::chrono::system_clock::time_point t) {
  return std::chrono::duration<double>(t.time_since_epoch()).count();
}

template <state S>
number is_in(const circuit& c) {
  return c.now.state == S ? 1 : 0;
}

template <auto Counter>
number lifetime(const circuit& c) {
  return c.counted ? number(static_cast<double>(c.now.metrics.*Counter)) : std::nullopt;
}

template <auto Count>
number in_window(const circuit& c) {
  return c.counted ? number(static_cast<double>(c.now.window.*Count)) : std::nullopt;
}

template <auto Count>
number at_the_moment(const circuit& c) {
  return c.counted ? number(static_cast<double>(c.now.*Count)) : std::nullopt;
}

constexpr auto counter = figure_type::counter;
constexpr auto gauge = figure_type::gauge;

constexpr figure<circuit> circuit_figures[] = {
    {"circuit_state", gauge, "Whether the circuit is in that state: 1 for the one that it is in, 0 for the others.",
     is_in<state::closed>, "state", "closed"},
    {"", gauge, "", is_in<state::open>, "state", "open"},
    {"", gauge, "", is_in<state::half_open>, "state", "half_open"},
    {"", gauge, "", is_in<state::forced_open>, "state", "forced_open"},
    {"", gauge, "", is_in<state::disabled>, "state", "disabled"},
    {"circuit_time_in_state_seconds", gauge, "How long the circuit has been in its state.",
     [](const circuit& c) -> number { return seconds(c.now.time_in_state); }},
    {"circuit_generation", gauge, "Number of the circuit's generation; grows by one with each transition.",
     [](const circuit& c) -> number { return static_cast<double>(c.now.generation); }},
    {"circuit_retry_after_seconds", gauge, "Time until a call may pass; absent when one would be admitted or nobody knows.",
     [](const circuit& c) -> number { return c.now.retry_after ? number(seconds(*c.now.retry_after)) : std::nullopt; }},
    {"circuit_override_active", gauge, "Whether an operator holds the circuit open or disabled.",
     [](const circuit& c) -> number { return c.now.operator_override ? 1 : 0; }},
    {"circuit_override_until_timestamp_seconds", gauge,
     "When the operator's override ends by itself, in seconds since 1970; absent when there is none or it does not.",
     [](const circuit& c) -> number {
       if (!c.now.operator_override || !c.now.operator_override->until) return std::nullopt;
       return timestamp(*c.now.operator_override->until);
     }},
    {"circuit_last_failure_timestamp_seconds", gauge, "When a call failed last, in seconds since 1970; absent when none did.",
     [](const circuit& c) -> number {
       return c.now.last_failure_time ? number(timestamp(*c.now.last_failure_time)) : std::nullopt;
     }},

    {"circuit_calls_total", counter, "Calls, each under the one outcome that it had.", lifetime<&lifetime_metrics::successes>,
     "outcome", "success"},
    {"", counter, "", lifetime<&lifetime_metrics::failures>, "outcome", "failure"},
    {"", counter, "", lifetime<&lifetime_metrics::ignored>, "outcome", "ignored"},
    {"", counter, "", lifetime<&lifetime_metrics::abandoned>, "outcome", "abandoned"},
    {"", counter, "", lifetime<&lifetime_metrics::rejections>, "outcome", "rejected"},
    {"circuit_timeouts_total", counter, "Failures that were timeouts.", lifetime<&lifetime_metrics::timeouts>},
    {"circuit_slow_calls_total", counter, "Successes and failures that took too long.", lifetime<&lifetime_metrics::slow_calls>},
    {"circuit_late_results_total", counter, "Successes and failures that came when the circuit was in another generation.",
     lifetime<&lifetime_metrics::late_results>},
    {"circuit_expired_probes_total", counter, "Probes whose lease ended before they did.",
     lifetime<&lifetime_metrics::expired_probes>},
    {"circuit_would_reject_total", counter, "Calls that were let through only because the circuit is in shadow mode.",
     lifetime<&lifetime_metrics::would_reject>},
    {"circuit_transitions_total", counter, "Changes of the state.", lifetime<&lifetime_metrics::transitions>},

    {"circuit_window_calls", gauge, "Calls that the circuit judges by now.", in_window<&window_metrics::calls>},
    {"circuit_window_failures", gauge, "Failures among them.", in_window<&window_metrics::failures>},
    {"circuit_window_slow", gauge, "Slow calls among them.", in_window<&window_metrics::slow>},
    {"circuit_window_failure_ratio", gauge, "Failures per call in the window, 0 to 1.",
     [](const circuit& c) { return c.counted ? number(c.now.window.failure_rate()) : std::nullopt; }},
    {"circuit_window_slow_ratio", gauge, "Slow calls per call in the window, 0 to 1.",
     [](const circuit& c) { return c.counted ? number(c.now.window.slow_rate()) : std::nullopt; }},
    {"circuit_consecutive_failures", gauge, "Failures in a row until now.", at_the_moment<&snapshot::consecutive_failures>},
    {"circuit_half_open_successes", gauge, "Probes that have succeeded since the circuit became half open.",
     at_the_moment<&snapshot::half_open_successes>},
    {"circuit_probes_in_flight", gauge, "Probes that are out now.", at_the_moment<&snapshot::probes_in_flight>},
};

}  // namespace

void add_circuits(page& to, const std::vector<prometheus_circuit>& circuits, std::size_t left_out) {
  std::vector<labelled<circuit>> items;
  items.reserve(circuits.size());
  for (const circuit& c : circuits) {
    sample_labels labels{{"name", c.now.name}};
    if (!c.instance.empty()) labels.push_back({"circuit_instance", c.instance});
    items.push_back({std::move(labels), &c});
  }
  to.add(std::span<const figure<circuit>>(circuit_figures), items);
  to.add("circuits", gauge, "Circuits that are shown here.", static_cast<double>(circuits.size()));
  to.add("circuits_left_out", gauge,
         "Circuits that are not shown here: beyond the bound, or with the name of another or one that none can have.",
         static_cast<double>(left_out));
}

void add_registry(page& to, const registry_metrics& m) {
  const auto value = [](auto n) { return static_cast<double>(n); };
  to.add("registry_breakers", gauge, "Breakers that the registry lists now.", value(m.breakers));
  to.add("registry_created_total", counter, "Breakers that the registry has made.", value(m.created));
  to.add("registry_evicted_total", counter, "Idle breakers that made room for new ones.", value(m.evicted));
  to.add("registry_removed_total", counter, "Breakers that the program removed.", value(m.removed));
  to.add("registry_turned_away_total", counter, "New names for which there was no room.", value(m.turned_away));
  to.add("registry_reloads_total", counter, "Configuration files that were taken up after the first.", value(m.reloads));
  to.add("registry_reports_total", counter, "Reports of the registry, such as refused files and differing configurations.",
         value(m.reports));
}

}  // namespace switchgear::inline v1::detail
