// SPDX-License-Identifier: Apache-2.0
//
// Operations of four types, worker, storage, scheduler and api: each retried with the figures of its type, each behind a
// breaker of its own that is outside of all its attempts.
#include "check.hpp"

#include <switchgear/execute_with_retry.hpp>
#include <switchgear/operations.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sg = switchgear;
using namespace std::chrono_literals;

/// A database that refuses the next calls.
struct database {
  int refusals = 0;
  std::vector<std::string> tasks{};

  void save(const std::string& task) {
    if (refusals > 0) {
      --refusals;
      throw std::runtime_error("database: connection refused");
    }
    tasks.push_back(task);
  }
};

int main() {
  sg::testing::skipping_clock clock;
  sg::registry circuits{{.environment = sg::variables{}}, clock};
  database db;

  // [operations]
  const sg::operations ops{circuits, {.breaker = sg::config{.failure_threshold = 2}}, clock};
  const auto save = ops.decorate_storage("save_task", [&](const std::string& task) { db.save(task); });
  save("write the docs");                                                  // retried and guarded as storage:save_task
  const auto count = ops.worker("count", [&] { return db.tasks.size(); });  // the same without keeping it: worker:count
  // [/operations]
  expect(count == 1 && circuits.names() == std::vector<std::string>{"storage:save_task", "worker:count"});

  // Success after retries is one success.
  db.refusals = 3;
  save("read them");
  const sg::breaker_handle breaker = circuits.find(save.key());
  expect(db.tasks.size() == 2 && breaker.snapshot().metrics.successes == 2 && breaker.snapshot().metrics.failures == 0);
  expect(ops.policy("storage").metrics().retries == 3);

  // Five attempts used up are one failure, and pass unchanged; the second opens the circuit, and there is no attempt at all.
  db.refusals = 1'000;
  for (int i = 0; i < 2; ++i) {
    try {
      save("lost");
      expect(false);
    } catch (const std::runtime_error&) {
    }
  }
  expect(breaker.snapshot().metrics.failures == 2 && db.refusals == 990);
  try {
    save("rejected");
    expect(false);
  } catch (const sg::circuit_open_error& e) {
    std::cout << e.what() << "\n";
  }
  expect(db.refusals == 990);

  // One function, told everything at the call. Without an operation name there is no breaker.
  // [execute_with_retry]
  db.refusals = 1;
  sg::execute_with_retry([&] { db.save("once more"); }, {.max_attempts = 5, .min_wait = 100ms, .max_wait = 2s,
                                                         .operation_name = "storage:save_once", .clock = &clock,
                                                         .breakers = &circuits});
  // [/execute_with_retry]
  expect(db.tasks.back() == "once more" && circuits.contains("storage:save_once"));
}
