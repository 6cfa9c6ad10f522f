// SPDX-License-Identifier: Apache-2.0
//
// One truth for many hosts: give it the URL of a Redis (redis://127.0.0.1:6379/0). Two instances of a service, here in one
// program, each with its own circuits, which decide at full speed and never wait for Redis; what one finds out is in force at both.
#include "check.hpp"

#include <switchgear/fleet/member.hpp>
#include <switchgear/registry.hpp>

#include <functional>
#include <string>
#include <thread>

namespace sg = switchgear;
using namespace std::chrono_literals;

bool soon(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000; ++i) {  // at most ten seconds
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

struct instance {
  instance(const std::string& url, const std::string& name) : circuits{{.environment = sg::variables{}}}, fleet{circuits, {
      .url = url,
      .name = "shop",
      .instance = name,
      .opening = sg::fleet::sharing::any,
      .ramp = {{0.25, 100ms}, {0.5, 100ms}},  // after a recovery, before all calls are admitted again
      .adopt_within = 2s,                     // a new instance knows what the fleet knows before its first call
  }} {}
  sg::registry circuits;
  sg::fleet::member fleet;
  sg::breaker_handle payments =
      circuits.get("payments", {.failure_threshold = 3, .open_duration = 500ms, .success_threshold = 1});
};

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: 53_fleet redis://HOST:PORT/DATABASE\n";
    return 2;
  }
  instance a(argv[1], "web-1"), b(argv[1], "web-2");
  const auto say = [](const instance& of) {
    const sg::snapshot now = of.payments.snapshot();
    std::cout << of.fleet.instance() << ": " << now.state << ", " << now.state_changes.back().reason << "\n";
  };

  // [opening]
  for (int i = 0; i < 3; ++i) a.payments->try_acquire().failure("connection refused");
  expect(soon([&] { return b.payments->is_open(); }));  // within milliseconds, without a failure of its own
  say(b);
  // [/opening]

  // [recovery]
  const auto works = [](instance& of) { return of.payments->try_call([] { return 42; }).has_value(); };
  expect(soon([&] { return works(a) || works(b); }));  // one of them was given the only probe there is
  expect(soon([&] { return a.payments->is_closed() && b.payments->is_closed(); }));
  // [/recovery]
  std::cout << "closed at both\n";

  // [operating]
  b.payments->force_open("migration", "ann", 1h);  // an operator's word counts for the fleet
  expect(soon([&] { return a.payments->state() == sg::state::forced_open; }));
  // [/operating]
  std::cout << a.fleet.instance() << ": held open by " << a.payments->snapshot().operator_override->owner << "\n";

  instance c(argv[1], "web-3");  // whoever comes later adopts it before the first call
  std::cout << c.fleet.instance() << ": " << c.payments->state() << "\n";
  c.payments->release();
  expect(soon([&] { return a.payments->is_closed(); }));
}
