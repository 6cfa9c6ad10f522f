// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/adapter.hpp>
#include <switchgear/http/options.hpp>

#include <cstddef>
#include <string>

namespace switchgear::inline v1::consul {

/// How a client reaches its agent.
struct options {
  /// Of the agent: http or https, host and port.
  std::string address = "http://127.0.0.1:8500";

  /// Of the access control lists; empty: none is sent. Shown nowhere.
  std::string token{};

  /// Which data centre is asked, and the name of the target: `consul.dc1`. Empty: the agent's own, target `consul`.
  std::string datacenter = "dc1";

  /// Of Consul Enterprise; empty: none is sent.
  std::string consul_namespace{};

  /// Of the connection. An agent is near, so the limits are short; a proxy of the environment is not asked.
  http::options connection{
      .connect_timeout = std::chrono::seconds(1), .timeout = std::chrono::seconds(10), .environment_proxy = false};

  /// The longest reply that is read, in bytes; 1 … 1 GiB. A longer one is a failure.
  std::size_t max_reply = 8 * 1024 * 1024;

  /// Breaker, retries of reading operations, clock. The breaker is the preset omnibase_infra: 5 failures in a row open the
  /// circuit for 30 s, one success closes it. A threshold and an open time of a configuration go into
  /// `adapter.breaker.failure_threshold` and `adapter.breaker.open_duration`.
  adapter_options_with<&presets::omnibase_infra> adapter{};

  /// The defaults with what CONSUL_HTTP_ADDR (with or without http://), CONSUL_HTTP_SSL, CONSUL_HTTP_TOKEN,
  /// CONSUL_DATACENTER, CONSUL_NAMESPACE and CONSUL_CACERT say. An empty variable counts as not set. To be called while no
  /// other thread changes the environment.
  [[nodiscard]] static options from_env();

  /// Every problem of what is above at once, without those of the breaker and the connection; no secret in them.
  [[nodiscard]] std::vector<problem> validate() const;
};

}  // namespace switchgear::inline v1::consul
