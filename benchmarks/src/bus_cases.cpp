// SPDX-License-Identifier: Apache-2.0
// The cases: events through each bus, and what publishing costs who publishes.
#include "bus_cases.hpp"

#include "kafka_cluster.hpp"
#include "redis_server.hpp"

#include <switchgear/bus_url.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/kafka_bus.hpp>
#include <switchgear/local_bus.hpp>
#include <switchgear/redis_bus.hpp>
#include <switchgear/registry.hpp>

#include <benchmark/benchmark.h>

#include <malloc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using wall = std::chrono::steady_clock;

/// As many as fit into the queue of a bus, so that none is dropped.
constexpr std::uint64_t burst = 1024;

/// Nanoseconds that this thread has been on a processor.
double processor_time() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

sg::event example() {
  sg::event e;
  e.kind = sg::event_kind::opened;
  e.service = "payments.charge";
  e.state = sg::state::open;
  e.failure_count = 5;
  e.reason = "5 consecutive failures (threshold 5)";
  e.instance = "0123456789abcdef";
  e.id = sg::make_uuid();
  e.time = std::chrono::system_clock::now();
  return e;
}

/// A bus with one subscriber, who notes how far he has heard. The last event of a circuit always arrives, and in order.
class measured_bus {
 public:
  explicit measured_bus(std::unique_ptr<sg::event_bus> bus) : bus_(std::move(bus)) {
    subscription_ = bus_->subscribe(sg::topics::state, [this](std::string_view, const sg::event& e) {
      heard_.store(e.sequence, std::memory_order_relaxed);  // a number that nothing else hangs on
      heard_.notify_all();
    });
    // Until the subscription is in place, which on a server takes a moment.
    while (heard_.load() == 0) {
      publish_one();
      std::this_thread::sleep_for(1ms);
    }
    settle();
  }

  /// Nanoseconds of processor time that publish() takes of its caller, on average over a burst. Not of wall time: where the threads
  /// of the bus and the server want the same few processors, that is how long the caller was made to wait for one.
  double publish_burst() {
    settle();
    const double start = processor_time();
    for (std::uint64_t i = 0; i < burst; ++i) publish_one();
    const double took = processor_time() - start;
    settle();
    return took / burst;
  }

  /// Nanoseconds an event, from the first publish() of a burst to the last call of the handler.
  double pass_burst() {
    settle();
    const auto start = wall::now();
    for (std::uint64_t i = 0; i < burst; ++i) publish_one();
    settle();
    return std::chrono::duration<double, std::nano>(wall::now() - start).count() / burst;
  }

  /// Nanoseconds from publish() to the handler of one event.
  double pass_one() {
    const auto start = wall::now();
    publish_one();
    settle();
    return std::chrono::duration<double, std::nano>(wall::now() - start).count();
  }

 private:
  void publish_one() {
    event_.sequence = event_.generation = ++published_;
    bus_->publish(event_);
  }
  void settle() {
    for (std::uint64_t now = heard_.load(); now < published_; now = heard_.load()) heard_.wait(now);
  }

  std::unique_ptr<sg::event_bus> bus_;
  sg::event event_ = example();
  std::uint64_t published_ = 0;
  std::atomic<std::uint64_t> heard_{0};
  sg::subscription subscription_;
};

test_support::redis_server& started_redis() {
  static test_support::redis_server server;
  if (!server.running()) server.start();
  return server;
}

std::unique_ptr<sg::event_bus> over_redis() {
  static test_support::redis_server& server = started_redis();
  return std::make_unique<sg::redis_bus>(sg::redis_bus_options{
      .server = {.port = server.port()}, .fleet = "bench-" + sg::make_uuid().substr(0, 8)});
}

std::unique_ptr<sg::event_bus> over_kafka() {
  static test_support::kafka_cluster cluster;
  return std::make_unique<sg::kafka_bus>(
      sg::kafka_bus_options_of(sg::parse_bus_url("kafka://" + cluster.brokers() + "/" + cluster.new_topic(1))));
}

template <class Make>
void publish(benchmark::State& state, Make make) {
  static measured_bus bus(make());
  for (auto _ : state) state.SetIterationTime(bus.publish_burst() * 1e-9);
}

template <class Make>
void pass(benchmark::State& state, Make make) {
  static measured_bus bus(make());
  for (auto _ : state) state.SetIterationTime(bus.pass_burst() * 1e-9);
}

std::unique_ptr<sg::event_bus> local() { return std::make_unique<sg::local_bus>(); }

