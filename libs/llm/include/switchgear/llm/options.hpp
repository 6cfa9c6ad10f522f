// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/adapter.hpp>
#include <switchgear/config.hpp>
#include <switchgear/http/options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace switchgear::inline v1::llm {

/// What requests and answers look like.
enum class dialect : std::uint8_t {
  chat_completions,  ///< `POST /v1/chat/completions`, `Authorization: Bearer KEY`: OpenAI, vLLM, llama.cpp, Ollama, MLX servers …
  messages,          ///< `POST /v1/messages`, `x-api-key: KEY`: Anthropic, some MLX servers
};

/// What a client of a language model may be told.
struct options {
  /// http or https, host, perhaps port and path; without user and password.
  std::string address = "http://127.0.0.1:8080";

  llm::dialect dialect = llm::dialect::chat_completions;

  /// Behind the address; empty = that of the dialect.
  std::string path{};

  /// Asked for when a request names none. The breaker and the target of errors are named `llm.MODEL`; without a model
  /// `llm.HOST:PORT`.
  std::string model{};

  /// Sent with every request, shown nowhere. Empty: none is sent.
  std::string api_key{};

  /// `timeout` is that of one call, from the lookup to the last byte of the answer, unless the request says otherwise.
  http::options connection{.timeout = std::chrono::minutes(2)};

  /// The longest answer, in bytes; of a stream, the longest event and all text together. 1 … 1 GiB.
  std::size_t max_reply = 8 * 1024 * 1024;

  /// The breaker has the preset `llm`. A complete answer may be asked for again within one call of the breaker, but is not
  /// unless you say so (`.retry = {.max_attempts = 3}`): calls are dear. Streams never are.
  adapter_options_with<&presets::llm, 1> adapter{};

  [[nodiscard]] std::vector<problem> validate() const;
};

}  // namespace switchgear::inline v1::llm
