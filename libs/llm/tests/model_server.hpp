// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <http_stub.hpp>

#include <switchgear/llm/client.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <string>

namespace llm_test {

namespace sg = switchgear;
using does = test_support::http_response::behaviour;

inline std::string chat_answer(std::string_view text) {
  return R"({"id":"1","model":"small-2","choices":[{"index":0,"message":{"role":"assistant","content":")" + std::string(text) +
         R"("},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}})";
}

inline std::string chat_piece(std::string_view text) {
  return R"(data: {"model":"small-2","choices":[{"index":0,"delta":{"content":")" + std::string(text) + "\"}}]}\n\n";
}

inline const std::string chat_end = R"(data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})"
                                    "\n\ndata: [DONE]\n\n";

/// A language model that answers what it is told to.
struct model_server {
  model_server() { answers(chat_answer("Hello")); }
  test_support::answer_instead next;
  test_support::http_stub server{[this](const test_support::http_request&) { return next.get().value(); }};

  void answers(std::string body, int status = 200) { next = {.status = status, .body = std::move(body)}; }
  /// The bytes as they are, and the end of the connection.
  void sends(std::string bytes) { next = {.body = std::move(bytes), .does = does::garbage}; }
  [[nodiscard]] sg::llm::options options() const { return {.address = server.url(), .model = "small", .api_key = "key-hunter2"}; }
  [[nodiscard]] test_support::http_request last() const { return server.requests().back(); }
  [[nodiscard]] nlohmann::json last_body() const { return nlohmann::json::parse(last().body); }
};

inline sg::llm::prompt ask(std::string text) { return {.messages = {{.content = std::move(text)}}}; }

}  // namespace llm_test
