// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/bus_url.hpp>
#include <switchgear/config.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace switchgear::inline v1::redis {

/// Where a Redis server is and how long to wait for it.
struct options {
  std::string host = "127.0.0.1";  ///< a name, an IPv4 or an IPv6 address (without brackets)
  std::uint16_t port = 6379;
  std::string user{};              ///< empty: the server's default user
  std::string password{};          ///< empty: no AUTH is sent
  int database = 0;                ///< 0 … 1000000; what the server has is for the server to say
  /// Refused: the hiredis of Debian 12 (0.14) has no TLS. Run stunnel (`client = yes`, `accept = 127.0.0.1:6379`,
  /// `connect = HOST:6380`) beside the program and connect to its local port.
  bool tls = false;
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(2);  ///< 0 … 24 h, 0 = as long as the system takes
  /// Of one reply, from the moment of asking until the last byte; 0 … 24 h, 0 = none.
  std::chrono::nanoseconds timeout = std::chrono::seconds(5);

  /// Every problem; none is shown with the password.
  [[nodiscard]] std::vector<problem> validate() const;
};

/// `redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]`; with the scheme `rediss` it is the same with tls. The query is not looked
/// at. Throws config_error that names the part which is wrong.
[[nodiscard]] options options_of(const bus_url& url);

/// `redis.HOST:PORT/DATABASE`: the name of the server in errors and of the breaker that guards it. Never with credentials.
[[nodiscard]] std::string target_of(const options& o);

}  // namespace switchgear::inline v1::redis
