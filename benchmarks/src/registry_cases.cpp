// SPDX-License-Identifier: Apache-2.0
// The cases: finding a breaker by its name, among ten and among a million.
#include <switchgear/registry.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace sg = switchgear;

/// An order that no cache foresees, the same in each run: Fisher and Yates with a linear congruential generator (Knuth, TAOCP 2,
/// 3.2.1 and 3.4.2).
template <class T>
void shuffle(std::vector<T>& items) {
  std::uint64_t x = 1;
  for (std::size_t i = items.size() - 1; i > 0; --i) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    std::swap(items[i], items[(x >> 33) % (i + 1)]);
  }
}

/// A registry with names, and an order to ask for them in.
template <std::size_t Count>
struct filled {
  filled() : circuits({.max_breakers = Count}) {
    names.reserve(Count);
    handles.reserve(Count);
    for (std::size_t i = 0; i < Count; ++i) {
      names.push_back("service-" + std::to_string(i));
      handles.push_back(circuits.get(names.back()));
    }
    shuffle(names);
  }
  sg::registry circuits;
  std::vector<std::string> names;
  std::vector<sg::breaker_handle> handles;  ///< held, as by their users
};

/// Asks for `Busy` of the names in turn.
template <std::size_t Count, std::size_t Busy>
void lookup(benchmark::State& state) {
  // Made once for all runs: a million breakers take seconds.
  static filled<Count> shared;
  std::size_t i = static_cast<std::size_t>(state.thread_index()) * Busy / 2;
  for (auto _ : state) {
    if (++i >= Busy) i = 0;
    const sg::breaker_handle found = shared.circuits.find(shared.names[i]);
    benchmark::DoNotOptimize(found.get());
  }
}

void registry_lookup_10(benchmark::State& state) { lookup<10, 10>(state); }
/// Any name is as likely as any other: each lookup waits for memory.
void registry_lookup_1m(benchmark::State& state) { lookup<1'000'000, 1'000'000>(state); }
/// Most calls go to few names: those are in the caches.
void registry_lookup_1m_busy(benchmark::State& state) { lookup<1'000'000, 1'000>(state); }

/// What one read costs that no cache foresees, of one in as many lines as a million records have.
void memory_read(benchmark::State& state) {
  struct alignas(64) line {
    std::uint32_t next = 0;
  };
  static const std::vector<line> lines = [] {
    std::vector<std::uint32_t> order(1'000'000);
    std::iota(order.begin(), order.end(), 0u);
    shuffle(order);
    std::vector<line> out(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) out[order[i]].next = order[(i + 1) % order.size()];
    return out;
  }();
  std::uint32_t at = static_cast<std::uint32_t>(state.thread_index()) * 500'000;
  for (auto _ : state) {
    at = lines[at].next;
    benchmark::DoNotOptimize(at);
  }
}

BENCHMARK(registry_lookup_10)->Threads(1)->Threads(2);
BENCHMARK(registry_lookup_1m)->Threads(1)->Threads(2);
BENCHMARK(registry_lookup_1m_busy)->Threads(1)->Threads(2);
BENCHMARK(memory_read)->Threads(1)->Threads(2);

}  // namespace
