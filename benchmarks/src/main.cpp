// SPDX-License-Identifier: Apache-2.0
// Runs the cases, prints a table with the targets beside the figures, and writes JSON with --json FILE.
#include "async_cases.hpp"
#include "bus_cases.hpp"
#include "dashboard_cases.hpp"
#include "sharing_cases.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/json.hpp>

#include <benchmark/benchmark.h>

#include <malloc.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

/// Nanoseconds of one call as its thread sees it, by case and number of threads: the median of the repetitions.
using figures = std::map<std::pair<std::string, int>, double>;

class collector : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.error_occurred || run.run_type != Run::RT_Iteration) continue;
      // The library divides the time by the threads; a caller waits for all of it.
      const auto threads = static_cast<int>(run.threads);
      seen_[{run.run_name.function_name, threads}].push_back(run.GetAdjustedRealTime() * threads);
    }
    std::fputc('.', stderr);
    std::fflush(stderr);
  }
  [[nodiscard]] figures medians() const {
    figures out;
    for (auto [key, values] : seen_) {
      std::sort(values.begin(), values.end());
      out[key] = values[values.size() / 2];
    }
    return out;
  }

 private:
  std::map<std::pair<std::string, int>, std::vector<double>> seen_;
};

/// Keeps a second thread alive. The C library leaves out the atomic instructions of a mutex in a process with one thread,
/// which no process with a breaker in it is.
class second_thread {
 public:
  ~second_thread() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::thread thread_{[this] {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return done_; });
  }};
};

double bytes_per_breaker() {
  constexpr std::size_t count = 10'000;
  std::vector<std::unique_ptr<switchgear::circuit_breaker>> all;
  all.reserve(count);
  const std::size_t before = mallinfo2().uordblks;
  for (std::size_t i = 0; i < count; ++i) all.push_back(std::make_unique<switchgear::circuit_breaker>("service.name"));
  return static_cast<double>(mallinfo2().uordblks - before) / static_cast<double>(count);
}

/// What is measured once and not as a case.
struct other_figures {
  double bytes_per_breaker = 0;
  bench::bytes_in_flight in_flight;
  bench::delivery_latency redis_latency;
  double bytes_per_published_breaker = 0;
  bench::outages outages;
  bench::watched_calls watched;
  bench::shared_calls shared;
  bench::fleet_cost fleet;
  double simulated_events = 0;
};

other_figures measure_others(double dashboard_seconds) {
  return {bytes_per_breaker(), bench::measure_bytes_in_flight(), bench::measure_redis_latency(),
          bench::measure_bytes_of_a_published_breaker(), bench::measure_outages(),
          bench::measure_watched_calls(dashboard_seconds), bench::measure_shared_calls(), bench::measure_fleet_cost(),
          bench::measure_simulated_events()};
}

struct target {
  std::string name;
  double value;
  double limit;
  bool at_least;
  const char* unit;
  [[nodiscard]] bool met() const { return at_least ? value >= limit : value <= limit; }
};

