// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/vault/model.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What Vault answers, as the documentation of its HTTP API says. Each throws http::malformed_reply when the text is anything
/// else; parts that are not looked at may be anything.
namespace switchgear::inline v1::vault::detail {

struct grant {
  std::string token;
  vault::lease lease;
};

[[nodiscard]] grant read_login(std::string_view body);
[[nodiscard]] secret read_secret(std::string_view body);
/// Of a 404: a version that was deleted comes with its metadata. Nothing when there is no such secret.
[[nodiscard]] std::optional<secret> read_missing_secret(std::string_view body);
[[nodiscard]] version_info read_version(std::string_view body);
[[nodiscard]] std::vector<std::string> read_keys(std::string_view body);
[[nodiscard]] lease read_lease(std::string_view body);
[[nodiscard]] lease read_token_lease(std::string_view body);
[[nodiscard]] health_report read_health(int status, std::string_view body);

/// Whether one of the errors that Vault lists contains `words`. Never throws: a body may come from a proxy.
[[nodiscard]] bool says(std::string_view body, std::string_view words);
/// Whether it lists any.
[[nodiscard]] bool has_errors(std::string_view body);

}  // namespace switchgear::inline v1::vault::detail
