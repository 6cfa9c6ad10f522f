// SPDX-License-Identifier: Apache-2.0
#include "model_server.hpp"

#include "../src/wire.hpp"

#include <switchgear/http/exchange.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <future>
#include <thread>

namespace {

using namespace llm_test;
using namespace std::chrono_literals;

struct llm_failures : testing::Test {
  model_server model;
  sg::llm::client client{model.options()};

  [[nodiscard]] auto metrics() const { return client.breaker().snapshot().metrics; }

  /// The error of one call; E is what it has to be.
  template <class E>
  E error_of(const sg::llm::prompt& p = ask("prompt-secret"), const sg::operation_options& o = {.correlation_id = "abc"}) {
    std::optional<E> caught;
    try {
      (void)client.complete(p, o);
      ADD_FAILURE() << "no error";
    } catch (const E& e) {
      for (const char* secret : {"hunter2", "prompt-secret", "reply-secret"}) {
        EXPECT_EQ(std::string_view(e.what()).find(secret), std::string_view::npos) << e.what();
      }
      caught = e;
    }
    return caught.value();
  }

  template <class Cause>
  void expect_failure() {
    const auto before = metrics().failures;
    try {
      (void)client.complete(ask("prompt-secret"));
      ADD_FAILURE() << "no error";
    } catch (const sg::connection_error& e) {
      EXPECT_THROW(std::rethrow_if_nested(e), Cause);
      for (const char* secret : {"hunter2", "prompt-secret", "reply-secret"}) {
        EXPECT_EQ(std::string_view(e.what()).find(secret), std::string_view::npos) << e.what();
      }
    }
    EXPECT_EQ(metrics().failures, before + 1);
  }
};

TEST_F(llm_failures, of_the_server_are_evidence) {
  model.answers("reply-secret", 503);
  const auto e = error_of<sg::connection_error>();
  EXPECT_STREQ(e.what(), "Failed to get an answer from llm.small: HTTP status 503");
  EXPECT_EQ(e.context().transport, "llm");
  EXPECT_EQ(e.context().operation, "complete");
  EXPECT_EQ(e.context().target, "llm.small");
  EXPECT_EQ(e.correlation_id(), "abc");
  EXPECT_EQ(metrics().failures, 1u);
  EXPECT_EQ(model.server.requests().size(), 1u) << "never asked again by itself";
}

TEST_F(llm_failures, open_the_circuit_and_then_nothing_is_sent) {
  model.answers("", 500);
  for (int i = 0; i < 3; ++i) (void)error_of<sg::connection_error>();
  const auto e = error_of<sg::circuit_open_error>();
  EXPECT_EQ(e.context().target, "llm.small");
  EXPECT_EQ(e.correlation_id(), "abc");
  EXPECT_EQ(model.server.requests().size(), 3u);
}

TEST_F(llm_failures, of_the_caller_are_none) {
  for (const int status : {400, 401, 404, 413, 422}) {
    model.answers("reply-secret", status);
    EXPECT_EQ(error_of<sg::refused_error>().code(), std::to_string(status));
  }
  EXPECT_EQ(error_of<sg::refused_error>(ask("\xff")).code(), "invalid_request");
  EXPECT_EQ(metrics().failures, 0u);
  EXPECT_EQ(metrics().ignored, 6u);
}

TEST_F(llm_failures, of_the_caller_include_what_cannot_be_sent) {
  auto p = ask("prompt-secret");
  p.timeout = -1s;
  EXPECT_EQ(error_of<sg::refused_error>(p).code(), "invalid_request");
  EXPECT_EQ(error_of<sg::refused_error>(ask("Hi?"), {.correlation_id = "a\r\nX-B: c"}).code(), "invalid_request");
  EXPECT_EQ(metrics().ignored, 2u);
  EXPECT_TRUE(model.server.requests().empty());
}

TEST_F(llm_failures, include_malformed_answers) {
  const std::string good = chat_answer("Hello");
  for (const std::string& body :
       {std::string("reply-secret"), std::string("[]"), std::string("{}"), std::string(R"({"choices":[]})"),
        std::string(R"({"choices":[1]})"), std::string(R"({"choices":[{}]})"),
        std::string(R"({"choices":[{"message":{"content":1}}]})"),
        std::string(R"({"model":1,"choices":[{"message":{"content":"x"}}]})"), good.substr(0, good.size() - 1), good + "x",
        std::string(100'000, '['), std::string("{\"a\":\"\xff\"}")}) {
    client = sg::llm::client(model.options());
    model.answers(body);
    SCOPED_TRACE(body.substr(0, 100));
    expect_failure<sg::http::malformed_reply>();
  }
}

TEST_F(llm_failures, include_an_unexpected_status_and_an_endless_answer) {
  model.answers("", 302);
  expect_failure<sg::http::malformed_reply>();
  auto o = model.options();
  o.max_reply = 50;
  client = sg::llm::client(o);
  model.answers(chat_answer("Hello"));
  expect_failure<sg::http::malformed_reply>();
}

TEST_F(llm_failures, include_a_lost_connection) {
  model.next = {.does = does::drop};
  expect_failure<sg::http::transfer_error>();
  model.next = {.body = chat_answer("Hello"), .does = does::cut};
  expect_failure<sg::http::transfer_error>();
}

TEST_F(llm_failures, include_an_answer_that_takes_too_long) {
  model.next = {.does = does::hang};
  auto p = ask("prompt-secret");
  p.timeout = 50ms;
  EXPECT_EQ(error_of<sg::call_timeout_error>(p).limit(), 50ms);
  EXPECT_EQ(metrics().timeouts, 1u);
}

TEST_F(llm_failures, do_not_include_a_caller_who_gives_up) {
  model.next = {.does = does::hang};
  std::stop_source stop;
  auto giving_up = std::async(std::launch::async, [&] {
    while (model.server.requests().empty()) std::this_thread::yield();
    stop.request_stop();
  });
  (void)error_of<sg::cancelled_error>(ask("prompt-secret"), {.stop = stop.get_token()});
  EXPECT_EQ(metrics().ignored, 1u);
}

TEST_F(llm_failures, do_not_include_a_limit_on_requests) {
  model.next = {.status = 429, .body = "reply-secret", .headers = {{"Retry-After", "7"}}};
  const auto e = error_of<sg::llm::rate_limited_error>();
  EXPECT_EQ(e.retry_after(), 7s);
  EXPECT_EQ(e.context().target, "llm.small");
  EXPECT_EQ(e.correlation_id(), "abc");
  EXPECT_EQ(metrics().failures, 0u);
  EXPECT_EQ(metrics().ignored, 1u);
  model.answers("", 429);
  EXPECT_EQ(error_of<sg::llm::rate_limited_error>().retry_after(), std::nullopt);
}

TEST_F(llm_failures, include_a_limit_on_requests_when_that_is_asked_for) {
  auto o = model.options();
  o.connection.too_many_requests_fail = true;
  client = sg::llm::client(o);
  model.answers("reply-secret", 429);
  expect_failure<sg::http::status_error>();
}

TEST_F(llm_failures, of_too_many_requests_are_waited_for_by_a_retry_that_may) {
  sg::testing::skipping_clock clock;
  const sg::retry patient({.max_attempts = 2, .wait_for_retry_after = true}, clock);
  model.next = {.status = 429, .headers = {{"Retry-After", "7"}}};
  int attempts = 0;
  const auto before = clock.now();
  const std::string text = patient.call([&] {
    if (++attempts == 2) model.answers(chat_answer("At last"));
    return client.complete("Hi?").text;
  });
  EXPECT_EQ(text, "At last");
  EXPECT_GE(clock.now() - before, 7s);
}

TEST(llm_retry_after, is_seconds_or_a_date) {
  using sg::llm::detail::read_retry_after;
  const auto now = std::chrono::sys_days(std::chrono::year(2026) / 1 / 18) + 10h;
  EXPECT_EQ(read_retry_after("0", now), 0s);
  EXPECT_EQ(read_retry_after("120", now), 120s);
  EXPECT_EQ(read_retry_after("99999999999999999999", now), std::chrono::hours(24 * 365));
  EXPECT_EQ(read_retry_after("Sun, 18 Jan 2026 10:00:30 GMT", now), 30s);
  EXPECT_EQ(read_retry_after("Sun, 18 Jan 2026 09:00:00 GMT", now), 0s);
  EXPECT_EQ(read_retry_after("", now), std::nullopt);
  EXPECT_EQ(read_retry_after("soon", now), std::nullopt);
}

}  // namespace
