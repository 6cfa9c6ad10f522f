// SPDX-License-Identifier: Apache-2.0
#include "fake_consul.hpp"
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

TEST(consul_secrets, are_in_no_error_and_no_event_whatever_goes_wrong) {
  const std::string token = "TOKEN-hunter2", value = "VALUE-hunter2";
  const std::string echo = "\"" + token + " " + value + "\"";
  consul_test::fake_consul fake;
  auto o = fake.options();
  o.token = token;
  o.connection.timeout = 100ms;
  o.adapter.breaker.failure_threshold = 1000;
  sg::consul::client consul{o};
  std::string said;
  std::mutex mutex;  // events come on a thread of their own
  std::string told;
  auto subscription = consul.breaker().observe([&](const sg::event& e) {
    const std::lock_guard lock(mutex);
    told += to_json(e) + log_line(e);
  });
  const std::vector<http_response> answers{
      {.status = 400, .body = echo}, {.status = 403, .body = echo}, {.status = 404, .body = echo},  {.status = 418, .body = echo},
      {.status = 500, .body = echo}, {.status = 503, .body = echo}, {.status = 301, .body = echo},  {.body = echo},
      {.body = echo, .does = does::cut}, {.body = echo, .does = does::garbage}, {.does = does::drop}, {.does = does::hang}};
  int errors = 0;
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
    note([&] { (void)consul.get("limit"); });
    note([&] { (void)consul.put("limit", value); });
    note([&] { (void)consul.compare_and_set("limit", value, 7); });
    note([&] { consul.register_service({.name = "billing", .meta = {{"password", value}}}); });
  }
  consul.breaker().reset();
  EXPECT_TRUE(test_support::eventually([&] {
    const std::lock_guard lock(mutex);
    return told.find("switchgear.circuit.reset") != std::string::npos;
  }));
  subscription = {};
  said += told;
  EXPECT_GE(errors, 45);
  EXPECT_EQ(said.find("hunter2"), std::string::npos) << said;
}

}  // namespace
