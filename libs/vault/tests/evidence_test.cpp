// SPDX-License-Identifier: Apache-2.0
//
// The table of rules(), row by row.
#include "fake_vault.hpp"

#include <switchgear/http/exchange.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using does = test_support::http_response::behaviour;
using mood = vault_test::fake_server::mood;

struct vault_evidence : testing::Test {
  vault_test::fake_vault fake;
  sg::vault::client vault{fake.options()};

  [[nodiscard]] auto metrics() const { return vault.breaker().snapshot().metrics; }

  template <class Nested>
  void expect_failure(sg::vault::client& c) {
    try {
      (void)c.read("billing", {.correlation_id = "abc-1"});
      FAIL() << "nothing was thrown";
    } catch (const sg::connection_error& e) {
      EXPECT_TRUE(std::string_view(e.what()).starts_with("Failed to read the secret billing: ")) << e.what();
      EXPECT_EQ(e.context().transport, "vault");
      EXPECT_EQ(e.context().operation, "read");
      EXPECT_EQ(e.correlation_id(), "abc-1");
      EXPECT_THROW(std::rethrow_if_nested(e), Nested);
    }
    EXPECT_EQ(c.breaker().snapshot().metrics.failures, 1u);
  }

  void expect_refused(const std::string& code) {
    try {
      (void)vault.read("billing");
      FAIL() << "nothing was thrown";
    } catch (const sg::refused_error& e) {
      EXPECT_EQ(e.code(), code);
    }
    EXPECT_EQ(metrics().ignored, 1u);
    EXPECT_EQ(metrics().failures, 0u);
  }
};

TEST_F(vault_evidence, an_answer_a_missing_secret_and_a_lost_comparison_are_successes) {
  vault.write("a", {{"a", "1"}});
  (void)vault.read("a");
  (void)vault.read("unknown");
  (void)vault.write_if("a", {}, 7);
  EXPECT_EQ(metrics().successes, 4u);
}

TEST_F(vault_evidence, a_server_that_is_gone_is_a_failure) {
  fake.server.stop();
  expect_failure<sg::http::transfer_error>(vault);
}

TEST_F(vault_evidence, a_reply_that_is_cut_off_is_a_failure) {
  fake.instead = {.body = R"({"data": 1})", .does = does::cut};
  expect_failure<sg::http::transfer_error>(vault);
}

TEST_F(vault_evidence, a_sealed_server_is_a_failure_of_its_own_kind) {
  fake.vault.is = mood::sealed;
  try {
    vault.write("a", {}, {.correlation_id = "abc-1"});
    FAIL();
  } catch (const sg::vault::sealed_error& e) {
    EXPECT_EQ(e.context().operation, "write");
    EXPECT_EQ(e.correlation_id(), "abc-1");
  }
  EXPECT_EQ(metrics().failures, 1u);
}

TEST_F(vault_evidence, a_standby_is_a_failure_of_its_own_kind) {
  fake.vault.is = mood::standby;
  EXPECT_THROW((void)vault.read("a"), sg::vault::standby_error);
  for (const int status : {472, 473}) {
    fake.instead = {.status = status};
    EXPECT_THROW((void)vault.read("a"), sg::vault::standby_error);
  }
  EXPECT_EQ(metrics().failures, 3u);
}

TEST_F(vault_evidence, a_load_balancer_without_servers_is_a_failure_but_not_sealed) {
  fake.instead = {.status = 503, .body = "no server is available"};
  expect_failure<sg::http::status_error>(vault);
}

TEST_F(vault_evidence, a_server_that_cannot_is_a_failure) {
  fake.instead = {.status = 500, .body = R"({"errors": ["internal error"]})"};
  expect_failure<sg::http::status_error>(vault);
}

TEST_F(vault_evidence, a_reply_that_is_not_as_documented_is_a_failure) {
  fake.instead = {.body = "<html>welcome</html>"};
  expect_failure<sg::http::malformed_reply>(vault);
}

TEST_F(vault_evidence, a_reply_that_is_too_long_is_a_failure) {
  auto o = fake.options();
  o.max_reply = 20;
  sg::vault::client careful{o};
  fake.instead = {.body = std::string(21, ' ')};
  expect_failure<sg::http::malformed_reply>(careful);
}

TEST_F(vault_evidence, a_server_that_hangs_or_is_slow_is_a_timeout) {
  auto o = fake.options();
  o.connection.timeout = 50ms;
  sg::vault::client hasty{o};
  for (const auto what : {does::hang, does::trickle}) {
    fake.instead = {.does = what};
    EXPECT_THROW((void)hasty.read("a"), sg::call_timeout_error);
  }
  EXPECT_EQ(hasty.breaker().snapshot().metrics.timeouts, 2u);
}

TEST_F(vault_evidence, a_request_that_is_not_valid_is_ignored) {
  fake.instead = {.status = 400, .body = R"({"errors": ["check-and-set parameter required for this call"]})"};
  expect_refused("400");
  EXPECT_THROW((void)vault.write("a", {}), sg::refused_error);
}

TEST_F(vault_evidence, permission_denied_is_ignored) {
  fake.instead = {.status = 403};
  expect_refused("403");
}

