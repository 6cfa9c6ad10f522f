// SPDX-License-Identifier: Apache-2.0
#include <switchgear/json.hpp>
#include <switchgear/simulation/settings.hpp>

#include <algorithm>
#include <string>

namespace switchgear::inline v1::simulation {
namespace {

using namespace std::chrono_literals;

class list {
 public:
  void number(const char* key, double value, double low, double high, const char* allowed) {
    if (!(value >= low && value <= high)) out_.push_back({key, json_number(value), allowed, "out of range"});
  }
  void time(const char* key, std::chrono::nanoseconds value, std::chrono::nanoseconds low, std::chrono::nanoseconds high) {
    if (value >= low && value <= high) return;
    out_.push_back({key, format_duration(value), format_duration(low) + " … " + format_duration(high), "out of range"});
  }
  void add(problem p) { out_.push_back(std::move(p)); }
  [[nodiscard]] std::vector<problem> take() { return std::move(out_); }

 private:
  std::vector<problem> out_;
};

}  // namespace

config settings::default_circuit() {
  config c;
  c.failure_threshold = 5;
  c.window = last(4s);
  c.minimum_calls = 6;
  c.failure_rate_threshold = 0.5;
  c.slow_call_duration = 1s;
  c.slow_call_rate_threshold = 0.5;
  c.open_duration = 5s;
  c.open_duration_multiplier = 1.5;
  c.max_open_duration = 30s;
  c.jitter = 0.1;
  c.half_open_max_calls = 1;
  c.success_threshold = 2;
  c.probe_timeout = 3s;
  c.state_history = 10;
  return c;
}

std::chrono::nanoseconds exchange_for(std::uint32_t instances) noexcept { return 250us * std::max(1000u, instances); }

std::vector<problem> settings::validate() const {
  list problems;
  problems.number("instances", instances, 1, 10'000, "1 … 10000");
  problems.time("duration", duration, 10s, 24h);
  problems.number("calls_per_second", calls_per_second, 0.001, 10'000, "0.001 … 10000");
  const auto& plans = plan_names();
  if (std::ranges::none_of(plans, [&](const plan_name& p) { return p.name == plan; })) {
    std::string known;
    for (const auto& p : plans) known += (known.empty() ? "" : ", ") + std::string(p.name);
    problems.add({"plan", plan, known, "there is no such plan"});
  }
  for (auto& p : circuit.validate()) problems.add(std::move(p));
  for (auto& p : fleet.validate()) problems.add(std::move(p));
  problems.number("capacity", upstream.capacity, 0.01, 1000, "0.01 … 1000");
  problems.number("cold_share", upstream.cold_share, 0.001, 1, "0.001 … 1");
  problems.time("warm_up", upstream.warm_up, 0s, 1h);
  problems.time("collapse", upstream.collapse, 0s, 1h);
  problems.time("queue", upstream.queue, 0s, 1min);
  problems.time("latency", upstream.latency, 0s, 1min);
  problems.time("fails_after", upstream.fails_after, 0s, 1min);
  problems.time("slow_latency", upstream.slow_latency, 0s, 1min);
  problems.time("delay", network.delay, 0s, 10s);
  problems.number("loss", network.loss, 0, 0.5, "0 … 0.5");
  problems.number("resets", network.resets, 0, 0.5, "0 … 0.5");
  problems.number("drift", network.drift, 0, 0.02, "0 … 0.02");
  problems.time("service", network.service, 0s, 1s);
  return problems.take();
}

}  // namespace switchgear::inline v1::simulation
