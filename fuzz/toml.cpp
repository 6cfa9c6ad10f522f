// SPDX-License-Identifier: Apache-2.0
//
// Input: a circuit file.
#include "configuration.hpp"

#include <switchgear/config/circuit_file.hpp>

namespace sg = switchgear;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sg::circuit_file_result read = sg::parse_toml(sg::fuzz::text_of(data, size));
  (void)sg::describe(read.problems);
  if (!read) return 0;
  for (const sg::circuit_file::table& table : read.file.breakers) {
    const sg::config_result result = read.file.config_for(table.pattern);
    sg::fuzz::require(bool(result), "a file without problems configures every breaker that it names");
    sg::fuzz::check_configuration(result);
  }
  sg::fuzz::check_configuration(read.file.config_for("any other"));
  return 0;
}
