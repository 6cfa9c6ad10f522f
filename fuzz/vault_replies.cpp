// SPDX-License-Identifier: Apache-2.0
//
// Input: one byte that says which reply, and the reply.
#include "../libs/vault/src/replies.hpp"
#include "fuzz.hpp"

#include <switchgear/http/exchange.hpp>

#include <string>

namespace sg = switchgear;
namespace detail = switchgear::vault::detail;

namespace {

void check(const sg::vault::secret& found) {
  sg::fuzz::require(bool(found) || (found.data.empty() && found.json.empty()), "a version that is gone has no data");
  sg::fuzz::require(!found || !found.json.empty(), "a version that is there has data");
}

void check(const sg::vault::lease& granted) { sg::fuzz::require(granted.duration.count() >= 0, "a lease is not negative"); }

void check(const detail::grant& granted) {
  sg::fuzz::require(!granted.token.empty() && granted.token.find_first_of(" \r\n") == std::string::npos, "a token is one word");
  check(granted.lease);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body = sg::fuzz::text_of(data + 1, size - 1);
  constexpr int statuses[] = {200, 429, 472, 473, 501, 503, 204};
  try {
    switch (data[0] % 9) {
      case 0: check(detail::read_login(body)); break;
      case 1: check(detail::read_secret(body)); break;
      case 2:
        if (const auto found = detail::read_missing_secret(body)) check(*found);
        break;
      case 3: (void)detail::read_version(body); break;
      case 4: (void)detail::read_keys(body); break;
      case 5: check(detail::read_lease(body)); break;
      case 6: check(detail::read_token_lease(body)); break;
      case 7: (void)detail::read_health(statuses[data[0] / 9 % 7], body); break;
      default:
        sg::fuzz::require(!detail::says(body, "sealed") || detail::has_errors(body), "who says something lists errors");
        break;
    }
  } catch (const sg::http::malformed_reply&) {
  }
  return 0;
}
