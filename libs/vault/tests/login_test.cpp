// SPDX-License-Identifier: Apache-2.0
#include "fake_vault.hpp"

#include <switchgear/testing/manual_clock.hpp>

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;

struct vault_login : testing::Test {
  sg::testing::manual_clock clock;
  vault_test::fake_vault fake;

  [[nodiscard]] sg::vault::options options() const {
    auto o = fake.with_role();
    o.adapter.clock = const_cast<sg::testing::manual_clock*>(&clock);
    return o;
  }
};

TEST_F(vault_login, happens_with_the_first_operation_and_is_kept) {
  sg::vault::client vault{options()};
  EXPECT_EQ(fake.vault.logins, 0);
  vault.write("a", {{"a", "1"}});
  (void)vault.read("a");
  EXPECT_EQ(fake.vault.logins, 1);
}

TEST_F(vault_login, happens_again_when_the_lease_of_the_token_is_over) {
  sg::vault::client vault{options()};
  (void)vault.read("a");
  clock.advance(3599s);
  (void)vault.read("a");
  EXPECT_EQ(fake.vault.logins, 1);
  clock.advance(1s);
  (void)vault.read("a");
  EXPECT_EQ(fake.vault.logins, 2);
}

TEST_F(vault_login, is_put_off_by_a_renewal) {
  sg::vault::client vault{options()};
  (void)vault.read("a");
  clock.advance(3000s);
  EXPECT_EQ(vault.renew_token().duration, 3600s);
  clock.advance(3000s);
  (void)vault.read("a");
  EXPECT_EQ(fake.vault.logins, 1);
}

TEST_F(vault_login, is_for_ever_when_the_lease_has_no_end) {
  fake.vault.lease_seconds = 0;
  sg::vault::client vault{options()};
  (void)vault.read("a");
  clock.advance(1000h);
  (void)vault.read("a");
  EXPECT_EQ(fake.vault.logins, 1);
}

TEST_F(vault_login, happens_once_again_when_the_token_is_not_valid_any_more) {
  sg::vault::client vault{options()};
  vault.write("a", {{"a", "1"}});
  fake.vault.revoke_all();
  EXPECT_EQ(vault.read("a")->data.at("a"), "1");
  EXPECT_EQ(fake.vault.logins, 2);
  EXPECT_EQ(vault.breaker().snapshot().metrics.total_calls(), 2u) << "all of it is one call";
  EXPECT_EQ(vault.breaker().snapshot().metrics.successes, 2u);
}

TEST_F(vault_login, does_not_happen_again_for_what_the_role_may_not_do) {
  sg::vault::client vault{options()};
  (void)vault.read("a");
  for (int i = 0; i < 3; ++i) EXPECT_THROW((void)vault.read("forbidden"), sg::refused_error);
  EXPECT_EQ(fake.vault.logins, 1);
  EXPECT_EQ(vault.breaker().snapshot().metrics.ignored, 3u);
}

TEST_F(vault_login, ends_in_a_refusal_when_vault_denies_everything) {
  sg::vault::client vault{options()};
  (void)vault.read("a");
  const auto before = fake.server.requests().size();
  fake.instead = {.status = 403, .body = R"({"errors": ["permission denied"]})"};
  try {
    (void)vault.read("a");
    FAIL();
  } catch (const sg::refused_error& e) {
    EXPECT_EQ(e.code(), "403");
  }
  EXPECT_EQ(fake.server.requests().size() - before, 3u) << "the question, is the token valid, the login";
}

TEST_F(vault_login, is_refused_to_a_wrong_role) {
  auto o = options();
  o.secret_id = "wrong";
  sg::vault::client vault{o};
  try {
    (void)vault.read("a");
    FAIL();
  } catch (const sg::refused_error& e) {
    EXPECT_EQ(e.code(), "400");
  }
  EXPECT_EQ(vault.breaker().snapshot().metrics.ignored, 1u);
}

TEST_F(vault_login, is_tried_again_after_it_failed) {
  sg::vault::client vault{options()};
  fake.instead = {.status = 500};
  EXPECT_THROW((void)vault.read("a"), sg::connection_error);
  fake.instead.reset();
  EXPECT_NO_THROW((void)vault.read("a"));
}

TEST_F(vault_login, with_a_token_never_happens) {
  auto o = options();
  o.token = "hvs.old";
  sg::vault::client vault{o};
  EXPECT_THROW((void)vault.read("a"), sg::refused_error);
  EXPECT_EQ(fake.vault.logins, 0);
  EXPECT_EQ(fake.server.requests().size(), 1u);
}

TEST_F(vault_login, happens_once_for_many_threads) {
  sg::vault::client vault{options()};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { (void)vault.read("a"); });
  for (auto& t : threads) t.join();
  EXPECT_EQ(fake.vault.logins, 1);
}

TEST_F(vault_login, that_hangs_is_not_tried_by_one_waiting_thread_after_the_other) {
  auto o = options();
  o.connection.timeout = 500ms;
  o.adapter.breaker.failure_threshold = 100;
  sg::vault::client vault{o};
  fake.instead = {.does = test_support::http_response::behaviour::hang};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { EXPECT_THROW((void)vault.read("a"), sg::call_timeout_error); });
  }
  for (auto& t : threads) t.join();
  // The one that logs in, and perhaps another that came to wait a little later.
  EXPECT_LE(fake.server.requests().size(), 4u);
  EXPECT_EQ(vault.breaker().snapshot().metrics.timeouts, 8u);
}

TEST_F(vault_login, is_not_waited_for_by_a_caller_who_gives_up) {
  sg::vault::client vault{options()};
  fake.instead = {.does = test_support::http_response::behaviour::hang};
  std::stop_source first, second;
  std::thread logging_in([&] { EXPECT_THROW((void)vault.read("a", {.stop = first.get_token()}), sg::cancelled_error); });
  while (fake.server.requests().empty()) std::this_thread::yield();
  std::thread waiting([&] { EXPECT_THROW((void)vault.read("a", {.stop = second.get_token()}), sg::cancelled_error); });
  second.request_stop();
  waiting.join();
  first.request_stop();
  logging_in.join();
  EXPECT_EQ(fake.server.requests().size(), 1u);
}

}  // namespace
