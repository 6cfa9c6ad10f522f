// SPDX-License-Identifier: Apache-2.0
//
// Input: the target of a request line. What is read leads nowhere up, and reads back the same when it is written with escapes.
#include "../libs/dashboard/src/web/target.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <string>

namespace detail = switchgear::detail;
using switchgear::fuzz::require;

namespace {

void write(std::string& into, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    into += {'%', digits[byte >> 4], digits[byte & 15]};
  }
}

std::string written(const detail::web_target& target) {
  std::string text;
  for (const std::string& segment : target.path) write(text += '/', segment);
  if (text.empty()) text = "/";
  char before = '?';
  for (const auto& [name, value] : target.query) {
    write(text += before, name);
    write(text += '=', value);
    before = '&';
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = detail::read_target(switchgear::fuzz::text_of(data, size));
  require(read.target.has_value() == read.error.empty(), "read, or refused with a reason");
  if (!read.target) return 0;
  for (const std::string& segment : read.target->path) {
    require(segment != "." && segment != "..", "no segment leads up");
    require(std::none_of(segment.begin(), segment.end(), [](char c) { return c >= 0 && c < ' '; }), "no control characters");
  }
  const std::string text = written(*read.target);
  if (text.size() > detail::longest_target) return 0;
  const auto again = detail::read_target(text);
  require(again.target && again.target->path == read.target->path && again.target->query == read.target->query,
          "what is written reads back the same");
  return 0;
}
