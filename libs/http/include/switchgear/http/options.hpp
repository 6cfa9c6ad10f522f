// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace switchgear::inline v1::http {

/// How a client behaves. Limits are 0 … 24 h.
struct options {
  /// For name lookup, connecting and the TLS handshake; 0 = only `timeout` counts. Example: 250ms inside one data
  /// centre.
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(2);

  /// For the whole call, from the lookup to the last byte; 0 = no limit. A request may carry its own. A breaker with a
  /// shorter `call_timeout` wins.
  std::chrono::nanoseconds timeout = std::chrono::seconds(30);

  /// 429 is the caller's fault (he is too fast) and ignored by the breaker; true makes it a failure, so that the
  /// circuit opens and gives the service some rest.
  bool too_many_requests_fail = false;

  /// Follow http_proxy, https_proxy and no_proxy of the environment, as libcurl does.
  bool environment_proxy = true;

  /// A file with the certificate authorities to trust, PEM; empty = those of the system. One that cannot be read makes every
  /// https request invalid.
  std::string certificate_authorities{};

  std::string user_agent = "switchgear";
};

}  // namespace switchgear::inline v1::http
