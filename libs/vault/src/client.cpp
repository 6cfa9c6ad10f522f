// SPDX-License-Identifier: Apache-2.0
#include <switchgear/vault/client.hpp>

#include "connection.hpp"
#include "replies.hpp"
#include "session.hpp"

#include <switchgear/http/exchange.hpp>

#include <nlohmann/json.hpp>

#include <utility>

namespace switchgear::inline v1::vault {
namespace {

using json = nlohmann::json;
using attempt = adapter::attempt;

options checked(options o) {
  if (auto problems = o.validate(); !problems.empty()) throw config_error(std::move(problems));
  return o;
}

std::string target_of(const options& o) {
  return "vault." + (o.cluster.empty() ? http::describe({.url = o.address}).target : o.cluster);
}

void check_path(const attempt& a, std::string_view path) {
  if (http::is_plain_path(path)) return;
  throw a.refused("the path is empty, or has an empty segment, '.', '..' or a control character in it", "invalid_request");
}

std::string with_path(const char* what, std::string_view path) {
  std::string text = std::string(what) + " ";
  for (const char c : path) text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return text;
}

json increment_json(const attempt& a, std::chrono::seconds increment) {
  if (increment.count() < 0) throw a.refused("the increment is negative", "invalid_request");
  json body = json::object();
  if (increment.count() > 0) body["increment"] = increment.count();
  return body;
}

}  // namespace

std::string_view to_string(server_state s) noexcept {
  switch (s) {
    case server_state::active: return "active";
    case server_state::standby: return "standby";
    case server_state::recovery_secondary: return "recovery_secondary";
    case server_state::performance_standby: return "performance_standby";
    case server_state::uninitialised: return "uninitialised";
    case server_state::sealed: return "sealed";
  }
  return "sealed";
}

classifier rules() {
  return classifier{}.ignore<refused_error>().ignore<http::invalid_request>().judge_value<health_report>(
      [](const health_report& r) -> std::optional<verdict> {
        switch (r.state) {
          case server_state::active: return verdict::success;
          case server_state::standby:
          case server_state::recovery_secondary:
          case server_state::performance_standby: return verdict::ignored;
          case server_state::uninitialised:
          case server_state::sealed: return verdict::failure;
        }
        return std::nullopt;
      });
}

struct client::implementation {
  explicit implementation(options o)
      : guarded("vault", target_of(o), o.adapter, rules()),
        connection(o, guarded.target()),
        session(connection, o.adapter.clock == nullptr ? steady_clock() : *o.adapter.clock) {}

  [[nodiscard]] std::string path(const char* kind, std::string_view below) const {
    return "/" + http::percent_encode(connection.settings().mount, true) + "/" + kind + "/" + http::percent_encode(below, true);
  }

  std::optional<secret> read(std::string_view at, const std::string& query, const operation_options& o) {
    return guarded.repeat("read", with_path("Failed to read the secret", at), o, [&](const attempt& a) -> std::optional<secret> {
      check_path(a, at);
      const auto reply = session.ask(a, {.method = "GET", .path = path("data", at) + query}, {404});
      if (reply.status != 404) return detail::read_secret(reply.body);
      // No error is named of a secret that does not exist; of a mount that does not, one is.
      if (detail::has_errors(reply.body)) throw a.refused("HTTP status 404: no key-value engine is mounted there", "404");
      return detail::read_missing_secret(reply.body);
    });
  }

  std::optional<version_info> write(const char* operation, std::string_view at, const texts& data,
                                    std::optional<std::uint64_t> version, const operation_options& o) {
    return guarded.run(operation, with_path("Failed to write the secret", at), o,
                       [&](const attempt& a) -> std::optional<version_info> {
                         check_path(a, at);
                         json body{{"data", json::object()}};
                         for (const auto& [key, value] : data) body["data"][key] = value;
                         if (version) body["options"] = {{"cas", *version}};
                         const auto reply =
                             session.ask(a, {.method = "POST", .path = path("data", at), .body = detail::write(a, body)}, {400});
                         if (reply.status != 400) return detail::read_version(reply.body);
                         if (version && detail::says(reply.body, "did not match the current version")) return std::nullopt;
                         throw a.refused("HTTP status 400: the request is not valid", "400");
                       });
  }

