// SPDX-License-Identifier: Apache-2.0
//
// The table of rules(), row by row.
#include "fake_consul.hpp"

#include <switchgear/http/exchange.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using does = test_support::http_response::behaviour;

struct consul_evidence : testing::Test {
  consul_test::fake_consul fake;
  sg::consul::client consul{fake.options()};

  [[nodiscard]] auto metrics() const { return consul.breaker().snapshot().metrics; }

  /// The key is asked for; a connection_error with a Nested in it has to come of it, and count as a failure.
  template <class Nested>
  void expect_failure(sg::consul::client& c) {
    try {
      (void)c.get("limit", {.correlation_id = "abc-1"});
      FAIL() << "nothing was thrown";
    } catch (const sg::connection_error& e) {
      EXPECT_TRUE(std::string_view(e.what()).starts_with("Failed to read the key limit: ")) << e.what();
      EXPECT_EQ(e.context().transport, "consul");
      EXPECT_EQ(e.context().operation, "get");
      EXPECT_EQ(e.context().target, "consul.dc1");
      EXPECT_EQ(e.correlation_id(), "abc-1");
      EXPECT_THROW(std::rethrow_if_nested(e), Nested);
    }
    EXPECT_EQ(c.breaker().snapshot().metrics.failures, 1u);
  }

  void expect_refused(const std::string& code) {
    try {
      (void)consul.get("limit");
      FAIL() << "nothing was thrown";
    } catch (const sg::refused_error& e) {
      EXPECT_EQ(e.code(), code);
    }
    EXPECT_EQ(metrics().ignored, 1u);
    EXPECT_EQ(metrics().failures, 0u);
  }
};

TEST_F(consul_evidence, an_answer_a_missing_key_and_a_lost_comparison_are_successes) {
  consul.put("limit", "1");
  (void)consul.get("limit");
  (void)consul.get("unknown");
  (void)consul.compare_and_set("limit", "2", 1);
  EXPECT_EQ(metrics().successes, 4u);
}

TEST_F(consul_evidence, an_agent_that_is_gone_is_a_failure) {
  fake.server.stop();
  expect_failure<sg::http::transfer_error>(consul);
}

TEST_F(consul_evidence, a_connection_that_ends_is_a_failure) {
  fake.instead = {.does = does::drop};
  expect_failure<sg::http::transfer_error>(consul);
}

TEST_F(consul_evidence, a_reply_that_is_cut_off_is_a_failure) {
  fake.instead = {.body = "[1, 2, 3]", .does = does::cut};
  expect_failure<sg::http::transfer_error>(consul);
}

TEST_F(consul_evidence, a_cluster_without_a_leader_is_a_failure) {
  fake.instead = {.status = 500, .body = "No cluster leader"};
  expect_failure<sg::http::status_error>(consul);
}

TEST_F(consul_evidence, a_data_centre_that_cannot_be_reached_is_a_failure) {
  auto o = fake.options();
  o.datacenter = "dc9";
  sg::consul::client elsewhere{o};
  EXPECT_EQ(elsewhere.target(), "consul.dc9");
  EXPECT_THROW((void)elsewhere.get("limit"), sg::connection_error);
  EXPECT_EQ(elsewhere.breaker().snapshot().metrics.failures, 1u);
}

TEST_F(consul_evidence, a_reply_that_is_no_json_is_a_failure) {
  fake.instead = {.body = "<html>welcome</html>"};
  expect_failure<sg::http::malformed_reply>(consul);
}

TEST_F(consul_evidence, a_reply_about_another_key_is_a_failure) {
  fake.instead = {.body = R"([{"Key": "other", "Value": null, "CreateIndex": 1, "ModifyIndex": 1, "Flags": 0}])"};
  expect_failure<sg::http::malformed_reply>(consul);
}

TEST_F(consul_evidence, a_redirect_is_a_failure) {
  fake.instead = {.status = 301, .headers = {{"Location", "http://127.0.0.1:1/"}}};
  expect_failure<sg::http::malformed_reply>(consul);
}

TEST_F(consul_evidence, bytes_that_are_no_http_are_a_failure) {
  fake.instead = {.body = "SSH-2.0-OpenSSH_9.2\r\n", .does = does::garbage};
  expect_failure<sg::http::transfer_error>(consul);
}

TEST_F(consul_evidence, an_endless_reply_is_a_failure) {
  auto o = fake.options();
  o.max_reply = 20;
  sg::consul::client careful{o};
  fake.instead = {.body = std::string(21, ' ')};
  expect_failure<sg::http::malformed_reply>(careful);
}

TEST_F(consul_evidence, an_agent_that_hangs_or_is_slow_is_a_timeout) {
  auto o = fake.options();
  o.connection.timeout = 50ms;
  sg::consul::client hasty{o};
  for (const auto what : {does::hang, does::trickle}) {
    fake.instead = {.does = what};
    try {
      (void)hasty.get("limit");
      FAIL();
    } catch (const sg::call_timeout_error& e) {
      EXPECT_EQ(e.name(), "consul.dc1");
      EXPECT_THROW(std::rethrow_if_nested(e), sg::connection_error);
    }
  }
  EXPECT_EQ(hasty.breaker().snapshot().metrics.timeouts, 2u);
}

TEST_F(consul_evidence, a_request_that_is_not_valid_is_ignored) {
  fake.instead = {.status = 400};
  expect_refused("400");
}

TEST_F(consul_evidence, access_denied_is_ignored) {
  fake.agent.wants_token = true;
  expect_refused("403");
}

