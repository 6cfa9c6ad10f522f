// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config.hpp"

#include <array>

namespace switchgear::inline v1::presets {
namespace {

using namespace std::chrono_literals;

/// The shape that most presets share: consecutive failures, open time, probe successes, limit of a call.
config usual(std::int64_t failures, std::chrono::seconds open, std::int64_t successes,
             std::chrono::seconds call_limit) {
  config c;
  c.failure_threshold = failures;
  c.open_duration = open;
  c.success_threshold = successes;
  c.call_timeout = call_limit;
  return c;
}

/// The six of the first source system also keep 10 s between two attempts.
config spaced(config c) {
  c.min_reset_interval = 10s;
  return c;
}

struct named {
  std::string_view name;
  config (*make)();
};

constexpr std::array all{
    named{"standard", standard},
    named{"strict", strict},
    named{"lenient", lenient},
    named{"fast_recovery", fast_recovery},
    named{"llm", llm},
    named{"service", service},
    named{"fast_fail", fast_fail},
    named{"resilient", resilient},
    named{"blackbox5", blackbox5},
    named{"omnibase_core", omnibase_core},
    named{"omnibase_infra", omnibase_infra},
    named{"mlx", mlx},
    named{"superego", superego},
    named{"bindu", bindu},
};

}  // namespace

config standard() { return spaced(usual(5, 60s, 2, 30s)); }
config strict() { return spaced(usual(3, 120s, 3, 10s)); }
config lenient() { return spaced(usual(10, 30s, 1, 60s)); }
config fast_recovery() { return spaced(usual(5, 10s, 1, 30s)); }
config llm() { return spaced(usual(3, 90s, 2, 120s)); }
config service() { return spaced(usual(5, 30s, 2, 15s)); }

config fast_fail() {
  config c = usual(3, 30s, 2, 0s);
  c.window = last(60s);
  c.failure_rate_threshold = 0.3;
  c.minimum_calls = 5;
  return c;
}

config resilient() {
  config c = usual(10, 120s, 5, 0s);
  c.window = last(300s);
  c.failure_rate_threshold = 0.6;
  c.minimum_calls = 20;
  c.half_open_max_calls = 5;
  return c;
}

config blackbox5() { return standard(); }

config omnibase_core() {
  config c = usual(0, 60s, 3, 0s);
  c.window = last(120s);
  c.failure_count_threshold = 5;
  c.failure_rate_threshold = 0.5;
  c.minimum_calls = 10;
  c.half_open_max_calls = 3;
  return c;
}

config omnibase_infra() { return usual(5, 30s, 1, 0s); }
config mlx() { return usual(5, 60s, 1, 0s); }
config superego() { return usual(5, 30s, 1, 10s); }

config bindu() {
  config c = usual(3, 30s, 1, 0s);
  c.enabled = false;
  return c;
}

config for_agent(std::string_view type) {
  if (type == "llm" || type == "ai" || type == "researcher" || type == "writer") return llm();
  if (type == "file" || type == "database" || type == "api") return service();
  return standard();
}

std::optional<config> find(std::string_view name) {
  for (const named& preset : all) {
    if (preset.name == name) return preset.make();
  }
  return std::nullopt;
}

std::vector<std::string_view> names() {
  std::vector<std::string_view> out;
  out.reserve(all.size());
  for (const named& preset : all) out.push_back(preset.name);
  return out;
}

}  // namespace switchgear::inline v1::presets
