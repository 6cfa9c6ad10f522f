// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchgear::inline v1::detail {

/// A request as the rest of the dashboard sees it: read, within its limits, decoded, and judged by access.
struct web_request {
  std::string method;             ///< `GET`, `HEAD` and `POST` only
  std::vector<std::string> path;  ///< the segments, percent-decoded: `/api/v1/circuits/a%2Fb` → api, v1, circuits, a/b
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in their order
  std::string content_type;       ///< without parameters, lower case
  std::string body;
  std::string peer;               ///< `127.0.0.1:51234`
  bool knows_token = false;       ///< the right token came with it
  bool may_act = false;           ///< it knows the token, comes from no foreign page, and the dashboard is not read-only

  /// The first value of a query parameter; empty when there is none.
  [[nodiscard]] std::string_view parameter(std::string_view name) const noexcept;
};

struct web_answer {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::shared_ptr<const std::string> body;  ///< null: empty
  std::vector<std::pair<std::string, std::string>> headers{};  ///< besides those that every answer gets
};

/// `{"error": {"code": CODE, "message": MESSAGE}}`
[[nodiscard]] web_answer error_answer(unsigned status, std::string_view code, std::string_view message);

/// Where a stream of server-sent events puts its pieces. May be called from any thread; never blocks. False: the stream has
/// ended, or the client is too slow and is being dropped.
using stream_writer = std::function<bool(std::shared_ptr<const std::string>)>;

/// What answers requests. Thread safety: every function from any thread; none blocks for long.
class web_handler {
 public:
  web_handler() = default;
  web_handler(const web_handler&) = delete;
  web_handler& operator=(const web_handler&) = delete;
  virtual ~web_handler() = default;

  /// Everything but the page, its assets and the stream. Throws nothing but std::bad_alloc.
  [[nodiscard]] virtual web_answer answer(const web_request& request) = 0;

  /// Whether a request asks for the stream: `GET /api/v1/events`.
  [[nodiscard]] static bool asks_for_stream(const web_request& request);

  /// Begins a stream: writes what is now, then whatever happens, until what is returned is destroyed.
  [[nodiscard]] virtual std::shared_ptr<void> open_stream(stream_writer write) = 0;
};

}  // namespace switchgear::inline v1::detail
