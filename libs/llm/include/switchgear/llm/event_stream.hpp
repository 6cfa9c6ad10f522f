// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace switchgear::inline v1::llm {

/// One event of a stream.
struct stream_event {
  std::string type;  ///< `message` when none was given
  std::string data;  ///< its lines with line breaks between them; never empty
  std::string id;    ///< the last that was given, by this event or one before

  friend bool operator==(const stream_event&, const stream_event&) = default;
};

/// Reads server-sent events (the format text/event-stream of the HTML standard) piece by piece. However the text is cut into
/// pieces, the events are the same. What is not ended by an empty line is no event.
///
/// Not for several threads at once.
class event_stream {
 public:
  using handler = std::function<void(const stream_event&)>;

  /// `most`: the longest line and data of one event together, in bytes.
  explicit event_stream(handler h, std::size_t most = std::size_t{1} << 20) : handler_(std::move(h)), most_(most) {}

  /// Calls the handler for each event that ends in `piece`; what that throws passes, and then nothing more may be fed. Throws
  /// http::malformed_reply when an event is too long.
  void feed(std::string_view piece);

 private:
  void end_line();
  void take(std::string_view field, std::string_view value);

  handler handler_;
  std::size_t most_;
  std::string line_;
  std::string data_;
  stream_event event_;
  bool first_line_ = true;
  bool after_return_ = false;
};

}  // namespace switchgear::inline v1::llm
