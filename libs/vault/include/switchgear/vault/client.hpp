// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/adapter.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/vault/model.hpp>
#include <switchgear/vault/options.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::vault {

/// The server is sealed: it cannot do anything before an operator unseals it.
class sealed_error : public connection_error {
 public:
  using connection_error::connection_error;
};

/// The server is a standby that does not hand requests on to the active one: a redirect to that one, or status 472 or 473. The
/// operation was not done.
class standby_error : public connection_error {
 public:
  using connection_error::connection_error;
};

/// What is evidence against Vault, for a breaker of your own (adapter_options::shared_breaker):
///
/// | what happened | verdict | what the caller sees |
/// |---|---|---|
/// | 2xx with a reply as documented; no such secret; a lost comparison | success | the value, nullopt |
/// | no connection, reset, cut off, name not found, TLS refused | failure | connection_error, http::transfer_error nested |
/// | sealed: 503 that says so | failure | sealed_error |
/// | standby: a redirect, 472, 473 | failure | standby_error |
/// | any other 5xx | failure | connection_error, http::status_error nested |
/// | a reply that is not as documented, or too long | failure | connection_error, http::malformed_reply nested |
/// | a limit of time passed | timeout | call_timeout_error |
/// | 400, 403 and other 4xx, 429 too; a role that may not log in | ignored | refused_error, the status its code |
/// | 429 with `connection.too_many_requests_fail` | failure | connection_error, http::status_error nested |
/// | an argument that cannot be sent | ignored | refused_error, code `invalid_request` |
/// | the stop token of the operation | ignored | cancelled_error |
/// | health(): active | success | the report |
/// | health(): sealed, not initialised | failure | the report |
/// | health(): standby of any kind | ignored | the report |
///
/// A standby that answers an operation is evidence, because nothing can be done at this address before that changes; one that
/// answers health() only said what it is, and hands requests on as a rule.
[[nodiscard]] classifier rules();

/// A client of HashiCorp Vault, behind a circuit breaker.
///
///     sg::vault::client vault{sg::vault::options::from_env()};
///     if (const auto found = vault.read("billing/database"); found && *found) connect(found->data.at("password"));
///     vault.write("billing/database", {{"password", fresh}});
///
/// With a role the first operation logs in. The token is kept, and a new one is fetched when its lease is over or when Vault
/// says that it is not valid any more (then the operation is repeated once). All this is part of one call of the breaker.
///
/// Operations that only read are repeated as adapter_options::retry says; those that write are tried once.
///
/// Errors: circuit_open_error (nothing was sent) and those of rules(). Each carries transport `vault`, the operation and the
/// target. They name paths of secrets, never a token, a role or secret id, a lease, data, or a part of a reply. A path that is
/// empty or has an empty segment, `.` or `..` in it cannot be sent.
///
/// Each request carries X-Correlation-ID. Redirects are not followed: a token goes to the configured address alone.
///
/// Thread safety: every function from any thread at any time; destruction after the last has returned. Of several threads that
/// need a token one logs in, and the others wait for it, each for at most the connection's timeout.
class client {
 public:
  /// Throws config_error. Connects with the first operation.
  explicit client(options o = {});
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  // --- secrets ---

  /// The newest version, or the given one. Nothing when there is no such secret or version; a deleted or destroyed version is a
  /// secret that is false and has no data.
  [[nodiscard]] std::optional<secret> read(std::string_view path, const operation_options& o = {}) const;
  [[nodiscard]] std::optional<secret> read_version(std::string_view path, std::uint64_t version,
                                                   const operation_options& o = {}) const;

  using texts = std::map<std::string, std::string>;
  /// Makes a new version with just this data, and returns what it is.
  version_info write(std::string_view path, const texts& data, const operation_options& o = {});
  /// Only if the newest version is `version`; 0: only if there is none. Nothing when it lost.
  std::optional<version_info> write_if(std::string_view path, const texts& data, std::uint64_t version,
                                       const operation_options& o = {});

  /// Deletes the newest version (it stays restorable). No fault when there is none.
  void remove(std::string_view path, const operation_options& o = {});
  /// Removes all versions for good.
  void remove_all(std::string_view path, const operation_options& o = {});
  /// The names below a path, folders with a slash at the end; all when it is empty. Empty when there are none.
  [[nodiscard]] std::vector<std::string> list(std::string_view path, const operation_options& o = {}) const;

  // --- leases ---

  /// Asks for `increment` from now on, whole seconds; 0 = the server's default. The server may grant less.
  lease renew_lease(std::string_view lease_id, std::chrono::seconds increment = std::chrono::seconds(0),
                    const operation_options& o = {});
  /// The same for the client's own token.
  lease renew_token(std::chrono::seconds increment = std::chrono::seconds(0), const operation_options& o = {});

  // --- the server ---

  /// Asked once, without a token. That it is sealed or a standby is an answer, not an error.
  [[nodiscard]] health_report health(const operation_options& o = {}) const;

  [[nodiscard]] circuit_breaker& breaker() const noexcept;
  /// `vault.<cluster>` or `vault.<host:port>`.
  [[nodiscard]] const std::string& target() const noexcept;

 private:
  struct implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace switchgear::inline v1::vault
