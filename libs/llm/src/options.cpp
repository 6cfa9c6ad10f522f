// SPDX-License-Identifier: Apache-2.0
#include <switchgear/http/exchange.hpp>
#include <switchgear/llm/options.hpp>

#include <algorithm>

namespace switchgear::inline v1::llm {

std::vector<problem> options::validate() const {
  std::vector<problem> problems;
  if (auto wrong = http::problem_of_address(address)) problems.push_back(*std::move(wrong));
  if (!path.empty() && (!path.starts_with('/') || !http::is_plain_path(std::string_view(path).substr(1)) ||
                        path.find_first_of("?# ") != path.npos)) {
    problems.push_back({"path", "(not shown)", "/SEGMENT/…", "it has to begin with a slash and may have no query"});
  }
  if (!model.empty() && validate_name("llm." + model)) {
    problems.push_back({"model", "", "1 … 196 bytes of UTF-8 without control characters", "no name that a breaker can have"});
  }
  if (std::ranges::any_of(api_key, [](unsigned char c) { return c <= 0x20 || c >= 0x7f; })) {
    problems.push_back({"api_key", "(not shown)", "", "it has a character that no header may have"});
  }
  if (max_reply == 0 || max_reply > (std::size_t{1} << 30)) {
    problems.push_back({"max_reply", std::to_string(max_reply), "1 … 1073741824", "out of range"});
  }
  return problems;
}

}  // namespace switchgear::inline v1::llm
