// SPDX-License-Identifier: Apache-2.0
#include "fake_consul.hpp"

#include <array>
#include <string_view>

namespace consul_test {
namespace {

using nlohmann::json;
using test_support::http_request;
using test_support::http_response;

std::string base64(std::string_view text) {
  static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) bits = bits << 8 | (i + j < text.size() ? static_cast<unsigned char>(text[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j) result += i + j > text.size() ? '=' : digits[bits >> (18 - 6 * j) & 63];
  }
  return result;
}

http_response said(const json& value) { return {.body = value.dump(), .headers = {{"Content-Type", "application/json"}}}; }

bool begins(const std::string& text, const std::string& with, std::string& rest) {
  if (!text.starts_with(with)) return false;
  rest = text.substr(with.size());
  return true;
}

json node() { return {{"Node", "alone"}, {"Address", "127.0.0.1"}, {"Datacenter", "dc1"}}; }

}  // namespace

http_response fake_agent::answer(const http_request& r) {
  if (wants_token && r.header("X-Consul-Token") != token) return {.status = 403, .body = "ACL not found"};
  if (r.has_parameter("dc") && r.parameter("dc") != "dc1") return {.status = 500, .body = "No path to datacenter"};
  std::string rest;
  if (begins(r.path, "/v1/kv/", rest)) return key_value(r, rest);
  if (begins(r.path, "/v1/agent/", rest) && r.method == "PUT") return agent(r, rest);
  if (begins(r.path, "/v1/health/service/", rest)) return health(r, rest);
  if (begins(r.path, "/v1/catalog/service/", rest)) return nodes(rest);
  if (r.path == "/v1/catalog/services") return services();
  return {.status = 404, .body = "404 page not found"};
}

http_response fake_agent::key_value(const http_request& r, const std::string& key) {
  const auto found = keys_.find(key);
  const std::string cas = r.parameter("cas");
  const bool wins = cas.empty() || (found == keys_.end() ? cas == "0" : cas == std::to_string(found->second.modified));
  if (r.method == "PUT") {
    if (!wins) return {.body = "false"};
    const std::uint64_t now = ++index_;
    keys_[key] = {r.body, found == keys_.end() ? now : found->second.created, now};
    return {.body = "true\n"};
  }
  if (r.method == "DELETE") {
    if (!wins) return {.body = "false"};
    keys_.erase(key);
    return {.body = "true"};
  }
  json result = json::array();
  for (const auto& [name, stored] : keys_) {
    if (r.has_parameter("recurse") ? !name.starts_with(key) : name != key) continue;
    result.push_back({{"LockIndex", 0},
                      {"Key", name},
                      {"Flags", 0},
                      {"Value", stored.value.empty() ? json(nullptr) : json(base64(stored.value))},
                      {"CreateIndex", stored.created},
                      {"ModifyIndex", stored.modified}});
  }
  return result.empty() ? http_response{.status = 404} : said(result);
}

http_response fake_agent::agent(const http_request& r, const std::string& rest) {
  std::string id;
  if (rest == "service/register") {
    const json body = json::parse(r.body);
    const std::string service = body.at("ID");
    services_[service] = body;
    checks_[service].clear();
    const json checks = body.value("Checks", json::array());
    for (std::size_t i = 0; i < checks.size(); ++i) {
      const std::string number = checks.size() == 1 ? "" : ":" + std::to_string(i + 1);
      checks_[service]["service:" + service + number] = "critical";
    }
    return {};
  }
  if (begins(rest, "service/deregister/", id)) {
    checks_.erase(id);
    if (services_.erase(id) == 0) return {.status = 404, .body = "Unknown service ID \"" + id + "\""};
    return {};
  }
  if (begins(rest, "check/update/", id)) {
    for (auto& [service, checks] : checks_) {
      if (const auto found = checks.find(id); found != checks.end()) {
        found->second = json::parse(r.body).at("Status");
        return {};
      }
    }
    return {.status = 404, .body = "Unknown check ID \"" + id + "\""};
  }
  return {.status = 404};
}

http_response fake_agent::health(const http_request& r, const std::string& name) const {
  json result = json::array();
  for (const auto& [id, service] : services_) {
    if (service.at("Name") != name) continue;
    json checks = json::array({{{"CheckID", "serfHealth"}, {"Status", "passing"}}});
    bool passes = true;
    for (const auto& [check, status] : checks_.at(id)) {
      checks.push_back({{"CheckID", check}, {"Status", status}});
      passes = passes && status == "passing";
    }
    if (r.has_parameter("passing") && !passes) continue;
    json entry = service;
    entry["Service"] = name;
    result.push_back({{"Node", node()}, {"Service", entry}, {"Checks", checks}});
  }
  return said(result);
}

http_response fake_agent::nodes(const std::string& name) const {
  json result = json::array();
  for (const auto& [id, service] : services_) {
    if (service.at("Name") != name) continue;
    json entry = node();
    for (const char* part : {"ID", "Name", "Address", "Port", "Tags", "Meta"})
      entry[std::string("Service") + part] = service.at(part);
    result.push_back(entry);
  }
  return said(result);
}

http_response fake_agent::services() const {
  json result{{"consul", json::array()}};
  for (const auto& [id, service] : services_) {
    result[std::string(service.at("Name"))] = service.at("Tags");
  }
  return said(result);
}

}  // namespace consul_test
