// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchgear::inline v1::http {

/// Name and value of one header line.
using header = std::pair<std::string, std::string>;

/// The header under which a call is known on both sides.
inline constexpr std::string_view correlation_header = "X-Correlation-ID";

/// One call. Only `url` has to be given:
///
///     client.send({.method = "PUT", .url = "http://stock.internal/items/7", .body = "12"});
struct request {
  std::string method = "GET";
  std::string url;                ///< http or https; a user and password in it are sent, and shown nowhere
  std::vector<header> headers{};  ///< sent as they are; a line break in one makes the request invalid
  std::string body{};             ///< sent with any method but GET and HEAD; with those a non-empty body is invalid
  std::string correlation_id{};   ///< empty: the caller's header of that name, else a fresh UUID v4
  std::optional<std::chrono::nanoseconds> timeout{};  ///< instead of the client's; 0 = no limit
  std::stop_token stop{};         ///< ends the transfer at once; the call then counts as cancelled by the caller
};

/// What came back, whatever the status: a 503 is a response, too.
struct response {
  int status = 0;
  std::vector<header> headers{};
  std::string body{};            ///< empty when the body went to a body_sink
  std::string correlation_id{};  ///< the one that was sent

  /// 200 … 299.
  [[nodiscard]] bool ok() const noexcept { return status >= 200 && status < 300; }

  /// The value of the first header of that name, whatever its case.
  [[nodiscard]] std::optional<std::string_view> find_header(std::string_view name) const noexcept;
};

/// Takes the body piece by piece as it arrives, at most 16 KiB at a time; nothing of it is kept. `head` has the
/// status and the headers. What it throws ends the transfer and reaches the caller unchanged. No limit of time can
/// act while it runs.
using body_sink = std::function<void(const response& head, std::string_view piece)>;

}  // namespace switchgear::inline v1::http
