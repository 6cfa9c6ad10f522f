// SPDX-License-Identifier: Apache-2.0
#include "fake_vault.hpp"

#include <string_view>

namespace vault_test {
namespace {

using nlohmann::json;
using test_support::http_request;
using test_support::http_response;

constexpr const char* now = "2030-01-02T03:04:05.678Z";

http_response said(const json& value, int status = 200) { return {.status = status, .body = value.dump()}; }

http_response wrong(int status, const char* what) { return said({{"errors", json::array({what})}}, status); }

http_response nothing() { return said({{"errors", json::array()}}, 404); }

bool begins(const std::string& text, const std::string& with, std::string& rest) {
  if (!text.starts_with(with)) return false;
  rest = text.substr(with.size());
  return true;
}

}  // namespace

http_response fake_server::answer(const http_request& r) {
  const std::lock_guard lock(mutex_);
  std::string rest;
  if (r.path == "/v1/sys/health") return health();
  if (is == mood::sealed) return wrong(503, "Vault is sealed");
  if (is == mood::uninitialised) return wrong(503, "Vault is sealed");
  if (is == mood::standby) return {.status = 307, .headers = {{"Location", "http://127.0.0.1:1" + r.path}}};
  if (r.path == "/v1/auth/approle/login") return auth(r, "login");
  if (!tokens_.contains(r.header("X-Vault-Token"))) return wrong(403, "permission denied");
  if (begins(r.path, "/v1/secret/data/forbidden", rest)) return wrong(403, "1 error occurred:\n\t* permission denied\n\n");
  if (begins(r.path, "/v1/auth/", rest)) return auth(r, rest);
  if (begins(r.path, "/v1/secret/data/", rest)) return data(r, rest);
  if (begins(r.path, "/v1/secret/metadata/", rest)) return metadata(r, rest);
  if (r.path == "/v1/sys/leases/renew" && r.method == "PUT") return renew(r);
  return wrong(404, "no handler for route \"x\". route entry not found.");
}

http_response fake_server::health() const {
  const bool initialised = is != mood::uninitialised, sealed = is == mood::sealed || !initialised;
  const json body{{"initialized", initialised},
                  {"sealed", sealed},
                  {"standby", is != mood::active},
                  {"version", "1.17.2"},
                  {"cluster_name", "vault-cluster-1"}};
  return said(body, !initialised ? 501 : sealed ? 503 : is == mood::standby ? 429 : 200);
}

json fake_server::granted(const std::string& token) const {
  const json policies = json::array({"default"});
  return {{"auth",
           {{"client_token", token}, {"lease_duration", lease_seconds.load()}, {"renewable", true}, {"policies", policies}}}};
}

http_response fake_server::auth(const http_request& r, const std::string& rest) {
  if (rest == "login") {
    const json body = json::parse(r.body);
    if (body.at("role_id") != role_id || body.at("secret_id") != secret_id) return wrong(400, "invalid role or secret ID");
    const std::string token = "hvs.login-hunter2-" + std::to_string(++logins);
    tokens_.insert(token);
    return said(granted(token));
  }
  if (rest == "token/renew-self") return said(granted(r.header("X-Vault-Token")));
  if (rest == "token/lookup-self") return said({{"data", {{"ttl", 100}}}});
  return nothing();
}

http_response fake_server::data(const http_request& r, const std::string& path) {
  auto& versions = secrets_[path];
  const auto described = [&](std::size_t number) {
    return json{
        {"version", number}, {"created_time", now}, {"deletion_time", versions[number - 1].deleted}, {"destroyed", false}};
  };
  if (r.method == "POST") {
    const json body = json::parse(r.body);
    if (body.contains("options") && body["options"]["cas"] != versions.size()) {
      return wrong(400, "check-and-set parameter did not match the current version");
    }
    versions.push_back({body.at("data"), {}});
    return said({{"data", described(versions.size())}});
  }
  if (r.method == "DELETE") {
    if (!versions.empty()) versions.back().deleted = now;
    return {.status = 204};
  }
  std::size_t number = versions.size();
  if (r.has_parameter("version") && r.parameter("version") != "0") number = std::stoul(r.parameter("version"));
  if (number == 0 || number > versions.size()) return nothing();
  const bool deleted = !versions[number - 1].deleted.empty();
  return said({{"data", {{"data", deleted ? json(nullptr) : versions[number - 1].data}, {"metadata", described(number)}}}},
              deleted ? 404 : 200);
}

http_response fake_server::metadata(const http_request& r, const std::string& path) {
  if (r.method == "DELETE") {
    secrets_.erase(path);
    return {.status = 204};
  }
  const std::string below = path.empty() || path.ends_with('/') ? path : path + "/";
  std::set<std::string> keys;
  for (const auto& [name, versions] : secrets_) {
    if (!name.starts_with(below) || versions.empty()) continue;
    const std::string rest = name.substr(below.size());
    const auto slash = rest.find('/');
    keys.insert(slash == rest.npos ? rest : rest.substr(0, slash + 1));
  }
  return keys.empty() ? nothing() : said({{"data", {{"keys", keys}}}});
}

http_response fake_server::renew(const http_request& r) const {
  const json body = json::parse(r.body);
  if (body.at("lease_id") != lease_id) return wrong(400, "lease not found");
  return said({{"lease_id", lease_id}, {"lease_duration", body.value("increment", 60)}, {"renewable", true}});
}

}  // namespace vault_test
