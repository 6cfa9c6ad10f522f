// SPDX-License-Identifier: Apache-2.0
//
// One agent behind a circuit of its own: three failures of a dear, slow model open it, and until it is well a prepared answer is
// given at once. The clock is moved by hand, so nothing waits.
#include "check.hpp"

#include <switchgear/registry.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <stdexcept>
#include <string>

namespace sg = switchgear;
using namespace std::chrono_literals;

/// Stands for a language model that takes 30 seconds to say that it is overloaded.
struct researcher {
  sg::testing::manual_clock& clock;
  bool overloaded = false;
  int asked = 0;

  std::string execute(const std::string& task) {
    ++asked;
    if (!overloaded) return "three sources on " + task;
    clock.advance(30s);
    throw std::runtime_error("model overloaded");
  }
};

int main() {
  sg::testing::manual_clock clock;
  sg::registry circuits{{.environment = sg::variables{}}, clock};
  researcher agent{clock};

  // [agent]
  auto circuit = circuits.for_agent("researcher", "llm");  // the circuit agent.researcher: 3 failures, 90 s, 2 successes
  const auto execute = [&](const std::string& task) -> std::string {
    try {
      return circuit->call([&] { return agent.execute(task); });
    } catch (const sg::circuit_open_error& e) {  // at once, and the agent was not asked
      return "from the archive; ask again in " + sg::format_duration(e.retry_after().value_or(0s));
    } catch (const std::exception& e) {
      return "failed: " + std::string(e.what());
    }
  };
  // [/agent]

  std::cout << execute("tides") << "\n";
  agent.overloaded = true;
  const auto started = clock.now();
  for (int i = 0; i < 5; ++i) std::cout << execute("tides") << "\n";
  expect(clock.now() - started == 90s);  // three calls of 30 s each; the other two took no time
  expect(agent.asked == 4);

  // After 90 seconds the next call is a probe. Two good ones close the circuit.
  agent.overloaded = false;
  clock.advance(90s);
  std::cout << circuit->state() << "\n" << execute("moons") << "\n" << circuit->state() << "\n" << execute("suns") << "\n";
  std::cout << circuit->state() << "\n";
}
