// SPDX-License-Identifier: Apache-2.0
#include <switchgear/consul/client.hpp>

#include "replies.hpp"

#include <switchgear/http/exchange.hpp>

#include <nlohmann/json.hpp>

#include <utility>

namespace switchgear::inline v1::consul {
namespace {

using json = nlohmann::json;
using attempt = adapter::attempt;

options checked(options o) {
  if (auto problems = o.validate(); !problems.empty()) throw config_error(std::move(problems));
  while (o.address.ends_with('/')) o.address.pop_back();
  return o;
}

// Fixed words: the agent's own may hold a token or a value.
std::string meaning(int status) {
  const std::string number = "HTTP status " + std::to_string(status);
  switch (status) {
    case 400: return number + ": the request is not valid";
    case 401:
    case 403: return number + ": permission denied";
    case 404: return number + ": not found";
    case 413: return number + ": the value is too large";
    case 429: return number + ": too many requests";
    default: return number;
  }
}

void check_argument(const attempt& a, std::string_view what, std::string_view text) {
  if (http::is_plain_path(text)) return;
  throw a.refused(std::string(what) + " is empty, or has an empty segment, '.', '..' or a control character in it",
                  "invalid_request");
}

std::string write(const attempt& a, const json& value) {
  try {
    return value.dump();
  } catch (const json::exception&) {
    throw a.refused("a text is not UTF-8", "invalid_request");
  }
}

json check_json(const attempt& a, const service_check& check) {
  const int kinds = !check.http.empty() + !check.tcp.empty() + (check.ttl.count() > 0);
  if (kinds != 1) throw a.refused("a check needs exactly one of http, tcp and ttl", "invalid_request");
  json result = json::object();
  if (check.ttl.count() > 0) {
    result["TTL"] = format_duration(check.ttl);
  } else {
    if (check.interval.count() <= 0) throw a.refused("a check needs an interval of more than 0", "invalid_request");
    result[check.http.empty() ? "TCP" : "HTTP"] = check.http.empty() ? check.tcp : check.http;
    result["Interval"] = format_duration(check.interval);
    if (check.timeout.count() > 0) result["Timeout"] = format_duration(check.timeout);
  }
  if (check.deregister_after.count() > 0) result["DeregisterCriticalServiceAfter"] = format_duration(check.deregister_after);
  return result;
}

std::string registration_json(const attempt& a, const service_registration& service) {
  if (service.name.empty()) throw a.refused("a service needs a name", "invalid_request");
  if (service.port < 0 || service.port > 65535) throw a.refused("the port is not 0 … 65535", "invalid_request");
  json body{{"ID", service.id.empty() ? service.name : service.id},
            {"Name", service.name},
            {"Address", service.address},
            {"Port", service.port},
            {"Tags", service.tags},
            {"Meta", service.meta}};
  json checks = json::array();
  for (const service_check& check : service.checks) checks.push_back(check_json(a, check));
  if (!checks.empty()) body["Checks"] = std::move(checks);
  return write(a, body);
}

std::string with_name(const char* what, std::string_view name) {
  std::string text = std::string(what) + " ";
  for (const char c : name) text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return text;
}

}  // namespace

std::string_view to_string(health h) noexcept {
  switch (h) {
    case health::passing: return "passing";
    case health::warning: return "warning";
    case health::critical: return "critical";
  }
  return "critical";
}

classifier rules() { return classifier{}.ignore<refused_error>().ignore<http::invalid_request>(); }

struct client::implementation {
  /// What becomes of a 404. Of a key that does not exist it has no body; with one it comes from somebody on the way.
  enum class missing : std::uint8_t { refused, returned, returned_without_body };

  explicit implementation(options o)
      : with(checked(std::move(o))),
        transport(with.connection),
        guarded("consul", with.datacenter.empty() ? "consul" : "consul." + with.datacenter, with.adapter, rules()) {}

  /// `path` begins with a slash and is encoded; `query` too, and begins with `&` when it is not empty.
  http::response ask(const attempt& a, std::string method, const std::string& path, std::string query = {}, std::string body = {},
                     missing when_missing = missing::refused) {
    if (!with.consul_namespace.empty()) query += "&ns=" + http::percent_encode(with.consul_namespace);
    if (!query.empty()) query.front() = '?';
    http::request r{.method = std::move(method),
                    .url = with.address + "/v1" + path + query,
                    .body = std::move(body),
                    .correlation_id = a.correlation_id,
                    .stop = a.stop};
    if (!with.token.empty()) r.headers.emplace_back("X-Consul-Token", with.token);
    http::response reply;
    try {
      reply = http::exchange(transport, r, with.max_reply, a.context, guarded.target());
    } catch (const http::invalid_request& e) {
      throw a.refused(e.what(), "invalid_request");
    }
    const bool fails = reply.status >= 500 || (reply.status == 429 && with.connection.too_many_requests_fail);
    if (fails) throw http::status_error(reply.status);
    const bool may_be_missing =
        when_missing == missing::returned || (when_missing == missing::returned_without_body && reply.body.empty());
    if (reply.ok() || (reply.status == 404 && may_be_missing)) return reply;
    if (reply.status >= 400) throw a.refused(meaning(reply.status), std::to_string(reply.status));
    throw http::malformed_reply("the reply is malformed: HTTP status " + std::to_string(reply.status) + " was not expected");
  }

  /// Of operations that another data centre can answer. Those of the agent have none.
  [[nodiscard]] std::string in_datacenter() const {
    return with.datacenter.empty() ? std::string() : "&dc=" + http::percent_encode(with.datacenter);
  }

  [[nodiscard]] static std::string key_path(const attempt& a, std::string_view key) {
    check_argument(a, "the key", key);
    return "/kv/" + http::percent_encode(key, true);
  }

