// SPDX-License-Identifier: Apache-2.0
#include "fake_vault.hpp"
#include "server_process.hpp"

#include <all_texts.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <mutex>
#include <vector>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using test_support::all_texts;
using test_support::http_response;
using does = http_response::behaviour;

TEST(vault_secrets, are_in_no_error_and_no_event_whatever_goes_wrong) {
  const std::string value = "VALUE-hunter2";
  const std::string echo = R"({"errors": ["hvs.root-token-hunter2 role-hunter2 secret-id-hunter2 VALUE-hunter2"]})";
  for (const bool with_role : {false, true}) {
    vault_test::fake_vault fake;
    auto o = with_role ? fake.with_role() : fake.options();
    o.connection.timeout = 100ms;
    o.adapter.breaker.failure_threshold = 1000;
    sg::vault::client vault{o};
    std::string said;
    std::mutex mutex;  // events come on a thread of their own
    std::string told;
    auto subscription = vault.breaker().observe([&](const sg::event& e) {
      const std::lock_guard lock(mutex);
      told += to_json(e) + log_line(e);
    });
    const std::vector<http_response> answers{{.status = 400, .body = echo},
                                             {.status = 403, .body = echo},
                                             {.status = 404, .body = echo},
                                             {.status = 418, .body = echo},
                                             {.status = 500, .body = echo},
                                             {.status = 503, .body = R"({"errors": ["Vault is sealed, VALUE-hunter2"]})"},
                                             {.status = 307, .body = echo},
                                             {.status = 473, .body = echo},
                                             {.body = echo},
                                             {.body = echo, .does = does::cut},
                                             {.body = echo, .does = does::garbage},
                                             {.does = does::drop},
                                             {.does = does::hang}};
    int errors = 0;
    // First without a token, then with one that was given out.
    for (const bool logged_in : {false, true}) {
      fake.instead.reset();
      if (logged_in) (void)vault.read("a");
      for (std::size_t i = 0; i <= answers.size(); ++i) {
        if (i < answers.size()) fake.instead = answers[i];
        if (i == answers.size()) fake.server.stop();
        const auto note = [&](const auto& operation) {
          try {
            operation();
          } catch (const std::exception& e) {
            ++errors;
            said += all_texts(e) + "\n";
          }
        };
        note([&] { (void)vault.read("billing"); });
        note([&] { vault.write("billing", {{"password", value}}); });
        note([&] { (void)vault.renew_lease(vault_test::fake_server::lease_id); });
      }
      fake.server.start();
    }
    vault.breaker().reset();
    EXPECT_TRUE(test_support::eventually([&] {
      const std::lock_guard lock(mutex);
      return told.find("switchgear.circuit.reset") != std::string::npos;
    }));
    subscription = {};
    said += told;
    EXPECT_GE(errors, 80);
    EXPECT_EQ(said.find("hunter2"), std::string::npos) << said;
  }
}

}  // namespace
