// SPDX-License-Identifier: Apache-2.0
//
// Input: an event as it comes from a bus. What was read and is written reads back the same.
#include "fuzz.hpp"

#include <switchgear/event_reader.hpp>

#include <string>

namespace sg = switchgear;
using sg::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sg::event_reading first = sg::read_event(sg::fuzz::text_of(data, size));
  require(first.value.has_value() == first.error.empty(), "either an event or a reason");
  if (!first) {
    require(first.error.size() < 400 && first.error.find('\n') == std::string::npos, "a reason is one short line");
    return 0;
  }
  require(!first.value->source.empty(), "it says where it comes from");
  const std::string written = to_json(*first.value);
  const sg::event_reading second = sg::read_event(written);
  require(second && *second.value == *first.value, "what was written reads back the same");
  require(to_json(*second.value) == written, "and is written in the same way");
  return 0;
}
