// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/fleet/metrics.hpp>
#include <switchgear/simulation/settings.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace switchgear::inline v1::simulation {

/// What something that must never happen looked like when it did.
struct violation {
  std::string rule;             ///< which invariant, in words
  std::string what;             ///< what was seen
  std::string instance;         ///< empty: the fleet as a whole
  std::chrono::nanoseconds at{0};
  std::vector<std::string> events;  ///< what happened before, the last one at the end
};

/// A part of the run, all of the same length.
struct sample {
  double load = 0;           ///< calls a second that reached the upstream
  double good = 0;           ///< of these, those that succeeded
  double capacity = 0;       ///< what the upstream could work off, on average
  std::uint32_t open = 0;    ///< instances whose circuit was not closed, at the end
  std::uint32_t probes = 0;  ///< most in flight at a time
};

/// What a run came to. Times to detect count from the first trouble of the upstream, the way back from its last revival; they are
/// empty when it did not come to that.
struct report {
  bool sharing = true;
  std::uint32_t instances = 0;       ///< at the most
  std::chrono::nanoseconds duration{0};
  std::optional<std::chrono::nanoseconds> first_knows, half_know, most_know;  ///< most: 99 % of those present at the time
  std::uint64_t calls = 0, admitted = 0, rejected = 0;
  std::uint64_t wasted = 0;          ///< calls that reached the upstream while it was dead or slow, the probes among them
  std::uint64_t probes = 0;
  std::uint32_t probes_at_once = 0;
  double overshoot = 0;              ///< the highest load after the revival over the capacity at that time, half a second each
  std::uint64_t failed_after = 0;    ///< calls that failed after the revival
  std::uint32_t collapses = 0;       ///< how often the upstream fell over while it warmed up
  std::optional<std::chrono::nanoseconds> full_service;  ///< 95 % of all calls succeed from then on
  double messages = 0;               ///< of one instance in one second, to and from the store
  double store_busy = 0;             ///< share of the time
  std::uint64_t events = 0;
  fleet::metrics totals{};           ///< of all instances, but for `now` and `members`
  std::chrono::nanoseconds sample_length{0};
  std::vector<sample> samples;
  std::chrono::nanoseconds trouble_at{0}, revived_at{0};  ///< 0: never
  std::optional<violation> violated;
};

/// Runs it. Deterministic: nothing but the settings has an influence. `progress` hears of the virtual time that has gone by, some
/// hundred times; it may be empty. Ends early when an invariant is violated. Throws config_error with every problem of the
/// settings, std::runtime_error when the script is no Lua.
///
/// Thread safety: runs may go on in several threads, each is a world of its own.
[[nodiscard]] report run(const settings& s, const std::function<void(std::chrono::nanoseconds)>& progress = {});

/// The same settings with and without sharing. `shared` has the run that shares unless the settings said otherwise.
struct comparison {
  settings of;
  std::optional<report> shared, alone;
};

/// One JSON object, the same bytes for the same comparison.
[[nodiscard]] std::string to_json(const comparison& c);
/// Curves of load, open instances and probes over time, one below the other: an SVG that reads on light and dark ground.
[[nodiscard]] std::string to_svg(const comparison& c);
/// How many milliseconds, seconds or minutes: `820ms`, `4.25s`, `5m03s`; "never" for nothing.
[[nodiscard]] std::string spoken(const std::optional<std::chrono::nanoseconds>& d);

}  // namespace switchgear::inline v1::simulation