std::vector<target> judge(const figures& f, const other_figures& others) {
  const auto at = [&f](const char* name, int threads) {
    const auto found = f.find({name, threads});
    return found == f.end() ? 0.0 : found->second;
  };
  const double healthy = at("healthy_count_window", 1), healthy2 = at("healthy_count_window", 2);
  return {
      {"healthy call over the bare call, 1 thread", healthy - at("bare_call", 1), 3, false, "ns"},
      {"two-mutex breaker / healthy call, 1 thread", at("mutex_breaker", 1) / healthy, 10, true, "x"},
      {"two-mutex breaker / healthy call, 2 threads", at("mutex_breaker", 2) / healthy2, 40, true, "x"},
      {"healthy call, 2 threads / 1 thread", healthy2 / healthy, 1.5, false, "x"},
      {"rejected without exception, 1 thread", at("rejected", 1), 15, false, "ns"},
      {"time window with slow calls over 1.15 x two clock reads, 1 thread",
       at("healthy_time_window_slow", 1) - 1.15 * at("two_clock_reads", 1), 5, false, "ns"},
      {"time window with slow calls over 1.15 x two clock reads, 2 threads",
       at("healthy_time_window_slow", 2) - 1.15 * at("two_clock_reads", 2), 5, false, "ns"},
      {"1 % failures, 1 thread", at("failures_1_percent", 1), 15, false, "ns"},
      {"bytes of an idle breaker", others.bytes_per_breaker, 1024, false, "bytes"},
      {"pipeline of fallback, retry and breaker over the bare call, 1 thread", at("pipeline_3", 1) - at("bare_call", 1), 15, false, "ns"},
      {"lookup of any of a million names, 1 thread", at("registry_lookup_1m", 1), 100, false, "ns"},
      {"lookup of any of a million names, 2 threads", at("registry_lookup_1m", 2), 100, false, "ns"},
      {"lookup of a thousand busy names among a million, 1 thread", at("registry_lookup_1m_busy", 1), 100, false, "ns"},
      {"lookup of a thousand busy names among a million, 2 threads", at("registry_lookup_1m_busy", 2), 100, false, "ns"},
      {"publish to the local bus, the caller's side", at("publish_local", 1), 200, false, "ns"},
      {"publish to Redis, the caller's side", at("publish_redis", 1), 1000, false, "ns"},
      {"publish to Kafka, the caller's side", at("publish_kafka", 1), 1000, false, "ns"},
      {"guarded call's p99, Redis stopped / no bus", others.outages.server_stopped / others.outages.without_bus, 1.5, false, "x"},
      {"guarded call's p99, Redis killed / no bus", others.outages.server_killed / others.outages.without_bus, 1.5, false, "x"},
      {"guarded call's p50, dashboard asked / none", others.watched.asked.p50 / others.watched.without.p50, 1.1, false, "x"},
      {"guarded call's p99, dashboard asked / none", others.watched.asked.p99 / others.watched.without.p99, 1.1, false, "x"},
      {"host_healthy from 2 processes / in-process from 2 threads", others.shared.host_healthy / others.shared.in_process, 1.2, false, "x"},
      {"fleet_healthy / in-process, 2 threads", others.shared.fleet_healthy / others.shared.in_process, 1.2, false, "x"},
      {"requests a second that the dashboard answered meanwhile", others.watched.requests_per_second, 950, true, ""},
  };
}

void print(const figures& f, const std::vector<target>& targets, const other_figures& others) {
  std::printf("\n%-28s %12s %12s\n", "case, ns a call", "1 thread", "2 threads");
  for (const auto& [key, ns] : f) {
    if (key.second != 1) continue;
    const auto two = f.find({key.first, 2});
    std::printf("%-28s %12.2f", key.first.c_str(), ns);
    if (two != f.end()) std::printf(" %12.2f", two->second);
    std::printf("\n");
  }
  std::printf("\n");
  const auto line = [](const char* what, double value, const char* unit) { std::printf("%-44s %12.0f %s\n", what, value, unit); };
  line("in flight through a breaker", others.in_flight.breaker, "bytes");
  line("in flight through pipeline_3", others.in_flight.pipeline_3, "bytes");
  line("a published breaker more than another", others.bytes_per_published_breaker, "bytes");
  line("guarded call's p99 without a bus", others.outages.without_bus, "ns");
  line("guarded call's p99 with a Redis bus", others.outages.with_bus, "ns");
  line("guarded call's p99, that Redis stopped", others.outages.server_stopped, "ns");
  line("guarded call's p99, that Redis killed", others.outages.server_killed, "ns");
  line("guarded call's p50, no dashboard", others.watched.without.p50, "ns");
  line("guarded call's p50, dashboard that is asked", others.watched.asked.p50, "ns");
  line("guarded call's p99, no dashboard", others.watched.without.p99, "ns");
  line("guarded call's p99, dashboard not asked", others.watched.idle.p99, "ns");
  line("guarded call's p99, dashboard that is asked", others.watched.asked.p99, "ns");
  const auto small = [](const char* what, double value, const char* unit) { std::printf("%-60s %10.2f %s\n", what, value, unit); };
  small("healthy call, in-process, beside a second thread", others.shared.in_process, "ns");
  small("host_healthy, beside a second process", others.shared.host_healthy, "ns");
  small("fleet_healthy, beside a second thread", others.shared.fleet_healthy, "ns");
  small("fleet, commands a second and instance, quiet, 1,000 circuits", others.fleet.commands_quiet, "");
  small("fleet, the same, busy", others.fleet.commands_busy, "");
  small("fleet, the same a circuit, busy", others.fleet.commands_busy / 1000, "");
  small("fleet, processor time of a quiet instance a second", others.fleet.worker_microseconds, "us");
  small("fleet, memory of a circuit at its instance", others.fleet.bytes_of_a_circuit, "bytes");
  small("fleet, memory of a circuit at the store", others.fleet.store_bytes_of_a_circuit, "bytes");
  small("simulator, events a second", others.simulated_events, "");
  line("from publish to handler over Redis, p50", others.redis_latency.p50, "ns");
  line("from publish to handler over Redis, p99", others.redis_latency.p99, "ns");
  for (const char* bus : {"bus_local", "bus_redis", "bus_kafka"}) {
    if (const auto found = f.find({bus, 1}); found != f.end()) line((std::string(bus) + ", events a second").c_str(), 1e9 / found->second, "");
  }
  std::printf("\n%-68s %10s %10s\n", "target", "measured", "wanted");
  for (const target& t : targets) {
    std::printf("%-68s %10.2f %s%8.2f %-5s %s\n", t.name.c_str(), t.value, t.at_least ? ">=" : "<=", t.limit, t.unit,
                t.met() ? "met" : "MISSED");
  }
}

