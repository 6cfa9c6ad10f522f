// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/llm/client.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace switchgear::inline v1::llm::detail {

/// The body of a request. Nothing when a text in it is not UTF-8.
[[nodiscard]] std::optional<std::string> write_request(const prompt& p, const options& with, bool streaming);

/// Throws http::malformed_reply.
[[nodiscard]] completion read_answer(std::string_view body, dialect d);

/// Puts an answer together from the events of its stream.
class stream_reader {
 public:
  explicit stream_reader(dialect d) : dialect_(d) {}
  /// The text that the event brings. Throws http::malformed_reply, also for an error that the server tells of in the stream.
  std::string read(std::string_view type, std::string_view data);
  [[nodiscard]] bool is_complete() const noexcept { return complete_; }
  completion answer{};

 private:
  dialect dialect_;
  bool complete_ = false;
};

/// Of a header Retry-After: seconds, or a date. Nothing when it is neither.
[[nodiscard]] std::optional<std::chrono::nanoseconds> read_retry_after(std::string_view value,
                                                                       std::chrono::system_clock::time_point now);

}  // namespace switchgear::inline v1::llm::detail