void publish_local(benchmark::State& state) { publish(state, [] { return local(); }); }
void publish_redis(benchmark::State& state) { publish(state, [] { return over_redis(); }); }
void publish_kafka(benchmark::State& state) { publish(state, [] { return over_kafka(); }); }
void bus_local(benchmark::State& state) { pass(state, [] { return local(); }); }
void bus_redis(benchmark::State& state) { pass(state, [] { return over_redis(); }); }
void bus_kafka(benchmark::State& state) { pass(state, [] { return over_kafka(); }); }

// A fixed number of bursts: the time of an iteration is that of one event, which would ask for far too many of them.
BENCHMARK(publish_local)->UseManualTime()->Iterations(50);
BENCHMARK(publish_redis)->UseManualTime()->Iterations(20);
BENCHMARK(publish_kafka)->UseManualTime()->Iterations(10);
BENCHMARK(bus_local)->UseManualTime()->Iterations(50);
BENCHMARK(bus_redis)->UseManualTime()->Iterations(20);
BENCHMARK(bus_kafka)->UseManualTime()->Iterations(10);

double bytes_of_registry(sg::event_bus* bus) {
  constexpr int count = 10'000;
  sg::registry circuits{{.max_breakers = count, .bus = bus}};
  const std::size_t before = mallinfo2().uordblks;
  for (int i = 0; i < count; ++i) circuits.get("service-" + std::to_string(i));
  if (bus != nullptr) bus->flush(60s);
  return static_cast<double>(mallinfo2().uordblks - before) / count;
}

/// Nanoseconds of a guarded call, the 99th percentile of many. Every thousandth call finds the circuit tripped and resets it, so that
/// there is always something to publish.
double slow_call(sg::event_bus* bus) {
  sg::registry circuits{{.bus = bus}};
  const sg::breaker_handle breaker = circuits.get("payments");
  std::vector<double> took(200'000);
  for (std::size_t i = 0; i < took.size(); ++i) {
    if (i % 1000 == 0) breaker->trip();
    if (i % 1000 == 1) breaker->reset();
    const auto start = wall::now();
    if (sg::permit permit = breaker->try_acquire()) permit.success();
    took[i] = std::chrono::duration<double, std::nano>(wall::now() - start).count();
  }
  const auto at = took.begin() + static_cast<std::ptrdiff_t>(took.size() * 99 / 100);
  std::nth_element(took.begin(), at, took.end());
  return *at;
}

/// The median of several, in turns with the others, so that a slow moment falls on all of them.
template <std::size_t N>
std::array<double, N> slow_calls(const std::array<sg::event_bus*, N>& buses) {
  std::array<std::vector<double>, N> all;
  for (int round = 0; round < 7; ++round) {
    for (std::size_t i = 0; i < N; ++i) all[i].push_back(slow_call(buses[i]));
  }
  std::array<double, N> out{};
  for (std::size_t i = 0; i < N; ++i) {
    std::sort(all[i].begin(), all[i].end());
    out[i] = all[i][all[i].size() / 2];
  }
  return out;
}

}  // namespace

bench::outages bench::measure_outages() {
  test_support::redis_server hung, gone;
  hung.start();
  gone.start();
  const auto connected_to = [](test_support::redis_server& server) {
    auto bus = std::make_unique<sg::redis_bus>(sg::redis_bus_options{.server = {.port = server.port()}});
    bus->start();
    while (!bus->metrics().connected) std::this_thread::sleep_for(1ms);
    return bus;
  };
  const auto well = connected_to(started_redis()), to_hung = connected_to(hung), to_gone = connected_to(gone);
  hung.stop();
  gone.kill();
  const auto [without, with, stopped, killed] =
      slow_calls<4>({nullptr, well.get(), to_hung.get(), to_gone.get()});
  return {without, with, stopped, killed};
}

bench::delivery_latency bench::measure_redis_latency() {
  measured_bus bus(over_redis());
  std::vector<double> all(2000);
  for (double& one : all) one = bus.pass_one();
  std::sort(all.begin(), all.end());
  return {all[all.size() / 2], all[all.size() * 99 / 100]};
}

double bench::measure_bytes_of_a_published_breaker() {
  const double alone = bytes_of_registry(nullptr);
  sg::local_bus bus;
  const auto subscription = bus.subscribe(sg::topics::all, [](std::string_view, const sg::event&) {});
  return bytes_of_registry(&bus) - alone;
}
