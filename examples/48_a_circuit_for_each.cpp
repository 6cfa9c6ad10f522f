// SPDX-License-Identifier: Apache-2.0
//
// One circuit for each endpoint, one for each tenant, and a bound on how many there may be.
#include "check.hpp"

#include <switchgear/registry.hpp>
#include <switchgear/testing/breakers.hpp>

#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;

int main() {
  sg::testing::manual_clock clock;
  // [endpoints]
  sg::registry circuits{{.max_breakers = 4, .environment = sg::variables{}}, clock};
  const auto search = circuits.get("shop-api:search");      // what the program names: a handful, kept for ever
  const auto checkout = circuits.get("shop-api:checkout");
  // [/endpoints]
  sg::testing::fail_times(*search, 5);
  expect(search->is_open() && checkout->is_closed());  // what fails in one opens no other

  // [tenants]
  const auto deliver = [&](const std::string& tenant) {  // what data names: comes and goes
    const auto circuit = circuits.get(sg::operation_key("webhook", tenant), {.failure_threshold = 2});
    return circuit->try_call([&] { return tenant + " told"; });
  };
  // [/tenants]
  for (int i = 0; i < 1'000; ++i) expect(deliver("tenant-" + std::to_string(i)).has_value());
  expect(circuits.size() == 4);  // those that were well and idle made room
  const sg::registry_metrics seen = circuits.metrics();
  std::cout << seen.created << " made, " << seen.evicted << " gone again\n";
  expect(seen.created == 1'002 && seen.evicted == 998 && seen.turned_away == 0);

  // What is in trouble stays. A registry that is full of it refuses further names, and says so.
  for (const std::string tenant : {"red", "blue"}) {
    sg::testing::fail_times(*circuits.get(sg::operation_key("webhook", tenant), {.failure_threshold = 2}), 2);
  }
  try {
    (void)deliver("green");
    expect(false);
  } catch (const sg::registry_full_error& e) {
    std::cout << e.what() << "\n";
    expect(e.limit() == 4 && circuits.metrics().turned_away == 1);
  }
}
