// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/adapter.hpp>
#include <switchgear/consul/model.hpp>
#include <switchgear/consul/options.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::consul {

/// What is evidence against Consul, for a breaker of your own (adapter_options::shared_breaker):
///
/// | what happened | verdict | what the caller sees |
/// |---|---|---|
/// | 2xx with a reply as documented; a missing key; a lost comparison | success | the value, nullopt, false |
/// | no connection, reset, cut off, name not found, TLS refused | failure | connection_error, http::transfer_error nested |
/// | 5xx (no cluster leader, no path to the data centre) | failure | connection_error, http::status_error nested |
/// | a reply that is not as documented, or too long; a redirect | failure | connection_error, http::malformed_reply nested |
/// | a limit of time passed | timeout | call_timeout_error |
/// | 4xx: bad request, access denied, unknown check, too many requests | ignored | refused_error, the status its code |
/// | 429 with `connection.too_many_requests_fail` | failure | connection_error, http::status_error nested |
/// | an argument that cannot be sent | ignored | refused_error, code `invalid_request` |
/// | the stop token of the operation | ignored | cancelled_error |
[[nodiscard]] classifier rules();

/// A client of a Consul agent, behind a circuit breaker.
///
///     sg::consul::client consul{sg::consul::options::from_env()};
///     consul.register_service({.name = "billing", .port = 8080, .checks = {{.ttl = 15s}}});
///     consul.pass_check("service:billing");
///     for (const sg::consul::service_instance& i : consul.service_health("stock")) …
///     if (const auto entry = consul.get("config/billing/limit")) consul.compare_and_set(entry->key, "12", entry->modify_index);
///
/// Operations that only read are repeated as adapter_options::retry says; those that write are tried once.
///
/// Errors: circuit_open_error (nothing was sent) and those of rules(). Each carries transport `consul`, the operation and the
/// target `consul.<datacenter>`. They name services and keys, never a token, a value or a part of a reply. A key, an id or a
/// name that is empty or has an empty segment, `.` or `..` in it cannot be sent.
///
/// Each request carries X-Correlation-ID. Redirects are not followed.
///
/// Thread safety: every function from any thread at any time; destruction after the last has returned.
class client {
 public:
  /// Throws config_error. Connects with the first operation.
  explicit client(options o = {});
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  // --- services of this agent ---

  /// Registers, or replaces the registration with the same id and its checks. Failure: `Failed to register service NAME: …`.
  void register_service(const service_registration& service, const operation_options& o = {});
  /// False when the agent does not know the id.
  bool deregister_service(std::string_view id, const operation_options& o = {});
  /// What a service says of a check with a `ttl`. The id of the only check of a service is `service:<id of the service>`. A check
  /// that the agent does not know is a refused_error with code 404.
  void update_check(std::string_view id, health now, std::string_view note = {}, const operation_options& o = {});
  void pass_check(std::string_view id, std::string_view note = {}, const operation_options& o = {}) {
    update_check(id, health::passing, note, o);
  }
  void fail_check(std::string_view id, std::string_view note = {}, const operation_options& o = {}) {
    update_check(id, health::critical, note, o);
  }

  // --- services of the data centre ---

  enum class which : std::uint8_t { passing, all };
  /// Instances with their health; empty when there are none.
  [[nodiscard]] std::vector<service_instance> service_health(std::string_view name, which wanted = which::passing,
                                                             const operation_options& o = {}) const;
  /// The names of all services with their tags.
  [[nodiscard]] std::map<std::string, std::vector<std::string>> services(const operation_options& o = {}) const;
  /// Where a service is registered, whatever its health.
  [[nodiscard]] std::vector<service_instance> service_nodes(std::string_view name, const operation_options& o = {}) const;

  // --- keys and values ---

  /// Nothing when there is no such key.
  [[nodiscard]] std::optional<kv_entry> get(std::string_view key, const operation_options& o = {}) const;
  /// Every key that begins with `prefix`, in order; all of them when it is empty.
  [[nodiscard]] std::vector<kv_entry> list(std::string_view prefix, const operation_options& o = {}) const;
  /// False when Consul refused to write (a key that is locked).
  bool put(std::string_view key, std::string_view value, const operation_options& o = {});
  /// Writes if the key has not been changed since `modify_index`; with 0 if it does not exist. False when it lost.
  bool compare_and_set(std::string_view key, std::string_view value, std::uint64_t modify_index, const operation_options& o = {});
  /// A key that does not exist is removed, too.
  void remove(std::string_view key, const operation_options& o = {});
  /// Removes if the key has not been changed since `modify_index`. False when it lost, and with 0.
  bool compare_and_remove(std::string_view key, std::uint64_t modify_index, const operation_options& o = {});

  [[nodiscard]] circuit_breaker& breaker() const noexcept;
  /// `consul.dc1`.
  [[nodiscard]] const std::string& target() const noexcept;

 private:
  struct implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace switchgear::inline v1::consul
