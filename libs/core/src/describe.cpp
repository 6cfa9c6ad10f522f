// SPDX-License-Identifier: Apache-2.0
#include <switchgear/machine/describe.hpp>

namespace switchgear::inline v1::machine {
namespace {

std::string share(const transition& t, std::string_view what) {
  return std::to_string(t.observed) + " of " + std::to_string(t.calls) + " calls " + std::string(what) + " (" +
         percent(t.calls == 0 ? 0 : t.observed * 1'000'000 / t.calls) + ", threshold " + percent(t.limit) + ")";
}

std::string plural(std::uint64_t n, std::string_view one, std::string_view many) {
  return std::to_string(n) + " " + std::string(n == 1 ? one : many);
}

}  // namespace

std::string percent(std::uint64_t millionths) {
  std::string text = std::to_string(millionths / 10'000);
  std::string rest = std::to_string(millionths % 10'000 + 10'000).substr(1);
  while (!rest.empty() && rest.back() == '0') rest.pop_back();
  if (!rest.empty()) text += "." + rest;
  return text + "%";
}

std::string describe(const transition& t, std::string_view operator_reason) {
  const auto said = [&](const char* otherwise) {
    return operator_reason.empty() ? std::string(otherwise) : std::string(operator_reason);
  };
  const std::string threshold = " (threshold " + std::to_string(t.limit) + ")";
  switch (t.trigger) {
    case trigger::consecutive_failures:
      return plural(t.observed, "consecutive failure", "consecutive failures") + threshold;
    case trigger::failure_rate: return share(t, "failed");
    case trigger::failure_count: return plural(t.observed, "failure", "failures") + " in the window" + threshold;
    case trigger::slow_call_rate: return share(t, "were slow");
    case trigger::probe_failed: return "a probe failed";
    case trigger::slow_probe: return "a probe was slow";
    case trigger::open_duration_passed: return "open duration passed";
    case trigger::probes_succeeded: return plural(t.observed, "probe", "probes") + " succeeded" + threshold;
    case trigger::tripped: return said("tripped by hand");
    case trigger::forced_open: return said("forced open by hand");
    case trigger::disabled: return said("disabled by hand");
    case trigger::released: return said("released by hand");
    case trigger::time_to_live_ended: return "time-to-live of the override ended";
    case trigger::reset: return said("reset by hand");
    case trigger::restored: return "restored from a saved state";
    case trigger::fleet_opened: return said("opened by the fleet");
    case trigger::fleet_closed: return said("closed by the fleet");
  }
  return {};
}

}  // namespace switchgear::inline v1::machine
