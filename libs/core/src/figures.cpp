// SPDX-License-Identifier: Apache-2.0
#include <switchgear/machine/figures.hpp>

#include <algorithm>

namespace switchgear::inline v1::machine {

lifetime_metrics lifetime(const totals& sum) noexcept {
  return {sum.successes,  sum.failures,     sum.timeouts,     sum.ignored,        sum.abandoned,  sum.slow_calls,
          sum.rejections, sum.would_reject, sum.late_results, sum.expired_probes, sum.transitions};
}

snapshot figures(const observation& seen, const totals& sum, nanos now) {
  snapshot out;
  out.state = seen.state;
  out.metrics = lifetime(sum);
  out.window = {seen.window.calls, seen.window.failures, seen.window.slow};
  out.generation = seen.generation;
  out.consecutive_failures = seen.consecutive_failures;
  out.half_open_successes = seen.half_open_successes;
  out.probes_in_flight = seen.probes_in_flight;
  if (seen.retry_after >= 0) out.retry_after = std::chrono::nanoseconds(seen.retry_after);
  // A state that reads half_open or closed because its time has come, before the acquire that makes the transition, began
  // at the end of the period before it.
  nanos since = seen.facts.since;
  if (seen.state == state::half_open || seen.state == state::closed) since = std::max(since, seen.facts.until);
  out.time_in_state = std::chrono::nanoseconds(std::max<nanos>(0, now - since));
  return out;
}

}  // namespace switchgear::inline v1::machine
