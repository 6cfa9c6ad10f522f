// SPDX-License-Identifier: Apache-2.0
//
// Input: one byte that says how to cut, and a stream of events. However it is cut, the events are the same.
#include "fuzz.hpp"

#include <switchgear/http/exchange.hpp>
#include <switchgear/llm/event_stream.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace sg = switchgear;
using sg::fuzz::require;

namespace {

constexpr std::size_t most = 256;

/// The events, and whether one was too long.
std::pair<std::vector<sg::llm::stream_event>, bool> read(std::string_view text, std::size_t step) {
  std::vector<sg::llm::stream_event> events;
  sg::llm::event_stream stream([&](const sg::llm::stream_event& e) { events.push_back(e); }, most);
  try {
    for (std::size_t at = 0; at < text.size(); at += step) stream.feed(text.substr(at, step));
  } catch (const sg::http::malformed_reply&) {
    return {events, true};
  }
  return {events, false};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text = sg::fuzz::text_of(data + 1, size - 1);
  const auto whole = read(text, text.size());
  require(read(text, 1) == whole, "byte by byte the events are the same");
  require(read(text, std::max<std::size_t>(1, data[0] % 32)) == whole, "in pieces the events are the same");
  for (const auto& e : whole.first) require(!e.data.empty() && e.data.size() <= most, "an event has data, and not too much");
  return 0;
}
