// SPDX-License-Identifier: Apache-2.0
//
// Input: lines. The first is the prefix, those up to an empty one are the environment, what follows is a .env file.
#include "configuration.hpp"

#include <switchgear/config/environment.hpp>

#include <string>
#include <vector>

namespace sg = switchgear;

namespace {

/// No value of any key can have this in it, so nobody may ever show it.
constexpr std::string_view secret = "s3cret";

std::string_view next_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

bool in_a_name(std::string_view prefix, const sg::variables& process, const sg::dotenv_file& dotenv) {
  bool found = prefix.find(secret) != std::string_view::npos;
  for (const auto& [name, value] : process) found = found || name.find(secret) != std::string::npos;
  for (const auto& entry : dotenv.entries) found = found || entry.name.find(secret) != std::string::npos;
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = sg::fuzz::text_of(data, size);
  const std::string prefix(next_line(rest));
  std::vector<std::string> lines;
  while (!rest.empty()) {
    lines.emplace_back(next_line(rest));
    if (lines.back().empty()) break;
  }
  std::vector<const char*> environment;
  for (const std::string& line : lines) environment.push_back(line.c_str());
  environment.push_back(nullptr);

  const sg::variables process = sg::read_environment(environment.data());
  const sg::dotenv_result dotenv = sg::parse_dotenv(rest);
  const sg::patch_result read = sg::from_environment(prefix, process, dotenv.file);
  const sg::config_result result = sg::apply(read.patch, {});
  sg::fuzz::check_configuration(result);
  const std::string told = sg::describe(dotenv.problems) + sg::describe(read.problems) + sg::describe(result.problems);
  sg::fuzz::require(told.find(secret) == std::string::npos || in_a_name(prefix, process, dotenv.file),
                    "a value that cannot be read is not shown");
  return 0;
}
