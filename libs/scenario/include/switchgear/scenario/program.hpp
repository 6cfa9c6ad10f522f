// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>
#include <switchgear/config/patch.hpp>
#include <switchgear/state.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The contract as files: scenarios that drive one breaker on a virtual clock.
namespace switchgear::inline v1::scenario {

/// Everything that `expect` can ask about.
enum class fact : std::uint8_t {
  state,
  generation,
  consecutive_failures,
  half_open_successes,
  probes_in_flight,
  retry_after,
  total_calls,
  successes,
  failures,
  timeouts,
  ignored,
  abandoned,
  slow_calls,
  rejections,
  would_reject,
  late_results,
  expired_probes,
  transitions,
  failure_rate,
  success_rate,
  rejection_rate,
  window_calls,
  window_failures,
  window_slow,
  window_failure_rate,
  window_slow_rate,
};

/// The key of a fact as files spell it, `metrics.failures`.
[[nodiscard]] std::string_view to_string(fact f) noexcept;

/// A time span, or none.
using maybe_duration = std::optional<std::chrono::nanoseconds>;

/// What one fact has to be.
using expected_value = std::variant<switchgear::state, std::uint64_t, double, maybe_duration>;

/// A fact and what it has to be.
struct expectation {
  fact what;
  expected_value value;
};

/// A permit's name, as an index into program::names.
using name_id = std::uint32_t;

struct step;

/// `advance`.
struct advance_clock {
  std::chrono::nanoseconds by;
};
/// `acquire`: asks for permits under these names.
struct acquire_permits {
  std::vector<name_id> names;
  bool admitted = true;
  std::optional<rejection_reason> reason{};     ///< checked when set
  std::optional<maybe_duration> retry_after{};  ///< checked when set
};
/// A verdict on permits.
struct settle_permits {
  std::vector<name_id> names;
  switchgear::verdict verdict;
};
/// `call`: acquires, lets `took` pass, settles; `times` times.
struct call_dependency {
  switchgear::verdict verdict;
  std::chrono::nanoseconds took{0};
  std::uint64_t times = 1;
  bool admitted = true;
};
/// `expect`.
struct check_facts {
  std::vector<expectation> expected;
};
/// From which state to which.
struct one_transition {
  switchgear::state from;
  switchgear::state to;
  friend bool operator==(const one_transition&, const one_transition&) = default;
};
/// `transitions`: all since the start, in order.
struct check_transitions {
  std::vector<one_transition> expected;
};
struct trip_by_hand {};
/// `force_open` and `disable`.
struct override_state {
  switchgear::state to;  ///< forced_open or disabled
  maybe_duration time_to_live;
};
struct release_override {};
struct reset_breaker {};
struct reset_metrics {};
/// `reconfigure`.
struct reconfigure_breaker {
  config_patch patch;
  bool refused = false;  ///< whether it has to be refused
};
/// `repeat`.
struct repeat_steps {
  std::uint64_t times = 0;
  std::vector<step> steps;
};

/// What one step does.
using action = std::variant<advance_clock, acquire_permits, settle_permits, call_dependency, check_facts,
                            check_transitions, trip_by_hand, override_state, release_override, reset_breaker,
                            reset_metrics, reconfigure_breaker, repeat_steps>;

/// One step of a scenario.
struct step {
  std::string path;  ///< where it stands: `3`, or `3.2` for the second step inside the third
  scenario::action action;
};

/// `{"invalid": […]}`: the configuration has to have exactly these problems.
struct check_invalid {
  std::vector<std::string> expected;  ///< keys, sorted, each once
  std::vector<problem> found;
};

/// A scenario that was read: every verb, key and type is right, and every name stands for a permit where it is used.
struct program {
  std::string name;
  std::string about;
  switchgear::config config;  ///< valid, unless `invalid` is set
  std::vector<std::string> names;
  std::vector<step> steps;
  std::optional<check_invalid> invalid;  ///< then there are no steps
};

/// How much one scenario may do. A repetition costs one step for each round; a reconfiguration costs 1,000 and as much
/// again for each of its keys, because the machine keeps what it replaces.
struct limits {
  std::uint64_t steps = 10'000'000;
};

/// Why a text is not a scenario, and where: `0` is the file or its `config`.
struct defect {
  std::string step;
  std::string why;
};

/// A program, or the first thing that is wrong.
struct parsed {
  std::optional<program> value;
  defect wrong;      ///< meaningful when there is no value
  std::string name;  ///< of the scenario, as far as it could be read
};

/// Reads a scenario. Whatever can be found without running it is found here: unknown verbs and keys, wrong types, an
/// invalid configuration, a verdict on a permit that no step acquired, a name used again too early, more work than
/// `most` allows. Never throws for a bad text; any text is safe.
[[nodiscard]] parsed parse(std::string_view text, const limits& most = {});

}  // namespace switchgear::inline v1::scenario
