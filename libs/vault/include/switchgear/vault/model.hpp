// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace switchgear::inline v1::vault {

/// A version of a secret, without its data.
struct version_info {
  enum class status : std::uint8_t {
    present,
    deleted,    ///< can be brought back by an operator
    destroyed,  ///< gone for good
  };
  std::uint64_t version = 0;  ///< from 1
  std::string created{};      ///< RFC 3339, as Vault writes it
  std::string deleted{};      ///< the same; empty unless deleted (may lie in the future: then it is still present)
  status state = status::present;
};

/// A secret that was read.
struct secret {
  version_info info{};
  /// Texts as they are, anything else as JSON; empty unless the version is present.
  std::map<std::string, std::string> data{};
  /// The whole data as JSON; empty unless the version is present.
  std::string json{};

  /// Whether there is data.
  [[nodiscard]] explicit operator bool() const noexcept { return info.state == version_info::status::present; }
};

/// A lease, or the token itself, after it was renewed.
struct lease {
  std::chrono::seconds duration{0};  ///< from now; 0 = for ever
  bool renewable = false;
};

/// What a Vault server is at the moment.
enum class server_state : std::uint8_t {
  active,               ///< 200
  standby,              ///< 429
  recovery_secondary,   ///< 472: of a disaster recovery cluster
  performance_standby,  ///< 473
  uninitialised,        ///< 501
  sealed,               ///< 503
};
/// The name, `sealed`.
[[nodiscard]] std::string_view to_string(server_state s) noexcept;

/// What the server says of itself.
struct health_report {
  server_state state = server_state::active;
  std::string version{};       ///< of Vault; may be empty
  std::string cluster_name{};  ///< may be empty
};

}  // namespace switchgear::inline v1::vault