  bool put(std::string_view operation, std::string_view key, std::string_view value, const std::string& query,
           const operation_options& o) {
    return guarded.run(operation, with_name("Failed to write the key", key), o, [&](const attempt& a) {
      return detail::read_boolean(ask(a, "PUT", key_path(a, key), in_datacenter() + query, std::string(value)).body);
    });
  }

  bool remove(std::string_view operation, std::string_view key, const std::string& query, const operation_options& o) {
    return guarded.run(operation, with_name("Failed to remove the key", key), o, [&](const attempt& a) {
      return detail::read_boolean(ask(a, "DELETE", key_path(a, key), in_datacenter() + query).body);
    });
  }

  options with;
  http::transport transport;
  adapter guarded;
};

client::client(options o) : implementation_(std::make_unique<implementation>(std::move(o))) {}
client::~client() = default;

circuit_breaker& client::breaker() const noexcept { return implementation_->guarded.breaker(); }
const std::string& client::target() const noexcept { return implementation_->guarded.target(); }

void client::register_service(const service_registration& service, const operation_options& o) {
  auto& i = *implementation_;
  i.guarded.run("register_service", with_name("Failed to register service", service.name), o, [&](const attempt& a) {
    (void)i.ask(a, "PUT", "/agent/service/register", "&replace-existing-checks=true", registration_json(a, service));
  });
}

bool client::deregister_service(std::string_view id, const operation_options& o) {
  auto& i = *implementation_;
  return i.guarded.run("deregister_service", with_name("Failed to deregister service", id), o, [&](const attempt& a) {
    check_argument(a, "the id", id);
    const std::string path = "/agent/service/deregister/" + http::percent_encode(id);
    return i.ask(a, "PUT", path, {}, {}, implementation::missing::returned).status != 404;
  });
}

void client::update_check(std::string_view id, health now, std::string_view note, const operation_options& o) {
  auto& i = *implementation_;
  i.guarded.run("update_check", with_name("Failed to update the check", id), o, [&](const attempt& a) {
    check_argument(a, "the id", id);
    (void)i.ask(a, "PUT", "/agent/check/update/" + http::percent_encode(id), {},
                write(a, {{"Status", to_string(now)}, {"Output", note}}));
  });
}

std::vector<service_instance> client::service_health(std::string_view name, which wanted, const operation_options& o) const {
  auto& i = *implementation_;
  return i.guarded.repeat("service_health", with_name("Failed to ask for the health of service", name), o, [&](const attempt& a) {
    check_argument(a, "the name", name);
    const std::string query = i.in_datacenter() + (wanted == which::passing ? "&passing=true" : "");
    return detail::read_health(i.ask(a, "GET", "/health/service/" + http::percent_encode(name), query).body);
  });
}

std::map<std::string, std::vector<std::string>> client::services(const operation_options& o) const {
  auto& i = *implementation_;
  return i.guarded.repeat("services", "Failed to list the services", o, [&](const attempt& a) {
    return detail::read_services(i.ask(a, "GET", "/catalog/services", i.in_datacenter()).body);
  });
}

std::vector<service_instance> client::service_nodes(std::string_view name, const operation_options& o) const {
  auto& i = *implementation_;
  return i.guarded.repeat("service_nodes", with_name("Failed to list the nodes of service", name), o, [&](const attempt& a) {
    check_argument(a, "the name", name);
    return detail::read_nodes(i.ask(a, "GET", "/catalog/service/" + http::percent_encode(name), i.in_datacenter()).body);
  });
}

std::optional<kv_entry> client::get(std::string_view key, const operation_options& o) const {
  auto& i = *implementation_;
  return i.guarded.repeat("get", with_name("Failed to read the key", key), o, [&](const attempt& a) -> std::optional<kv_entry> {
    const auto reply = i.ask(a, "GET", i.key_path(a, key), i.in_datacenter(), {}, implementation::missing::returned_without_body);
    if (reply.status == 404) return std::nullopt;
    auto entries = detail::read_entries(reply.body);
    if (entries.size() != 1 || entries.front().key != key) {
      throw http::malformed_reply("the reply is malformed: it is not about the key that was asked for");
    }
    return std::move(entries.front());
  });
}

std::vector<kv_entry> client::list(std::string_view prefix, const operation_options& o) const {
  auto& i = *implementation_;
  return i.guarded.repeat("list", with_name("Failed to list the keys below", prefix), o, [&](const attempt& a) {
    const std::string path = prefix.empty() ? "/kv/" : i.key_path(a, prefix);
    const auto reply =
        i.ask(a, "GET", path, i.in_datacenter() + "&recurse=true", {}, implementation::missing::returned_without_body);
    return reply.status == 404 ? std::vector<kv_entry>() : detail::read_entries(reply.body);
  });
}

bool client::put(std::string_view key, std::string_view value, const operation_options& o) {
  return implementation_->put("put", key, value, {}, o);
}

bool client::compare_and_set(std::string_view key, std::string_view value, std::uint64_t modify_index,
                             const operation_options& o) {
  return implementation_->put("compare_and_set", key, value, "&cas=" + std::to_string(modify_index), o);
}

void client::remove(std::string_view key, const operation_options& o) { (void)implementation_->remove("remove", key, {}, o); }

bool client::compare_and_remove(std::string_view key, std::uint64_t modify_index, const operation_options& o) {
  // Consul answers true to an index of 0 and removes nothing.
  if (modify_index == 0) return false;
  return implementation_->remove("compare_and_remove", key, "&cas=" + std::to_string(modify_index), o);
}

}  // namespace switchgear::inline v1::consul
