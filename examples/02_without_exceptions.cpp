// SPDX-License-Identifier: Apache-2.0
//
// A permit says whether the call may be made and takes the verdict; try_call says what became of it. Neither throws.
#include "check.hpp"

#include <switchgear/circuit_breaker.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sg = switchgear;
using namespace std::chrono_literals;

struct reply {
  int status = 0;
  std::string body;
  [[nodiscard]] bool ok() const { return status < 500; }
};

struct client {
  reply charge(int amount) { return amount > 0 ? reply{200, "paid"} : reply{503, "try again"}; }
};

int main() {
  sg::circuit_breaker payments{"payments", {.failure_threshold = 2, .open_duration = 30s}};
  client client;
  std::vector<int> later;

  // A permit has to be settled; one that is forgotten gives its place back and counts as abandoned.
  for (const int order : {10, 0, 0, 30}) {
    if (sg::permit permit = payments.try_acquire()) {
      const reply answer = client.charge(order);
      answer.ok() ? permit.success() : permit.failure(answer.body);
    } else {
      later.push_back(order);
      std::cout << "rejected (" << permit.rejection().reason << "), again in "
                << sg::format_duration(*permit.rejection().retry_after) << "\n";
    }
  }
  expect(later == std::vector{30});
  expect(payments.is_open());

  // try_call holds the value, or why there is none.
  const auto charge = [&](int order) -> std::string {
    auto result = payments.try_call([&] { return client.charge(order); });
    if (result) return result->body;
    return result.rejected() ? "from the cache" : "failed: " + result.error();
  };
  expect(charge(40) == "from the cache");
  payments.reset();
  expect(charge(40) == "paid");
}
