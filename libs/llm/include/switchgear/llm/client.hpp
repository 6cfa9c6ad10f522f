// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/adapter.hpp>
#include <switchgear/classifier.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/llm/options.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchgear::inline v1::llm {

/// One turn of a conversation.
struct message {
  std::string role = "user";  ///< `system`, `user`, `assistant`
  std::string content{};      ///< UTF-8
};

/// What is asked.
struct prompt {
  std::vector<message> messages{};
  std::string model{};                  ///< empty: that of the options
  std::optional<double> temperature{};  ///< empty: the server decides
  std::optional<int> max_tokens{};      ///< empty: the server decides (1024 in the dialect messages, which demands a number)
  std::optional<std::chrono::nanoseconds> timeout{};  ///< instead of that of the options; 0 = none
};

/// What was answered. Counts are 0 where the server told none.
struct completion {
  std::string text{};
  std::string model{};          ///< which answered, in the words of the server
  std::string finish_reason{};  ///< `stop`, `length`, `end_turn` …
  std::uint64_t prompt_tokens = 0, completion_tokens = 0;
  std::string correlation_id{};
};

/// The server answered 429: too many requests, or tokens, for this key. A rejection: no evidence against the server, and
/// a retry further out with wait_for_retry_after comes back when the server said.
class rate_limited_error : public rejected_error {
 public:
  rate_limited_error(std::optional<std::chrono::nanoseconds> retry_after, error_context context, std::string correlation_id);
  [[nodiscard]] const error_context& context() const noexcept { return context_; }
  [[nodiscard]] const std::string& correlation_id() const noexcept { return correlation_id_; }

 private:
  error_context context_;
  std::string correlation_id_;
};

/// Called for each piece of text, in order, on the calling thread. What it throws ends the call, is no evidence, and reaches
/// the caller unchanged.
using text_sink = std::function<void(std::string_view piece)>;

/// A client of a language model behind a circuit breaker.
///
///     sg::llm::client model{{.address = "https://api.example", .model = "large", .api_key = key}};
///     sg::llm::completion answer = model.complete("Is this safe? " + text);
///     model.stream({.messages = {{"user", question}}}, [](std::string_view piece) { std::cout << piece; });
///
/// Errors, each with `llm`, `complete` or `stream`, and the target as its context, none with a part of the prompt, the answer
/// or the key: circuit_open_error (nothing was sent) · rate_limited_error (429) · refused_error (any other 4xx, a prompt that is
/// not UTF-8 or cannot be sent; code() is the status or `invalid_request`) · call_timeout_error · cancelled_error ·
/// connection_error: no connection, 5xx (http::status_error nested), a malformed answer or a stream that ends early
/// (http::malformed_reply or http::transfer_error nested). Evidence: timeouts and what becomes a connection_error are failures,
/// the rest is ignored. With `connection.too_many_requests_fail` a 429 is a connection_error, as 5xx are.
///
/// Each call carries X-Correlation-ID. Thread safety: any number of threads at once.
class client {
 public:
  /// Throws config_error.
  explicit client(options o = {});
  ~client();
  client(client&&) noexcept;
  client& operator=(client&&) noexcept;

  /// The whole answer.
  [[nodiscard]] completion complete(const prompt& p, const operation_options& o = {});
  [[nodiscard]] completion complete(std::string_view question, const operation_options& o = {});

  /// The answer piece by piece, and the whole at the end. A stream that ends before its end is a failure, whatever was told by
  /// then.
  completion stream(const prompt& p, const text_sink& on_text, const operation_options& o = {});

  [[nodiscard]] circuit_breaker& breaker() const noexcept;
  /// `llm.MODEL`.
  [[nodiscard]] const std::string& target() const noexcept;

 private:
  struct implementation;
  std::unique_ptr<implementation> implementation_;
};

/// What is evidence, for breakers of the user's own (adapter_options::shared_breaker).
[[nodiscard]] classifier rules();

}  // namespace switchgear::inline v1::llm
