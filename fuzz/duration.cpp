// SPDX-License-Identifier: Apache-2.0
//
// Input: the text of one value. Durations and windows that were read are the same after they were written.
#include "fuzz.hpp"

#include <switchgear/config/value.hpp>

namespace sg = switchgear;
using sg::fuzz::require;

namespace {

void check_duration(const sg::reading<std::chrono::nanoseconds>& read) {
  require(read.value.has_value() == read.error.empty(), "either a value or a reason");
  if (!read) return;
  require(read.value->count() >= 0, "no duration is negative");
  const auto again = sg::parse_duration(sg::format_duration(*read.value));
  require(again && *again.value == *read.value, "a duration reads back the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sg::fuzz::text_of(data, size);
  check_duration(sg::parse_duration(text));
  const auto window = sg::parse_window(text);
  require(window.value.has_value() == window.error.empty(), "either a window or a reason");
  if (window && window.value->timed) check_duration({window.value->duration, {}});
  for (const sg::raw_value& raw : {sg::raw_value::untyped(text), sg::raw_value::text(text)}) {
    check_duration(sg::read_duration(raw));
    (void)sg::read_window(raw);
    (void)sg::read_bool(raw);
    (void)sg::read_count(raw);
    const auto number = sg::read_number(raw);
    if (number) check_duration(sg::read_duration(sg::raw_value::real(*number.value)));
  }
  return 0;
}
