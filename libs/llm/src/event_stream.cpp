// SPDX-License-Identifier: Apache-2.0
#include <switchgear/http/exchange.hpp>
#include <switchgear/llm/event_stream.hpp>

#include <algorithm>

namespace switchgear::inline v1::llm {

void event_stream::feed(std::string_view piece) {
  while (!piece.empty()) {
    // A line ends with \r\n, \n or \r, and the two of the first may come in different pieces.
    if (after_return_) {
      after_return_ = false;
      if (piece.front() == '\n') {
        piece.remove_prefix(1);
        continue;
      }
    }
    const std::size_t end = std::min(piece.find_first_of("\r\n"), piece.size());
    if (end > most_ - std::min(most_, line_.size() + data_.size())) {
      throw http::malformed_reply("an event of the stream is longer than " + std::to_string(most_) + " bytes");
    }
    line_.append(piece.substr(0, end));
    if (end == piece.size()) return;
    after_return_ = piece[end] == '\r';
    piece.remove_prefix(end + 1);
    end_line();
  }
}

void event_stream::end_line() {
  std::string_view line = line_;
  if (first_line_ && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
  first_line_ = false;
  if (line.empty()) {
    if (!data_.empty()) {
      data_.pop_back();  // the line break behind the last line
      event_.data.swap(data_);
      if (event_.type.empty()) event_.type = "message";
      if (!event_.data.empty()) handler_(event_);
      event_.data.clear();
    }
    data_.clear();
    event_.type.clear();
  } else if (const std::size_t colon = line.find(':'); colon == line.npos) {
    take(line, {});
  } else if (colon != 0) {  // else a comment
    const std::string_view value = line.substr(colon + 1);
    take(line.substr(0, colon), value.substr(value.starts_with(' ') ? 1 : 0));
  }
  line_.clear();
}

void event_stream::take(std::string_view field, std::string_view value) {
  if (field == "data") {
    data_.append(value).append(1, '\n');
  } else if (field == "event") {
    event_.type = value;
  } else if (field == "id" && value.find('\0') == value.npos) {
    event_.id = value;
  }
}

}  // namespace switchgear::inline v1::llm
