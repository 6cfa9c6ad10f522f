// SPDX-License-Identifier: Apache-2.0
//
// Input: a scenario. It is read, and when it is one, it is run, twice with the same outcome.
#include "fuzz.hpp"

#include <switchgear/scenario/run.hpp>

namespace sg = switchgear;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Enough for every scenario of the project, and few enough that a run takes milliseconds.
  constexpr sg::scenario::limits most{.steps = 20'000};
  const std::string_view text = sg::fuzz::text_of(data, size);
  const sg::scenario::outcome first = sg::scenario::run_text(text, most);
  const sg::scenario::parsed read = sg::scenario::parse(text, most);
  using sg::scenario::result;
  sg::fuzz::require((first.result == result::not_a_scenario) == !read.value, "what can be read can be run");
  if (!read.value) {
    sg::fuzz::require(!first.text.empty() && !first.step.empty(), "what is wrong is told, and where");
    return 0;
  }
  const sg::scenario::outcome second = sg::scenario::run(*read.value);
  sg::fuzz::require(first.result == second.result && first.step == second.step && first.text == second.text,
                    "a scenario always has the same outcome");
  return 0;
}
