// SPDX-License-Identifier: Apache-2.0
//
// Input: a configuration as a JSON object.
#include "configuration.hpp"

namespace sg = switchgear;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sg::patch_result read = sg::patch_from_json_text(sg::fuzz::text_of(data, size), "fuzz.json");
  (void)sg::describe(read.problems);
  sg::fuzz::require(read.problems.empty() || read.patch.empty(), "a document with problems sets nothing");
  sg::fuzz::check_configuration(sg::apply(read.patch, {}));
  return 0;
}
