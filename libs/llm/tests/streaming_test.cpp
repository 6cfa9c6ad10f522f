// SPDX-License-Identifier: Apache-2.0
#include "model_server.hpp"

#include <switchgear/http/exchange.hpp>

#include <stdexcept>

namespace {

using namespace llm_test;
using namespace std::chrono_literals;
using texts = std::vector<std::string>;

struct llm_stream : testing::Test {
  model_server model;
  sg::llm::client client{model.options()};
  texts heard;

  sg::llm::completion stream(const sg::llm::prompt& p = ask("prompt-secret")) {
    heard.clear();
    return client.stream(p, [this](std::string_view piece) { heard.emplace_back(piece); }, {.correlation_id = "abc"});
  }
  template <class Cause>
  void expect_failure() {
    const auto before = client.breaker().snapshot().metrics.failures;
    try {
      (void)stream();
      ADD_FAILURE() << "no error";
    } catch (const sg::connection_error& e) {
      EXPECT_THROW(std::rethrow_if_nested(e), Cause);
      EXPECT_EQ(e.context().operation, "stream");
      EXPECT_EQ(std::string_view(e.what()).find("secret"), std::string_view::npos);
    }
    EXPECT_EQ(client.breaker().snapshot().metrics.failures, before + 1);
  }
};

TEST_F(llm_stream, tells_each_piece_and_the_whole_at_the_end) {
  model.answers(chat_piece("Hel") + ": still there\n\n" + chat_piece("lo") +
                R"(data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}})" "\n\n" + chat_end);
  const auto answer = stream();
  EXPECT_EQ(heard, (texts{"Hel", "lo"}));
  EXPECT_EQ(answer.text, "Hello");
  EXPECT_EQ(answer.model, "small-2");
  EXPECT_EQ(answer.finish_reason, "stop");
  EXPECT_EQ(answer.prompt_tokens, 7u);
  EXPECT_EQ(answer.correlation_id, "abc");
  EXPECT_EQ(model.last_body()["stream"], true);
  EXPECT_EQ(model.last().header("Accept"), "text/event-stream");
}

TEST_F(llm_stream, is_read_however_the_server_cuts_it) {
  std::string chunks;
  for (const char c : chat_piece("Hel") + chat_piece("lo") + chat_end) chunks += std::string("1\r\n") + c + "\r\n";
  model.sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n");
  EXPECT_EQ(stream().text, "Hello");
}

TEST_F(llm_stream, speaks_the_other_dialect) {
  auto o = model.options();
  o.dialect = sg::llm::dialect::messages;
  client = sg::llm::client(o);
  const auto event = [](const std::string& type, const std::string& rest) {
    return "event: " + type + "\ndata: {\"type\":\"" + type + "\"" + rest + "}\n\n";
  };
  model.answers(event("message_start", R"(,"message":{"model":"c","usage":{"input_tokens":5}})") + event("ping", "") +
                event("content_block_delta", R"(,"delta":{"type":"text_delta","text":"Hi"})") +
                event("message_delta", R"(,"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2})") +
                event("message_stop", ""));
  const auto answer = stream();
  EXPECT_EQ(heard, texts{"Hi"});
  EXPECT_EQ(answer.model, "c");
  EXPECT_EQ(answer.finish_reason, "end_turn");
  EXPECT_EQ(answer.prompt_tokens, 5u);
  EXPECT_EQ(answer.completion_tokens, 2u);
}

TEST_F(llm_stream, that_is_cut_is_a_failure_whatever_was_told) {
  model.next = {.body = chat_piece("Hel") + chat_piece(std::string(500, 'x')), .does = does::cut};
  expect_failure<sg::http::transfer_error>();
  EXPECT_EQ(heard, texts{"Hel"});
}

TEST_F(llm_stream, that_ends_without_its_end_is_a_failure) {
  model.answers(chat_piece("Hel"));
  expect_failure<sg::http::malformed_reply>();
  client = sg::llm::client(model.options());
  model.sends("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + chat_piece("Hel"));
  expect_failure<sg::http::malformed_reply>();
}

TEST_F(llm_stream, with_an_error_or_nonsense_in_it_is_a_failure) {
  for (const std::string text : {"data: {\"error\":{\"message\":\"secret\"}}\n\n", "event: error\ndata: {\"x\":\"secret\"}\n\n",
                                 "data: secret\n\n", "data: {\"choices\":[{\"delta\":1}]}\n\n", ""}) {
    client = sg::llm::client(model.options());
    model.answers(chat_piece("Hel") + text);
    expect_failure<sg::http::malformed_reply>();
  }
}

TEST_F(llm_stream, that_is_too_long_is_a_failure) {
  auto o = model.options();
  o.max_reply = 200;
  client = sg::llm::client(o);
  model.answers("data: " + std::string(300, 'x'));
  expect_failure<sg::http::malformed_reply>();
  std::string many;
  for (int i = 0; i < 50; ++i) many += chat_piece("12345678");
  model.answers(many + chat_end);
  expect_failure<sg::http::malformed_reply>();
}

TEST_F(llm_stream, passes_on_what_the_receiver_throws_and_takes_it_for_no_evidence) {
  model.answers(chat_piece("Hel") + chat_end);
  EXPECT_THROW(client.stream(ask("Hi?"), [](std::string_view) { throw std::length_error("full"); }), std::length_error);
  EXPECT_EQ(client.breaker().snapshot().metrics.ignored, 1u);
  EXPECT_EQ(client.breaker().snapshot().metrics.failures, 0u);
}

TEST_F(llm_stream, passes_on_what_the_receiver_throws_after_the_time_is_up_too) {
  sg::testing::manual_clock clock;
  auto o = model.options();
  o.adapter.clock = &clock;
  client = sg::llm::client(o);
  model.answers(chat_piece("Hel") + chat_end);
  const auto slow = [&](std::string_view) {
    clock.advance(121s);
    throw std::length_error("full");
  };
  EXPECT_THROW(client.stream(ask("Hi?"), slow), std::length_error);
  EXPECT_EQ(client.breaker().snapshot().metrics.ignored, 1u);
}

TEST_F(llm_stream, has_the_errors_of_the_status) {
  model.answers("data: secret\n\n", 500);
  expect_failure<sg::http::status_error>();
  model.next = {.status = 429, .body = "secret", .headers = {{"Retry-After", "3"}}};
  EXPECT_THROW((void)stream(), sg::llm::rate_limited_error);
  model.answers("secret", 401);
  EXPECT_THROW((void)stream(), sg::refused_error);
  EXPECT_EQ(heard, texts{});
}

TEST_F(llm_stream, that_never_ends_ends_at_its_limit) {
  model.next = {.does = does::trickle};
  auto p = ask("Hi?");
  p.timeout = 60ms;
  EXPECT_THROW((void)stream(p), sg::call_timeout_error);
  EXPECT_EQ(client.breaker().snapshot().metrics.timeouts, 1u);
}

}  // namespace
