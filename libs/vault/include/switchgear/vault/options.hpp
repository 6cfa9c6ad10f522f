// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/adapter.hpp>
#include <switchgear/http/options.hpp>

#include <cstddef>
#include <string>

namespace switchgear::inline v1::vault {

/// How a client reaches Vault and who it is: by a token, or by a role of AppRole.
struct options {
  /// Of the server or the load balancer before it: http or https, host and port.
  std::string address = "http://127.0.0.1:8200";

  /// The name of the target: `vault.<cluster>`. Empty: `vault.<host:port of the address>`.
  std::string cluster{};

  /// Of Vault Enterprise; empty: none is sent.
  std::string vault_namespace{};

  /// Shown nowhere. With a token no role is looked at.
  std::string token{};
  /// Of AppRole, both or none. Shown nowhere.
  std::string role_id{}, secret_id{};
  /// Where AppRole is mounted.
  std::string approle_mount = "approle";

  /// Where the key-value engine, version 2, is mounted.
  std::string mount = "secret";

  /// Limits are those of each request. An operation may need several: a login, the question, whether the token is still valid,
  /// and again. `adapter.breaker.call_timeout` bounds them all together.
  http::options connection{
      .connect_timeout = std::chrono::seconds(2), .timeout = std::chrono::seconds(15), .environment_proxy = false};

  /// The longest reply that is read, in bytes; 1 … 1 GiB. A longer one is a failure.
  std::size_t max_reply = 4 * 1024 * 1024;

  /// Breaker, retries of reading operations, clock. The breaker is the preset omnibase_infra: 5 failures in a row open the
  /// circuit for 30 s, one success closes it.
  adapter_options_with<&presets::omnibase_infra> adapter{};

  /// The defaults with what VAULT_ADDR, VAULT_TOKEN, VAULT_NAMESPACE, VAULT_ROLE_ID, VAULT_SECRET_ID and VAULT_CACERT say.
  /// An empty variable counts as not set. To be called while no other thread changes the environment.
  [[nodiscard]] static options from_env();

  /// Every problem of what is above at once, without those of the breaker and the connection; no secret in them.
  [[nodiscard]] std::vector<problem> validate() const;
};

}  // namespace switchgear::inline v1::vault