  void remove(const char* operation, const char* kind, std::string_view at, const operation_options& o) {
    guarded.run(operation, with_path("Failed to remove the secret", at), o, [&](const attempt& a) {
      check_path(a, at);
      (void)session.ask(a, {.method = "DELETE", .path = path(kind, at)});
    });
  }

  adapter guarded;
  detail::connection connection;
  detail::session session;
};

client::client(options o) : implementation_(std::make_unique<implementation>(checked(std::move(o)))) {}
client::~client() = default;

circuit_breaker& client::breaker() const noexcept { return implementation_->guarded.breaker(); }
const std::string& client::target() const noexcept { return implementation_->guarded.target(); }

std::optional<secret> client::read(std::string_view path, const operation_options& o) const {
  return implementation_->read(path, {}, o);
}

std::optional<secret> client::read_version(std::string_view path, std::uint64_t version, const operation_options& o) const {
  return implementation_->read(path, "?version=" + std::to_string(version), o);
}

version_info client::write(std::string_view path, const texts& data, const operation_options& o) {
  return implementation_->write("write", path, data, std::nullopt, o).value();
}

std::optional<version_info> client::write_if(std::string_view path, const texts& data, std::uint64_t version,
                                             const operation_options& o) {
  return implementation_->write("write_if", path, data, version, o);
}

void client::remove(std::string_view path, const operation_options& o) { implementation_->remove("remove", "data", path, o); }

void client::remove_all(std::string_view path, const operation_options& o) {
  implementation_->remove("remove_all", "metadata", path, o);
}

std::vector<std::string> client::list(std::string_view path, const operation_options& o) const {
  auto& i = *implementation_;
  return i.guarded.repeat("list", with_path("Failed to list the secrets below", path), o, [&](const attempt& a) {
    if (!path.empty()) check_path(a, path);
    const auto reply = i.session.ask(a, {.method = "GET", .path = i.path("metadata", path) + "?list=true"}, {404});
    if (reply.status != 404) return detail::read_keys(reply.body);
    if (detail::has_errors(reply.body)) throw a.refused("HTTP status 404: no key-value engine is mounted there", "404");
    return std::vector<std::string>();
  });
}

lease client::renew_lease(std::string_view lease_id, std::chrono::seconds increment, const operation_options& o) {
  auto& i = *implementation_;
  return i.guarded.run("renew_lease", "Failed to renew a lease", o, [&](const attempt& a) {
    json body = increment_json(a, increment);
    body["lease_id"] = lease_id;
    return detail::read_lease(
        i.session.ask(a, {.method = "PUT", .path = "/sys/leases/renew", .body = detail::write(a, body)}).body);
  });
}

lease client::renew_token(std::chrono::seconds increment, const operation_options& o) {
  auto& i = *implementation_;
  return i.guarded.run("renew_token", "Failed to renew the token", o, [&](const attempt& a) {
    const std::string body = detail::write(a, increment_json(a, increment));
    std::uint64_t token = 0;
    const auto reply = i.session.ask(a, {.method = "POST", .path = "/auth/token/renew-self", .body = body}, {}, &token);
    const lease granted = detail::read_token_lease(reply.body);
    i.session.renewed(token, granted);
    return granted;
  });
}

health_report client::health(const operation_options& o) const {
  auto& i = *implementation_;
  return i.guarded.run("health", "Failed to ask for the health", o, [&](const attempt& a) {
    const auto reply = i.connection.ask(a, {.method = "GET", .path = "/sys/health"}, {429, 472, 473, 501, 503});
    return detail::read_health(reply.status, reply.body);
  });
}

}  // namespace switchgear::inline v1::vault
