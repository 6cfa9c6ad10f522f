// SPDX-License-Identifier: Apache-2.0
#include "replies.hpp"

#include <switchgear/http/exchange.hpp>

#include <nlohmann/json.hpp>

#include <utility>

namespace switchgear::inline v1::vault::detail {
namespace {

using json = nlohmann::json;

[[noreturn]] void malformed(const char* what) { throw http::malformed_reply(std::string("the reply is malformed: ") + what); }

json parsed(std::string_view body) {
  if (http::nests_deeper_than(body, 64)) malformed("it is nested too deeply");
  json value = json::parse(body, nullptr, false);
  if (!value.is_object()) malformed("it is not a JSON object");
  return value;
}

// Without a complaint: discarded when it is not JSON.
json parsed_if_possible(std::string_view body) {
  return http::nests_deeper_than(body, 64) ? json(json::value_t::discarded) : json::parse(body, nullptr, false);
}

const json& part(const json& object, const char* name) {
  if (!object.is_object()) malformed("an object was expected");
  const auto found = object.find(name);
  if (found == object.end()) malformed("a part is missing");
  return *found;
}

std::string text(const json& value) {
  if (!value.is_string()) malformed("a text was expected");
  return value.get<std::string>();
}

bool boolean(const json& value) {
  if (!value.is_boolean()) malformed("true or false was expected");
  return value.get<bool>();
}

std::string optional_text(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? std::string() : text(*found);
}

lease lease_of(const json& object) {
  const json& duration = part(object, "lease_duration");
  // A century is more than any lease, and less than what a duration of nanoseconds holds.
  constexpr std::uint64_t longest = 100ULL * 366 * 24 * 3600;
  if (!duration.is_number_unsigned() || duration.get<std::uint64_t>() > longest) malformed("a duration was expected");
  return {std::chrono::seconds(duration.get<std::uint64_t>()), boolean(part(object, "renewable"))};
}

version_info version_of(const json& metadata) {
  version_info info;
  const json& number = part(metadata, "version");
  if (!number.is_number_unsigned()) malformed("a version was expected");
  info.version = number.get<std::uint64_t>();
  info.created = text(part(metadata, "created_time"));
  info.deleted = optional_text(metadata, "deletion_time");
  if (boolean(part(metadata, "destroyed"))) info.state = version_info::status::destroyed;
  return info;
}

const json* errors_of(const json& value) {
  if (!value.is_object()) return nullptr;
  const auto found = value.find("errors");
  return found == value.end() || !found->is_array() ? nullptr : &*found;
}

}  // namespace

grant read_login(std::string_view body) {
  const json value = parsed(body);
  const json& auth = part(value, "auth");
  grant result{text(part(auth, "client_token")), lease_of(auth)};
  // It goes into a header.
  if (result.token.empty()) malformed("the token is empty");
  for (const char c : result.token) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) malformed("the token is not one word");
  }
  return result;
}

secret read_secret(std::string_view body) {
  const json value = parsed(body);
  const json& outer = part(value, "data");
  secret result;
  result.info = version_of(part(outer, "metadata"));
  const json& data = part(outer, "data");
  if (data.is_null()) {
    if (result.info.state == version_info::status::present) result.info.state = version_info::status::deleted;
    return result;
  }
  if (!data.is_object()) malformed("the data is not an object");
  for (const auto& [key, each] : data.items()) {
    result.data.emplace(key, each.is_string() ? each.get<std::string>() : each.dump());
  }
  result.info.state = version_info::status::present;
  result.json = data.dump();
  return result;
}

std::optional<secret> read_missing_secret(std::string_view body) {
  const json value = parsed_if_possible(body);
  if (!value.is_object() || !value.contains("data")) return std::nullopt;
  secret found = read_secret(body);
  if (found) malformed("a secret that is not found has data");
  return found;
}

version_info read_version(std::string_view body) {
  const json value = parsed(body);
  return version_of(part(value, "data"));
}

std::vector<std::string> read_keys(std::string_view body) {
  const json value = parsed(body);
  const json& keys = part(part(value, "data"), "keys");
  if (!keys.is_array()) malformed("an array was expected");
  std::vector<std::string> result;
  for (const json& each : keys) result.push_back(text(each));
  return result;
}

lease read_lease(std::string_view body) { return lease_of(parsed(body)); }

lease read_token_lease(std::string_view body) {
  const json value = parsed(body);
  return lease_of(part(value, "auth"));
}

health_report read_health(int status, std::string_view body) {
  health_report report;
  switch (status) {
    case 200: report.state = server_state::active; break;
    case 429: report.state = server_state::standby; break;
    case 472: report.state = server_state::recovery_secondary; break;
    case 473: report.state = server_state::performance_standby; break;
    case 501: report.state = server_state::uninitialised; break;
    case 503: report.state = server_state::sealed; break;
    default: malformed("the status is none of those of a health check");
  }
  // A load balancer without servers answers 503, too: only Vault says these.
  const json value = parsed(body);
  const bool initialised = boolean(part(value, "initialized"));
  const bool sealed = boolean(part(value, "sealed"));
  if (!initialised) report.state = server_state::uninitialised;
  if (sealed != (report.state == server_state::sealed) && initialised) malformed("status and body contradict each other");
  report.version = optional_text(value, "version");
  report.cluster_name = optional_text(value, "cluster_name");
  return report;
}

bool says(std::string_view body, std::string_view words) {
  const json value = parsed_if_possible(body);
  const json* errors = errors_of(value);
  if (errors == nullptr) return false;
  for (const json& each : *errors) {
    if (each.is_string() && each.get_ref<const std::string&>().find(words) != std::string::npos) return true;
  }
  return false;
}

bool has_errors(std::string_view body) {
  const json value = parsed_if_possible(body);
  const json* errors = errors_of(value);
  return errors != nullptr && !errors->empty();
}

}  // namespace switchgear::inline v1::vault::detail
