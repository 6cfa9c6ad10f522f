// SPDX-License-Identifier: Apache-2.0
//
// Input: one byte that says how the dashboard listens, then lines: method, path, and fields as NAME:VALUE. Nobody acts who does
// not know the token, and beyond loopback nobody reads.
#include "../libs/dashboard/src/web/access.hpp"
#include "fuzz.hpp"

#include <array>

namespace detail = switchgear::detail;
using switchgear::fuzz::require;

namespace {

constexpr std::string_view secret = "a secret that nobody guesses";

std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::array addresses{"127.0.0.1:8600", "[::1]:8600", "192.0.2.1:8600", "0.0.0.0:8600"};
  std::string_view text = switchgear::fuzz::text_of(data + 1, size - 1);
  detail::access_rules rules{.listen = *detail::read_listen_address(addresses[data[0] % 4]),
                             .token = std::string(secret),
                             .read_only = (data[0] & 4) != 0,
                             .hosts = {}};
  if ((data[0] & 8) != 0) rules.hosts = {"status.example.org"};
  detail::access access(rules);

  detail::request_head head{.method = next_line(text), .version = (data[0] & 16) != 0 ? 10u : 11u, .fields = {}};
  std::vector<std::string> path;
  for (std::string_view rest = next_line(text); !rest.empty();) {
    const std::size_t slash = rest.find('/');
    path.emplace_back(rest.substr(0, slash));
    rest.remove_prefix(slash == rest.npos ? rest.size() : slash + 1);
  }
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    const std::size_t colon = line.find(':');
    if (colon != line.npos) head.fields.emplace_back(line.substr(0, colon), line.substr(colon + 1));
  }
  if (access.refuse_head(head)) return 0;
  const auto ruling = access.judge(head, path, {});
  const auto given = head.field("authorization");
  const bool names_it = given && given->find(secret) != given->npos;
  require(names_it || (!ruling.knows_token && !ruling.may_act), "who does not send the token does not know it");
  require(!ruling.may_act || !rules.read_only, "nobody acts when it is read-only");
  const bool reads = head.method == "GET" || head.method == "HEAD";
  require(reads || ruling.refusal || ruling.may_act, "what is no reading is refused to who may not act");
  const bool circuits = !path.empty() && path[0] == "api" && path.size() != 3;
  require(!access.reading_needs_token() || !circuits || ruling.refusal || ruling.knows_token,
          "circuits are not shown to strangers");
  return 0;
}
