// SPDX-License-Identifier: Apache-2.0
//
// A classifier decides what a value or an exception says about the dependency.
#include "check.hpp"

#include <switchgear/circuit_breaker.hpp>

#include <stdexcept>
#include <string>

namespace sg = switchgear;

struct bad_query : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};
struct response {
  int status = 200;
};

response find(const std::string& query) {
  if (query.empty()) throw bad_query("empty query");
  if (query == "slow shard") return {503};
  if (query == "unknown") return {404};
  return {200};
}

int main() {
  sg::circuit_breaker search{"search", {.failure_threshold = 3}, sg::classifier{}
      .ignore<bad_query>()                                                    // the caller's fault
      .ignore_if([](const response& r) { return r.status == 404; })           // an answer, but no evidence
      .fail_if([](const response& r) { return r.status >= 500; })};           // a value can be a failure

  // Mistakes of the caller never open the circuit.
  for (int i = 0; i < 10; ++i) {
    try {
      (void)search.call([] { return find(""); });
    } catch (const bad_query&) {
    }
  }
  expect(search.is_closed());
  expect(search.snapshot().metrics.ignored == 10);

  (void)search.call([] { return find("unknown"); });
  expect(search.snapshot().metrics.ignored == 11);

  // The value of a failure is returned as it is; try_call tells how it counted.
  expect(search.call([] { return find("slow shard"); }).status == 503);
  const auto result = search.try_call([] { return find("slow shard"); });
  expect(result && result->status == 503);
  expect(result.verdict() == sg::verdict::failure);
  (void)search.call([] { return find("slow shard"); });
  expect(search.is_open());
  std::cout << search.history().back().reason << "\n";

  // The other way round: only these exceptions are failures.
  sg::classifier only_timeouts;
  only_timeouts.fail_only<sg::call_timeout_error>();
  sg::circuit_breaker cache{"cache", {.failure_threshold = 1}, only_timeouts};
  expect(!cache.try_call([]() -> int { throw std::runtime_error("miss"); }));
  expect(cache.is_closed());
}
