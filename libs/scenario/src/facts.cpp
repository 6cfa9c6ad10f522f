// SPDX-License-Identifier: Apache-2.0
#include "facts.hpp"

#include <array>

namespace switchgear::inline v1::scenario {
namespace {

struct row {
  fact what;
  fact_kind kind;
  std::string_view key;
};

constexpr std::array table{
    row{fact::state, fact_kind::state, "state"},
    row{fact::generation, fact_kind::count, "generation"},
    row{fact::consecutive_failures, fact_kind::count, "consecutive_failures"},
    row{fact::half_open_successes, fact_kind::count, "half_open_successes"},
    row{fact::probes_in_flight, fact_kind::count, "probes_in_flight"},
    row{fact::retry_after, fact_kind::duration, "retry_after"},
    row{fact::total_calls, fact_kind::count, "metrics.total_calls"},
    row{fact::successes, fact_kind::count, "metrics.successes"},
    row{fact::failures, fact_kind::count, "metrics.failures"},
    row{fact::timeouts, fact_kind::count, "metrics.timeouts"},
    row{fact::ignored, fact_kind::count, "metrics.ignored"},
    row{fact::abandoned, fact_kind::count, "metrics.abandoned"},
    row{fact::slow_calls, fact_kind::count, "metrics.slow_calls"},
    row{fact::rejections, fact_kind::count, "metrics.rejections"},
    row{fact::would_reject, fact_kind::count, "metrics.would_reject"},
    row{fact::late_results, fact_kind::count, "metrics.late_results"},
    row{fact::expired_probes, fact_kind::count, "metrics.expired_probes"},
    row{fact::transitions, fact_kind::count, "metrics.transitions"},
    row{fact::failure_rate, fact_kind::rate, "metrics.failure_rate"},
    row{fact::success_rate, fact_kind::rate, "metrics.success_rate"},
    row{fact::rejection_rate, fact_kind::rate, "metrics.rejection_rate"},
    row{fact::window_calls, fact_kind::count, "window.calls"},
    row{fact::window_failures, fact_kind::count, "window.failures"},
    row{fact::window_slow, fact_kind::count, "window.slow"},
    row{fact::window_failure_rate, fact_kind::rate, "window.failure_rate"},
    row{fact::window_slow_rate, fact_kind::rate, "window.slow_rate"},
};

/// The table stands in the order of the enumeration, so that a fact is its own index.
constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].what) != i) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::string_view to_string(fact f) noexcept { return table[static_cast<std::size_t>(f)].key; }
fact_kind kind_of(fact f) noexcept { return table[static_cast<std::size_t>(f)].kind; }

std::optional<fact> find_fact(std::string_view key) noexcept {
  for (const row& r : table) {
    if (r.key == key) return r.what;
  }
  return std::nullopt;
}

std::vector<std::string_view> fact_keys() {
  std::vector<std::string_view> keys;
  for (const row& r : table) keys.push_back(r.key);
  return keys;
}

std::optional<switchgear::state> find_state(std::string_view name) noexcept {
  for (const auto s : {state::closed, state::open, state::half_open, state::forced_open, state::disabled}) {
    if (to_string(s) == name) return s;
  }
  return std::nullopt;
}

std::optional<rejection_reason> find_reason(std::string_view name) noexcept {
  for (const auto r : {rejection_reason::open, rejection_reason::half_open_limit, rejection_reason::forced_open}) {
    if (to_string(r) == name) return r;
  }
  return std::nullopt;
}

}  // namespace switchgear::inline v1::scenario
