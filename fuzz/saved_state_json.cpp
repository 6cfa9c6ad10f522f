// SPDX-License-Identifier: Apache-2.0
//
// Input: the JSON form of a saved state.
#include "fuzz.hpp"
#include "restored.hpp"

#include <switchgear/config/saved_state.hpp>

namespace sg = switchgear;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sg::read_state read = sg::saved_state_from_json(sg::fuzz::text_of(data, size));
  sg::fuzz::require(read.state.has_value() == read.refused.empty(), "either a state or a reason");
  if (read.state) sg::fuzz::check_accepted(*read.state);
  return 0;
}
