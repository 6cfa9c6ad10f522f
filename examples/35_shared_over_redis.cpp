// SPDX-License-Identifier: Apache-2.0
//
// What one process learns, the others hear: over Redis when a URL is given (redis://127.0.0.1:6379/0), else within this
// process. The two halves of this program know nothing of each other but the bus and the name of the circuit.
#include "check.hpp"

#include <switchgear/open_bus.hpp>
#include <switchgear/registry.hpp>

#include <future>
#include <memory>
#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;

// [listener]
/// Another process of the fleet: takes over what its peers found out, and finds out for itself when it is over.
class listener {
 public:
  explicit listener(sg::event_bus& bus)
      : payments_(circuits_.get("payments", {.open_duration = 1h})),
        subscription_(bus.subscribe("circuit_breaker.state.payments", [this](std::string_view, const sg::event& e) { hear(e); },
                                    {.present = true})) {}  // whoever comes late is told how it is now
  /// The line for the first news of that kind; "nothing" when there was none in ten seconds.
  std::string news() { return told_.wait_for(10s) == std::future_status::ready ? told_.get() : "nothing"; }
  sg::breaker_handle& payments() { return payments_; }

 private:
  void hear(const sg::event& e) {
    if (e.state != sg::state::open || !payments_->is_closed()) return;
    payments_->trip("a peer says: " + e.reason);  // opens here, ages and probes here
    news_.set_value(e.service + " is " + std::string(to_string(e.state)) + ": " + e.reason);
  }
  sg::registry circuits_{{.environment = sg::variables{}}};  // not on the bus: what it takes over it does not tell again
  sg::breaker_handle payments_;
  std::promise<std::string> news_;
  std::future<std::string> told_ = news_.get_future();
  sg::subscription subscription_;
};
// [/listener]

int main(int argc, char** argv) {
  const std::string url = argc > 1 ? argv[1] : "local:";
  // [buses]
  const std::shared_ptr<sg::event_bus> telling = sg::open_bus(url);  // each process opens its own
  const std::shared_ptr<sg::event_bus> hearing = url == "local:" ? telling : std::shared_ptr(sg::open_bus(url));
  // [/buses]
  listener early(*hearing);

  sg::registry circuits{{.environment = sg::variables{}, .bus = telling.get()}};
  auto payments = circuits.get("payments", {.failure_threshold = 3, .open_duration = 1h});
  for (int i = 0; i < 3; ++i) payments->try_acquire().failure("connection refused");
  sg::drain_events();
  expect(telling->flush(10s));

  std::cout << "early: " << early.news() << "\n";
  expect(early.payments()->is_open());
  std::cout << "early: " << early.payments()->history().back().reason << "\n";

  listener late(*hearing);
  std::cout << "late: " << late.news() << "\n";
  expect(late.payments()->is_open() && late.payments()->snapshot().metrics.failures == 0);
}