bool write_json(const std::string& path, const figures& f, const std::vector<target>& targets,
                const other_figures& others) {
  std::ofstream out(path);
  out << "{\"cases\":[";
  const char* comma = "";
  for (const auto& [key, ns] : f) {
    out << comma << "{\"name\":\"" << key.first << "\",\"threads\":" << key.second << ",\"ns\":" << switchgear::json_number(ns) << "}";
    comma = ",";
  }
  out << "],\"ratios\":{";
  comma = "";
  for (const target& t : targets) {
    out << comma << switchgear::json_string(t.name) << ":" << switchgear::json_number(t.value);
    comma = ",";
  }
  const auto number = [](double value) { return switchgear::json_number(value); };
  out << "},\"bytes_in_flight\":{\"breaker\":" << number(others.in_flight.breaker)
      << ",\"pipeline_3\":" << number(others.in_flight.pipeline_3) << "}"
      << ",\"bytes_per_published_breaker\":" << number(others.bytes_per_published_breaker)
      << ",\"host_healthy_ns\":" << number(others.shared.host_healthy)
      << ",\"fleet_healthy_ns\":" << number(others.shared.fleet_healthy)
      << ",\"in_process_ns\":" << number(others.shared.in_process)
      << ",\"fleet_commands_per_second\":{\"quiet\":" << number(others.fleet.commands_quiet)
      << ",\"busy\":" << number(others.fleet.commands_busy) << "}"
      << ",\"fleet_bytes_per_circuit\":{\"instance\":" << number(others.fleet.bytes_of_a_circuit)
      << ",\"store\":" << number(others.fleet.store_bytes_of_a_circuit) << "}"
      << ",\"simulator_events_per_second\":" << number(others.simulated_events)
      << ",\"redis_latency_ns\":{\"p50\":" << number(others.redis_latency.p50)
      << ",\"p99\":" << number(others.redis_latency.p99) << "}}\n";
  return static_cast<bool>(out.flush());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--call-shared") == 0) return bench::call_shared_circuit(argv[2]);  // likewise
  if (argc == 3 && std::strcmp(argv[1], "--ask-dashboard") == 0) {  // started by ourselves
    return bench::ask_dashboard(static_cast<std::uint16_t>(std::atoi(argv[2])));
  }
  std::string json;
  double dashboard_seconds = 30;
  std::vector<char*> rest{argv[0]};
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
      json = argv[++i];
    } else if (std::strcmp(argv[i], "--dashboard-seconds") == 0 && i + 1 < argc) {
      dashboard_seconds = std::atof(argv[++i]);
    } else if (std::strcmp(argv[i], "--help") == 0) {
      std::printf("bench [--json FILE] [--dashboard-seconds S] [--benchmark_filter=REGEX] [--benchmark_min_time=S] [--benchmark_repetitions=N]\n");
      return 0;
    } else {
      rest.push_back(argv[i]);
    }
  }
  // In random order, so that a slow moment of the machine does not fall on one case alone.
  std::string defaults[] = {"--benchmark_repetitions=9", "--benchmark_min_time=0.05", "--benchmark_enable_random_interleaving=true"};
  for (std::string& option : defaults) rest.insert(rest.begin() + 1, option.data());
  int count = static_cast<int>(rest.size());
  benchmark::Initialize(&count, rest.data());
  if (benchmark::ReportUnrecognizedArguments(count, rest.data())) return 2;

  const other_figures others = measure_others(dashboard_seconds);
  const second_thread companion;
  collector seen;
  if (benchmark::RunSpecifiedBenchmarks(&seen) == 0) return 2;
  const figures f = seen.medians();
  const std::vector<target> targets = judge(f, others);
  print(f, targets, others);
  if (!json.empty() && !write_json(json, f, targets, others)) {
    std::fprintf(stderr, "cannot write %s\n", json.c_str());
    return 1;
  }
  return 0;
}
