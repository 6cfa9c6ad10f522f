// SPDX-License-Identifier: Apache-2.0
//
// Input: a .env file. What was read, written in double quotes, reads back the same.
#include "fuzz.hpp"

#include <switchgear/config/dotenv.hpp>

#include <algorithm>
#include <string>

namespace sg = switchgear;

namespace {

std::string written(const sg::dotenv_entry& entry) {
  std::string out = entry.name + "=\"";
  for (const char c : entry.value) {
    switch (c) {
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '"':
      case '\\':
      case '$': out += std::string("\\") + c; break;
      default: out += c;
    }
  }
  return out + "\"\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sg::fuzz::text_of(data, size);
  const sg::dotenv_result first = sg::parse_dotenv(text);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  sg::fuzz::require(first.file.entries.size() + first.problems.size() <= lines, "a line is one entry or one problem");

  std::string again;
  std::size_t last = 0;
  for (const sg::dotenv_entry& entry : first.file.entries) {
    sg::fuzz::require(entry.line > last && entry.line <= lines, "entries stand in the order of the file");
    last = entry.line;
    again += written(entry);
  }
  const sg::dotenv_result second = sg::parse_dotenv(again);
  sg::fuzz::require(second.problems.empty(), "what was written can be read");
  sg::fuzz::require(std::equal(first.file.entries.begin(), first.file.entries.end(), second.file.entries.begin(),
                               second.file.entries.end(),
                               [](const auto& a, const auto& b) { return a.name == b.name && a.value == b.value; }),
                    "what was written reads back the same");
  return 0;
}