TEST_F(vault_evidence, a_mount_that_does_not_exist_is_ignored_and_no_missing_secret) {
  auto o = fake.options();
  o.mount = "other";
  sg::vault::client elsewhere{o};
  EXPECT_THROW((void)elsewhere.read("a"), sg::refused_error);
  EXPECT_THROW((void)elsewhere.list("a"), sg::refused_error);
  EXPECT_EQ(elsewhere.breaker().snapshot().metrics.ignored, 2u);
}

TEST_F(vault_evidence, too_many_requests_are_ignored) {
  fake.instead = {.status = 429};
  expect_refused("429");
}

TEST_F(vault_evidence, too_many_requests_are_a_failure_when_that_is_asked_for) {
  auto o = fake.options();
  o.connection.too_many_requests_fail = true;
  sg::vault::client strict{o};
  fake.instead = {.status = 429};
  expect_failure<sg::http::status_error>(strict);
}

TEST_F(vault_evidence, what_cannot_be_sent_is_ignored_and_not_sent) {
  const auto refused = [](const auto& operation) {
    try {
      operation();
      ADD_FAILURE();
    } catch (const sg::refused_error& e) {
      EXPECT_EQ(e.code(), "invalid_request");
    }
  };
  refused([&] { (void)vault.read(""); });
  refused([&] { (void)vault.read("../sys/seal"); });
  refused([&] { vault.remove_all("a//b"); });
  refused([&] { vault.write("a", {{"a", "\xff"}}); });
  refused([&] { (void)vault.renew_lease("a", -1s); });
  refused([&] { (void)vault.read("a", {.correlation_id = "a\r\nX-B: c"}); });
  EXPECT_TRUE(fake.server.requests().empty());
  EXPECT_EQ(metrics().ignored, 6u);
}

TEST_F(vault_evidence, a_caller_who_gives_up_is_ignored) {
  fake.instead = {.does = does::hang};
  std::stop_source stop;
  std::thread impatient([&] {
    while (fake.server.requests().empty()) std::this_thread::yield();
    stop.request_stop();
  });
  EXPECT_THROW((void)vault.read("a", {.stop = stop.get_token()}), sg::cancelled_error);
  impatient.join();
  EXPECT_EQ(metrics().ignored, 1u);
}

TEST_F(vault_evidence, a_report_counts_as_what_it_says) {
  (void)vault.health();
  EXPECT_EQ(metrics().successes, 1u);
  fake.vault.is = mood::standby;
  (void)vault.health();
  EXPECT_EQ(metrics().ignored, 1u);
  fake.vault.is = mood::sealed;
  (void)vault.health();
  fake.vault.is = mood::uninitialised;
  (void)vault.health();
  EXPECT_EQ(metrics().failures, 2u);
}

TEST_F(vault_evidence, keeps_its_own_breaker_when_another_option_of_the_adapter_is_set) {
  sg::testing::manual_clock clock;
  auto o = fake.options();
  o.adapter = {.clock = &clock};
  EXPECT_EQ(sg::vault::client(o).breaker().configuration(), sg::presets::omnibase_infra());
}

TEST_F(vault_evidence, opens_the_circuit_while_sealed_and_closes_it_when_unsealed) {
  sg::testing::manual_clock clock;
  auto o = fake.options();
  o.adapter.clock = &clock;
  sg::vault::client guarded{o};
  fake.vault.is = mood::sealed;
  for (int i = 0; i < 5; ++i) EXPECT_THROW((void)guarded.read("a"), sg::vault::sealed_error);
  const auto asked = fake.server.requests().size();
  try {
    (void)guarded.read("a");
    FAIL();
  } catch (const sg::circuit_open_error& e) {
    EXPECT_EQ(e.name(), "vault." + fake.server.host());
    EXPECT_EQ(e.retry_after(), 30s);
    EXPECT_EQ(e.context().operation, "read");
  }
  EXPECT_EQ(fake.server.requests().size(), asked);
  fake.vault.is = mood::active;
  clock.advance(30s);
  EXPECT_NO_THROW((void)guarded.read("a"));
  EXPECT_TRUE(guarded.breaker().is_closed());
}

TEST_F(vault_evidence, does_not_write_twice_because_a_connection_was_lost) {
  (void)vault.read("a");  // leaves an open connection behind
  fake.instead = {.does = does::drop};
  EXPECT_THROW(vault.write("a", {{"a", "1"}}), sg::connection_error);
  EXPECT_EQ(fake.server.requests().size(), 2u);
}

TEST_F(vault_evidence, repeats_reading_but_not_writing) {
  sg::testing::skipping_clock clock;
  auto o = fake.options();
  o.adapter.clock = &clock;
  o.adapter.retry.max_attempts = 3;
  sg::vault::client patient{o};
  fake.instead = {.status = 500};
  EXPECT_THROW((void)patient.read("a"), sg::connection_error);
  EXPECT_EQ(fake.server.requests().size(), 3u);
  EXPECT_THROW(patient.write("a", {}), sg::connection_error);
  EXPECT_EQ(fake.server.requests().size(), 4u);
}

}  // namespace
