// SPDX-License-Identifier: Apache-2.0
// What a server of language models answers: whole answers, events of a stream, and the header Retry-After. The first byte says
// which.
#include "../libs/llm/src/wire.hpp"
#include "fuzz.hpp"

#include <switchgear/http/exchange.hpp>

#include <chrono>

namespace sg = switchgear;
namespace detail = switchgear::llm::detail;

namespace {

/// A stream whose events are the lines of the text.
void read_stream(std::string_view text, sg::llm::dialect d) {
  detail::stream_reader reader(d);
  std::string told;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    told += reader.read("message", text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  sg::fuzz::require(told == reader.answer.text, "the pieces are the whole");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = sg::fuzz::text_of(data + 1, size - 1);
  using sg::llm::dialect;
  try {
    switch (data[0] % 5) {
      case 0: (void)detail::read_answer(text, dialect::chat_completions); break;
      case 1: (void)detail::read_answer(text, dialect::messages); break;
      case 2: read_stream(text, dialect::chat_completions); break;
      case 3: read_stream(text, dialect::messages); break;
      default: {
        const auto wait = detail::read_retry_after(text, std::chrono::system_clock::time_point(std::chrono::hours(500'000)));
        if (wait) sg::fuzz::require(*wait >= std::chrono::nanoseconds(0), "nobody is told to come back in the past");
      }
    }
  } catch (const sg::http::malformed_reply&) {
  }
  return 0;
}
