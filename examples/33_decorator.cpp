// SPDX-License-Identifier: Apache-2.0
//
// Decorated functions: made once, called like the plain ones, wherever a function is wanted. Several may share one circuit.
#include "check.hpp"

#include <switchgear/registry.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

namespace sg = switchgear;

/// A warehouse that can be cut off.
struct warehouse {
  bool cut_off = false;
  int stock = 5;

  [[nodiscard]] int count(const std::string& article) const { return reachable(article) ? stock : 0; }
  void take(const std::string& article, int amount) {
    if (reachable(article)) stock -= amount;
  }
  [[nodiscard]] bool reachable(const std::string& article) const {
    if (cut_off) throw std::runtime_error("no line to the warehouse: " + article);
    return true;
  }
};

/// Knows nothing of circuits.
std::string offer(const std::string& article, const std::function<int(const std::string&)>& count) {
  return std::to_string(count(article)) + " " + article;
}

int main() {
  sg::registry circuits{{.environment = sg::variables{}}};
  warehouse house;

  // [decorate]
  auto circuit = circuits.get("warehouse", {.failure_threshold = 2});
  auto count = circuit->decorate([&](const std::string& article) { return house.count(article); });
  auto take = circuit->decorate([&](const std::string& article, int amount) { house.take(article, amount); });
  // [/decorate]

  take("lamps", 2);
  std::cout << offer("lamps", count) << "\n";

  // Both count for the one circuit.
  house.cut_off = true;
  const auto report = [](const auto& call) {
    try {
      call();
    } catch (const sg::circuit_open_error& e) {
      std::cout << "not called: " << e.name() << " is " << e.state() << "\n";
    } catch (const std::exception& e) {
      std::cout << e.what() << "\n";
    }
  };
  report([&] { count("lamps"); });
  report([&] { take("lamps", 1); });
  report([&] { count("lamps"); });
  report([&] { take("lamps", 1); });
  expect(house.stock == 3);

  // [keep]
  // A decorated function holds no breaker. One that leaves this scope takes the handle with it.
  std::function<int(const std::string&)> kept = [circuit, &house](const std::string& article) mutable {
    return circuit.call([&] { return house.count(article); });
  };
  // [/keep]
  circuits.clear();
  report([&] { kept("lamps"); });
}
