// SPDX-License-Identifier: Apache-2.0
//
// The code of README.md, compiled and run. Whoever changes one changes the other.
#include "support.hpp"

#include <switchgear/effect_executor.hpp>
#include <switchgear/operations.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

namespace sg = switchgear;
using testing::ElementsAre;

struct ticket {
  int seat;
};

struct agency {
  std::vector<std::string> log;
  bool bank_is_down = false;
  sg::testing::skipping_clock clock;
  sg::effect_executor effects{{.breakers = effects_tests::hermetic()}, clock};
  sg::registry circuits{effects_tests::hermetic(), clock};

  int reserve() {
    log.push_back("reserve");
    return 12;
  }
  void release(int) { log.push_back("release"); }
  void charge() {
    if (bank_is_down) throw effects_tests::outage("bank");
    log.push_back("charge");
  }
  void refund() { log.push_back("refund"); }
  void send(const ticket&) { log.push_back("send"); }

  void define() {
    // [define]
    effects.define("book_flight", {.circuit_breaker = true, .retry = sg::retry_presets::worker()});
    // [define]
  }

  ticket book() {
    // [execute]
    return effects.execute("book_flight", [&](sg::transaction& undo) {
      const int seat = reserve();
      undo.on_rollback("reserve the seat", [this, seat] { release(seat); });
      undo.run("charge the card", [&] { charge(); }, [this] { refund(); });
      undo.on_commit("send the ticket", [this, seat] { send({seat}); });
      return ticket{seat};
    });
    // [execute]
  }

  int operate() {
    int saved = 0;
    // [operations]
    sg::operations ops{circuits, {}, clock};
    int row = ops.storage("load_task", [&](int id) { return id * 2; }, 21);   // breaker storage:load_task
    auto save = ops.decorate_storage("save_task", [&](int value) { saved = value; });
    save(row);
    sg::execute_with_retry([&] { ++saved; }, {.max_attempts = 5, .operation_name = "api:ask", .breakers = &circuits});
    // [operations]
    return saved;
  }
};

TEST(readme, books_a_flight_or_leaves_nothing_behind) {
  agency a;
  a.define();
  EXPECT_EQ(a.book().seat, 12);
  EXPECT_THAT(a.log, ElementsAre("reserve", "charge", "send"));
  a.log.clear();
  a.bank_is_down = true;
  EXPECT_THROW(a.book(), effects_tests::outage);
  EXPECT_THAT(a.log, ElementsAre("reserve", "release", "reserve", "release", "reserve", "release"));
}

TEST(readme, runs_named_operations) {
  agency a;
  EXPECT_EQ(a.operate(), 43);
  EXPECT_THAT(a.circuits.names(), ElementsAre("api:ask", "storage:load_task", "storage:save_task"));
}

}  // namespace