TEST_F(consul_evidence, a_page_that_is_not_found_is_no_missing_key) {
  fake.instead = {.status = 404, .body = "404 page not found"};
  expect_refused("404");
}

TEST_F(consul_evidence, too_many_requests_are_ignored) {
  fake.instead = {.status = 429};
  expect_refused("429");
}

TEST_F(consul_evidence, too_many_requests_are_a_failure_when_that_is_asked_for) {
  auto o = fake.options();
  o.connection.too_many_requests_fail = true;
  sg::consul::client strict{o};
  fake.instead = {.status = 429};
  expect_failure<sg::http::status_error>(strict);
}

TEST_F(consul_evidence, what_cannot_be_sent_is_ignored_and_not_sent) {
  const auto refused = [](const auto& operation) {
    try {
      operation();
      ADD_FAILURE();
    } catch (const sg::refused_error& e) {
      EXPECT_EQ(e.code(), "invalid_request");
    }
  };
  refused([&] { (void)consul.get(""); });
  refused([&] { (void)consul.get("../agent/self"); });
  refused([&] { consul.put("/a", "1"); });
  refused([&] { (void)consul.service_health(".."); });
  refused([&] { consul.register_service({.name = ""}); });
  refused([&] { consul.register_service({.name = "a", .port = 65536}); });
  refused([&] { consul.register_service({.name = "a", .checks = {{}}}); });
  refused([&] { consul.register_service({.name = "a", .checks = {{.tcp = "a:1", .ttl = 1s}}}); });
  refused([&] { consul.register_service({.name = "\xff"}); });
  refused([&] { (void)consul.get("a", {.correlation_id = "a\r\nX-B: c"}); });
  EXPECT_TRUE(fake.server.requests().empty());
  EXPECT_EQ(metrics().ignored, 10u);
}

TEST_F(consul_evidence, a_caller_who_gives_up_is_ignored) {
  fake.instead = {.does = does::hang};
  std::stop_source stop;
  std::thread impatient([&] {
    while (fake.server.requests().empty()) std::this_thread::yield();
    stop.request_stop();
  });
  EXPECT_THROW((void)consul.get("limit", {.stop = stop.get_token()}), sg::cancelled_error);
  impatient.join();
  EXPECT_EQ(metrics().ignored, 1u);
}

TEST_F(consul_evidence, opens_the_circuit_after_five_failures_and_closes_it_after_one_success) {
  sg::testing::manual_clock clock;
  auto o = fake.options();
  o.adapter.clock = &clock;
  sg::consul::client guarded{o};
  fake.server.stop();
  for (int i = 0; i < 5; ++i) EXPECT_THROW(guarded.register_service({.name = "billing"}), sg::connection_error);
  try {
    guarded.register_service({.name = "billing"}, {.correlation_id = "abc-1"});
    FAIL();
  } catch (const sg::circuit_open_error& e) {
    EXPECT_EQ(e.name(), "consul.dc1");
    EXPECT_EQ(e.retry_after(), 30s);
    EXPECT_EQ(e.context().operation, "register_service");
    EXPECT_EQ(e.correlation_id(), "abc-1");
  }
  fake.server.start();
  clock.advance(30s);
  guarded.register_service({.name = "billing"});
  EXPECT_TRUE(guarded.breaker().is_closed());
}

TEST_F(consul_evidence, takes_threshold_and_open_time_from_its_configuration) {
  auto o = fake.options();
  o.adapter.breaker.failure_threshold = 2;
  o.adapter.breaker.open_duration = 7s;
  sg::consul::client guarded{o};
  fake.server.stop();
  for (int i = 0; i < 2; ++i) EXPECT_THROW((void)guarded.get("a"), sg::connection_error);
  EXPECT_THROW((void)guarded.get("a"), sg::circuit_open_error);
  EXPECT_EQ(guarded.breaker().configuration().open_duration, 7s);
}

TEST_F(consul_evidence, keeps_its_own_breaker_when_another_option_of_the_adapter_is_set) {
  sg::testing::manual_clock clock;
  auto o = fake.options();
  o.adapter = {.clock = &clock};
  EXPECT_EQ(sg::consul::client(o).breaker().configuration(), sg::presets::omnibase_infra());
}

TEST_F(consul_evidence, replaces_the_checks_of_a_registration_too) {
  consul.register_service({.name = "billing"});
  EXPECT_EQ(fake.server.requests().back().parameter("replace-existing-checks"), "true");
}

TEST_F(consul_evidence, a_failed_registration_says_whose_and_why) {
  fake.instead = {.status = 503};
  try {
    consul.register_service({.name = "billing"});
    FAIL();
  } catch (const sg::connection_error& e) {
    EXPECT_STREQ(e.what(), "Failed to register service billing: HTTP status 503");
    EXPECT_THROW(std::rethrow_if_nested(e), sg::http::status_error);
  }
}

TEST_F(consul_evidence, repeats_reading_but_not_writing) {
  sg::testing::skipping_clock clock;
  auto o = fake.options();
  o.adapter.clock = &clock;
  o.adapter.retry.max_attempts = 3;
  sg::consul::client patient{o};
  fake.instead = {.status = 500};
  EXPECT_THROW((void)patient.get("limit"), sg::connection_error);
  EXPECT_EQ(fake.server.requests().size(), 3u);
  EXPECT_THROW(patient.put("limit", "1"), sg::connection_error);
  EXPECT_EQ(fake.server.requests().size(), 4u);
  EXPECT_EQ(patient.breaker().snapshot().metrics.failures, 2u) << "one call of the breaker, however many attempts";
}

}  // namespace
