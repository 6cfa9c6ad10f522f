// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/postgres/client.hpp>

#include <string>
#include <utility>
#include <vector>

namespace switchgear::inline v1::postgres::detail {

/// How to reach a server, as libpq wants it.
struct settings {
  std::vector<std::pair<std::string, std::string>> words{};  ///< libpq's keywords and their values
  std::string target{};
  std::string password{};  ///< to be found in no text
};

/// Throws config_error with every problem; none shows the connection string.
[[nodiscard]] settings settings_of(const options& o);

}  // namespace switchgear::inline v1::postgres::detail
