// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1 {

/// The name of a bus or a server, taken apart: `SCHEME:` or
/// `SCHEME://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]…][/PATH][?KEY=VALUE&…]`.
/// `%41` in any part stands for a byte. IPv6 addresses stand in brackets.
struct bus_url {
  std::string scheme;               ///< lower case
  std::string user, password;       ///< empty when there is none
  /// One of the servers.
  struct address {
    std::string host;
    std::uint16_t port = 0;         ///< 0: not said
    friend bool operator==(const address&, const address&) = default;
  };
  std::vector<address> hosts;       ///< empty for `local:`
  std::string path;                 ///< without the leading slash
  std::map<std::string, std::string> query;

  friend bool operator==(const bus_url&, const bus_url&) = default;
};

/// Throws config_error that says what is wrong and where, but shows no part of the text before an `@`.
[[nodiscard]] bus_url parse_bus_url(std::string_view text);

/// The same text for logs: without user, password and query.
[[nodiscard]] std::string without_secrets(const bus_url& url);

}  // namespace switchgear::inline v1
