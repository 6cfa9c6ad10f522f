// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/consul/model.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

/// What the agent answers, as docs of the HTTP API (v1) say. Each throws http::malformed_reply when the text is anything else;
/// parts that are not looked at may be anything.
namespace switchgear::inline v1::consul::detail {

[[nodiscard]] bool read_boolean(std::string_view body);
[[nodiscard]] std::vector<kv_entry> read_entries(std::string_view body);
[[nodiscard]] std::vector<service_instance> read_health(std::string_view body);
[[nodiscard]] std::vector<service_instance> read_nodes(std::string_view body);
[[nodiscard]] std::map<std::string, std::vector<std::string>> read_services(std::string_view body);

}  // namespace switchgear::inline v1::consul::detail
