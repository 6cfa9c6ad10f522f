// SPDX-License-Identifier: Apache-2.0
// What sharing costs: a circuit of several processes of a host, a member of a fleet, the store, the simulator.
#include "sharing_cases.hpp"

#include "opaque.hpp"
#include "redis_server.hpp"
#include "server_process.hpp"

#include <switchgear/fleet/member.hpp>
#include <switchgear/host/shared_circuits.hpp>
#include <switchgear/redis/connection.hpp>
#include <switchgear/registry.hpp>
#include <switchgear/simulation/report.hpp>

#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using wall = std::chrono::steady_clock;

constexpr std::string_view circuit_name = "bench";
constexpr std::string_view file_name = "bench";

sg::config rate_rule() { return {.failure_rate_threshold = 0.5}; }

void warm_up(sg::circuit_breaker& b) {
  for (int i = 0; i < 10'000; ++i) (void)b.call([i] { return bench::opaque(i); });
}

/// Nanoseconds of one healthy call, over some milliseconds.
double round_of(sg::circuit_breaker& b) {
  constexpr int calls = 2'000'000;
  int x = 0;
  const auto start = wall::now();
  for (int i = 0; i < calls; ++i) x = b.call([x] { return bench::opaque(x); });
  const double took = std::chrono::duration<double, std::nano>(wall::now() - start).count();
  if (x == -1) throw std::logic_error("never");  // the calls have to be made
  return took / calls;
}

double median(std::vector<double> all) {
  std::ranges::sort(all);
  return all[all.size() / 2];
}

/// Another thread that calls the breaker as long as this lives.
class caller {
 public:
  explicit caller(sg::circuit_breaker& b) : thread_([this, &b] {
    int x = 0;
    while (!done_.load(std::memory_order_relaxed)) {
      for (int i = 0; i < 1000; ++i) x = b.call([x] { return bench::opaque(x); });
    }
  }) {}
  ~caller() {
    done_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> done_{false};
  std::thread thread_;
};

std::shared_ptr<sg::host::shared_circuits> open_shared(const std::string& folder) {
  return sg::host::shared_circuits::open(sg::host::state_folder::open_or_create(folder), file_name);
}

double processor_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

std::string url_of(const test_support::redis_server& server) {
  return "redis://127.0.0.1:" + std::to_string(server.port()) + "/0";
}

/// One number out of INFO.
double info_number(sg::redis::connection& c, std::string_view section, const std::string& key) {
  const sg::redis::reply all = c.command({"INFO", section});
  const auto at = all.text.find(key + ":");
  if (at == std::string::npos) throw std::runtime_error("the server does not tell " + key);
  return std::stod(all.text.substr(at + key.size() + 1));
}

/// Some processes' worth of circuits and their member, in this process.
struct instance {
  instance(const std::string& url, int circuits) {
    for (int i = 0; i < circuits; ++i) {
      held.push_back(all.get("circuit-" + std::to_string(i), {.failure_threshold = 3, .open_duration = 1s}));
    }
    sg::fleet::options o;
    o.url = url;
    o.adopt_within = 5s;
    joined = std::make_unique<sg::fleet::member>(all, o);
  }
  sg::registry all;
  std::vector<sg::breaker_handle> held;
  std::unique_ptr<sg::fleet::member> joined;
};

}  // namespace

int bench::call_shared_circuit(const std::string& folder) {
  const auto b = open_shared(folder)->breaker(circuit_name, rate_rule());
  const caller c(*b);
  for (;;) std::this_thread::sleep_for(1s);
}

bench::shared_calls bench::measure_shared_calls() {
  constexpr int rounds = 31;
  shared_calls out;
  const test_support::temporary_folder folder;
  const std::string place = (folder.path() / "state").string();
  const auto shared = open_shared(place);
  const auto host = shared->breaker(circuit_name, rate_rule());
  warm_up(*host);
  sg::circuit_breaker alone(std::string(circuit_name), rate_rule());
  warm_up(alone);
  test_support::redis_server store;
  store.start();
  instance member(url_of(store), 1);
  auto& of_fleet = *member.all.get("fleet", rate_rule());
  warm_up(of_fleet);

  std::vector<double> in_process, host_healthy, fleet_healthy;
  for (int i = 0; i < rounds; ++i) {
    {
      const caller other(alone);
      in_process.push_back(round_of(alone));
    }
    {
      test_support::server_process other({.command = {"/proc/self/exe", "--call-shared", place}});
      const std::uint64_t before = host->figures().metrics.successes;
      while (host->figures().metrics.successes == before) std::this_thread::sleep_for(1ms);  // it is calling
      host_healthy.push_back(round_of(*host));
    }
    {
      const caller other(of_fleet);
      fleet_healthy.push_back(round_of(of_fleet));
    }
  }
  out.in_process = median(in_process);
  out.host_healthy = median(host_healthy);
  out.fleet_healthy = median(fleet_healthy);
  return out;
}

bench::fleet_cost bench::measure_fleet_cost() {
  constexpr int instances = 4, circuits = 1000;
  constexpr auto watched = 4s;
  fleet_cost out;
  test_support::redis_server store;
  store.start();
  auto watcher = sg::redis::connection::open({.port = store.port()});
  const double store_before = info_number(watcher, "memory", "used_memory");

  const auto bytes_with = [&](bool with_member) {
    const std::size_t before = mallinfo2().uordblks;
    instance one(url_of(store), circuits);
    if (!with_member) one.joined.reset();
    return static_cast<double>(mallinfo2().uordblks - before);
  };
  out.bytes_of_a_circuit = (bytes_with(true) - bytes_with(false)) / circuits;

  std::vector<std::unique_ptr<instance>> all;
  for (int i = 0; i < instances; ++i) all.push_back(std::make_unique<instance>(url_of(store), circuits));
  const auto commands = [&] {
    double sum = 0;
    for (const auto& one : all) sum += static_cast<double>(one->joined->metrics().requests);
    return sum;
  };
  const auto over = [&](const auto& each_tenth) {
    const double before = commands();
    const auto start = wall::now();
    while (wall::now() - start < watched) {
      each_tenth();
      std::this_thread::sleep_for(100ms);
    }
    const double seconds = std::chrono::duration<double>(wall::now() - start).count();
    return (commands() - before) / seconds / instances;
  };
  const double processor = processor_seconds();
  out.commands_quiet = over([] {});
  out.worker_microseconds = (processor_seconds() - processor) * 1e6 / std::chrono::duration<double>(watched).count() / instances;
  int turn = 0;
  out.commands_busy = over([&] {
    for (auto& one : all) {
      for (auto& b : one->held) (void)b->try_call([] { return 1; });
    }
    all[0]->held[static_cast<std::size_t>(turn++ % 10)]->trip("bench");
  });
  for (auto& b : all[0]->held) b->force_open("bench");
  std::this_thread::sleep_for(2s);
  out.store_bytes_of_a_circuit = (info_number(watcher, "memory", "used_memory") - store_before) / circuits;
  return out;
}

double bench::measure_simulated_events() {
  sg::simulation::settings s;
  s.instances = 1000;
  s.duration = 2min;
  const auto start = wall::now();
  const sg::simulation::report r = sg::simulation::run(s);
  return static_cast<double>(r.events) / std::chrono::duration<double>(wall::now() - start).count();
}
