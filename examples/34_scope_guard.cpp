// SPDX-License-Identifier: Apache-2.0
//
// A guarded scope: whatever way it is left, the circuit hears of it and nothing leaks.
#include "check.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace sg = switchgear;
using namespace std::chrono_literals;

/// Answers line by line; a line of "!" is a connection that broke.
struct connection {
  std::vector<std::string> lines;
  std::string next() {
    if (lines.empty()) return "";
    std::string line = lines.front();
    lines.erase(lines.begin());
    if (line == "!") throw std::runtime_error("connection reset");
    return line;
  }
};

// [scope]
std::string read_article(sg::circuit_breaker& circuit, connection from) {
  auto guard = circuit.protect();  // throws circuit_open_error when the circuit is open
  const std::string status = from.next();
  if (status == "404") {
    guard.ignore();  // there is no such article: no evidence against the server
    return "none";
  }
  if (status != "200") {
    guard.failure("status " + status);  // an answer, and a failure all the same
    return "status " + status;
  }
  return from.next();  // leaving normally: a success; by an exception: a failure
}
// [/scope]

int main() {
  sg::testing::manual_clock clock;
  sg::circuit_breaker articles{"articles", {.failure_threshold = 2, .open_duration = 30s, .success_threshold = 1}, clock};

  const auto show = [&](const connection& from) {
    try {
      std::cout << read_article(articles, from);
    } catch (const sg::circuit_open_error&) {
      std::cout << "rejected";
    } catch (const std::exception& e) {
      std::cout << e.what();
    }
    const sg::lifetime_metrics m = articles.snapshot().metrics;
    std::cout << " | " << m.successes << " good, " << m.failures << " bad, " << m.ignored << " ignored, " << m.rejections
              << " rejected, " << articles.state() << "\n";
  };
  show({{"200", "On lamps"}});
  show({{"404"}});
  show({{"500"}});
  show({{"200", "!"}});
  show({{"200", "On chairs"}});
  clock.advance(30s);

  // The one probe of half-open is a scope too: leaving it gives the place back.
  show({{"404"}});
  show({{"200", "On chairs"}});
  expect(articles.snapshot().metrics.abandoned == 0);
}
