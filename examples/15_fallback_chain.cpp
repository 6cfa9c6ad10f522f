// SPDX-License-Identifier: Apache-2.0
//
// Several providers of one thing, each with a breaker of its own: who is down is passed over.
#include "check.hpp"

#include <switchgear/fallback.hpp>
#include <switchgear/provider_chain.hpp>
#include <switchgear/registry.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <stdexcept>
#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;

int main() {
  sg::testing::manual_clock clock;
  sg::registry circuits{{.environment = sg::variables{}}, clock};
  const sg::config config{.failure_threshold = 2, .open_duration = 30s};

  std::string down;  // whoever is named in here does not answer
  const auto server = [&](const std::string& name) {
    return [&, name](const std::string& question) {
      if (down.find(name) != std::string::npos) throw std::runtime_error(name + ": connection refused");
      return name + " on " + question;
    };
  };
  // [chain]
  sg::provider_chain<std::string(const std::string&)> models{{.name = "models", .only_rejections = true}};
  for (const std::string name : {"primary", "fallback-1", "fallback-2"}) {
    models.add(name, circuits.get(name, config).share(), server(name));  // breakers by name: their state lasts
  }
  // [/chain]
  expect(models("circuits") == "primary on circuits");

  // Only an open circuit leads on, as only_rejections says: what the provider itself throws passes.
  down = "primary fallback-1";
  for (int i = 0; i < 2; ++i) {
    try {
      (void)models("circuits");
      expect(false);
    } catch (const std::runtime_error& e) {
      expect(std::string(e.what()) == "primary: connection refused");
    }
  }
  expect(circuits.open_circuits().size() == 1);
  circuits.get("fallback-1")->trip("maintenance");
  expect(models("circuits") == "fallback-2 on circuits");

  // When all circuits are open, the error lists every provider with its reason, and the earliest time to come back.
  circuits.get("fallback-2")->trip("maintenance");
  try {
    (void)models("circuits");
    expect(false);
  } catch (const sg::all_providers_rejected_error& e) {
    std::cout << e.what() << "\n";
    expect(e.failures().size() == 3 && e.failures().front().provider == "primary");
    expect(e.retry_after() == 30s);
  }

  // Or an answer for the user, instead of the error.
  // [last]
  const sg::fallback polite{std::string("All services down"),
                            {.when = sg::classifier{}.fail_only<sg::all_providers_failed_error>()}};
  const std::string answer = polite.call([&] { return models("circuits"); });
  // [/last]
  expect(answer == "All services down");

  // Without only_rejections (the default) a failure leads to the next one, too.
  sg::provider_chain<std::string(const std::string&)> eager;
  eager.add("primary", server("primary")).add("canned", [](const std::string&) { return "Please try again later."; });
  expect(eager("circuits") == "Please try again later.");
  for (const sg::provider_metrics& m : eager.metrics()) std::cout << m.name << ": " << m.answered << " answers\n";

  clock.advance(30s);
  down.clear();
  expect(models("circuits") == "primary on circuits");
}
