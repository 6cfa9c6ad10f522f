// SPDX-License-Identifier: Apache-2.0
//
// Input: the kind of an action in the first byte, then the body of the request.
#include "fuzz.hpp"

#include "action_body.hpp"

#include <switchgear/config.hpp>

#include <chrono>

namespace sg = switchgear;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  sg::circuit_action action{
      .what = static_cast<sg::circuit_action::kind>(data[0] % 5), .name = {}, .instance = {}, .owner = {}, .reason = {}, .ttl = {}};
  const std::string problem = sg::detail::read_action_body(sg::fuzz::text_of(data + 1, size - 1), action);
  if (!problem.empty()) return 0;
  const bool holds = action.what == sg::circuit_action::kind::force_open || action.what == sg::circuit_action::kind::disable;
  sg::fuzz::require(!action.owner.empty() && action.owner.size() <= 100, "the owner is 1 to 100 bytes");
  sg::fuzz::require(!action.reason.empty() && action.reason.size() <= 500, "the reason is 1 to 500 bytes");
  sg::fuzz::require(!sg::validate_name(action.owner), "the owner is UTF-8 without control characters");
  for (const char c : action.reason) sg::fuzz::require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "the reason is one line");
  sg::fuzz::require(!action.ttl || holds, "only overrides end by themselves");
  sg::fuzz::require(!action.ttl || (action.ttl->count() > 0 && *action.ttl <= std::chrono::days(30)), "the ttl is in its range");
  return 0;
}
