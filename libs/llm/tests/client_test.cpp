// SPDX-License-Identifier: Apache-2.0
#include "model_server.hpp"

#include <switchgear/testing/skipping_clock.hpp>

namespace {

using namespace llm_test;
using namespace std::chrono_literals;

struct llm_client : testing::Test {
  model_server model;
};

TEST_F(llm_client, returns_the_answer) {
  sg::llm::client client(model.options());
  const auto answer = client.complete("Hi?", {.correlation_id = "request-17"});
  EXPECT_EQ(answer.text, "Hello");
  EXPECT_EQ(answer.model, "small-2");
  EXPECT_EQ(answer.finish_reason, "stop");
  EXPECT_EQ(answer.prompt_tokens, 7u);
  EXPECT_EQ(answer.completion_tokens, 3u);
  EXPECT_EQ(answer.correlation_id, "request-17");
  EXPECT_EQ(client.breaker().snapshot().metrics.successes, 1u);
}

TEST_F(llm_client, sends_what_the_endpoint_expects) {
  sg::llm::client client(model.options());
  (void)client.complete({.messages = {{"system", "Be brief."}, {"user", "Hi \"you\"?"}}, .temperature = 0.5, .max_tokens = 20},
                        {.correlation_id = "request-17"});
  const auto r = model.last();
  EXPECT_EQ(r.method, "POST");
  EXPECT_EQ(r.path, "/v1/chat/completions");
  EXPECT_EQ(r.header("Authorization"), "Bearer key-hunter2");
  EXPECT_EQ(r.header("X-Correlation-ID"), "request-17");
  EXPECT_EQ(r.header("Content-Type"), "application/json");
  EXPECT_EQ(model.last_body(), nlohmann::json::parse(R"({"model":"small","temperature":0.5,"max_tokens":20,"messages":[
      {"role":"system","content":"Be brief."},{"role":"user","content":"Hi \"you\"?"}]})"));
}

TEST_F(llm_client, leaves_out_what_was_not_said) {
  sg::llm::client client({.address = model.server.url()});
  (void)client.complete("Hi?");
  EXPECT_EQ(model.last_body(), nlohmann::json::parse(R"({"messages":[{"role":"user","content":"Hi?"}]})"));
  EXPECT_EQ(model.last().header("Authorization"), "");
  EXPECT_EQ(model.last().header("X-Correlation-ID").size(), 36u);
}

TEST_F(llm_client, asks_another_model_or_path_when_told_to) {
  auto o = model.options();
  o.path = "/openai/chat";
  sg::llm::client client(o);
  (void)client.complete({.messages = {{"user", "Hi?"}}, .model = "large"});
  EXPECT_EQ(model.last().path, "/openai/chat");
  EXPECT_EQ(model.last_body()["model"], "large");
}

TEST_F(llm_client, speaks_the_other_dialect) {
  auto o = model.options();
  o.dialect = sg::llm::dialect::messages;
  sg::llm::client client(o);
  model.answers(R"({"model":"c","content":[{"type":"text","text":"Hel"},{"type":"tool_use","id":"x"},{"type":"text","text":"lo"}],
                    "stop_reason":"end_turn","usage":{"input_tokens":5,"output_tokens":2}})");
  const auto answer = client.complete({.messages = {{"system", "Be brief."}, {"user", "Hi?"}}});
  EXPECT_EQ(answer.text, "Hello");
  EXPECT_EQ(answer.finish_reason, "end_turn");
  EXPECT_EQ(answer.prompt_tokens, 5u);
  EXPECT_EQ(answer.completion_tokens, 2u);
  const auto r = model.last();
  EXPECT_EQ(r.path, "/v1/messages");
  EXPECT_EQ(r.header("x-api-key"), "key-hunter2");
  EXPECT_EQ(r.header("Authorization"), "");
  EXPECT_EQ(model.last_body(), nlohmann::json::parse(R"({"model":"small","max_tokens":1024,"system":"Be brief.",
      "messages":[{"role":"user","content":"Hi?"}]})"));
}

TEST_F(llm_client, is_named_after_its_model_or_its_server) {
  EXPECT_EQ(sg::llm::client(model.options()).target(), "llm.small");
  EXPECT_EQ(sg::llm::client(model.options()).breaker().name(), "llm.small");
  EXPECT_EQ(sg::llm::client({.address = model.server.url()}).target(), "llm." + model.server.host());
}

TEST_F(llm_client, has_a_breaker_with_the_preset_for_models) {
  EXPECT_EQ(sg::llm::client(model.options()).breaker().configuration(), sg::presets::llm());
}

TEST_F(llm_client, keeps_what_it_has_by_itself_when_another_option_of_the_adapter_is_set) {
  sg::testing::manual_clock clock;
  auto o = model.options();
  o.adapter = {.clock = &clock};
  EXPECT_EQ(sg::llm::client(o).breaker().configuration(), sg::presets::llm());
  EXPECT_EQ(o.adapter.retry.max_attempts, 1);
  o.adapter = {.breaker = {.failure_threshold = 9}};
  EXPECT_EQ(sg::llm::client(o).breaker().configuration().failure_threshold, 9);
  EXPECT_EQ(o.adapter.retry.max_attempts, 1);
}

TEST_F(llm_client, is_asked_again_only_when_told_to) {
  sg::testing::skipping_clock clock;
  auto o = model.options();
  o.adapter = {.retry = {.max_attempts = 3}, .clock = &clock};
  o.adapter.breaker.call_timeout = 0s;  // or this clock would skip to it
  sg::llm::client client(o);
  model.answers("", 500);
  EXPECT_THROW((void)client.complete("Hi?"), sg::connection_error);
  EXPECT_EQ(model.server.requests().size(), 3u);
}

TEST_F(llm_client, can_be_moved) {
  sg::llm::client first(model.options());
  sg::llm::client second(std::move(first));
  EXPECT_EQ(second.complete("Hi?").text, "Hello");
}

TEST(llm_options, that_are_impossible_are_refused_without_showing_the_key) {
  const auto refused = [](sg::llm::options o) -> std::string {
    try {
      const sg::llm::client client(std::move(o));
      return "accepted";
    } catch (const sg::config_error& e) {
      EXPECT_EQ(std::string_view(e.what()).find("hunter2"), std::string_view::npos);
      return e.problems().size() == 1 ? e.problems().front().key : e.what();
    }
  };
  EXPECT_EQ(refused({.path = "v1"}), "path");
  EXPECT_EQ(refused({.path = "/v1/../x"}), "path");
  EXPECT_EQ(refused({.path = "/v1?key=hunter2"}), "path");
  EXPECT_EQ(refused({.model = "a\nb"}), "model");
  EXPECT_EQ(refused({.model = std::string(200, 'x')}), "model");
  EXPECT_EQ(refused({.api_key = "hunter2\r\nX: y"}), "api_key");
  EXPECT_EQ(refused({.max_reply = 0}), "max_reply");
  EXPECT_NE(refused({.address = "ftp://x"}), "accepted");
  EXPECT_NE(refused({.address = "http://ann:hunter2@x"}), "accepted");
}

}  // namespace
