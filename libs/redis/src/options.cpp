// SPDX-License-Identifier: Apache-2.0
#include <switchgear/redis/options.hpp>

#include <switchgear/detail/validation.hpp>
#include <switchgear/errors.hpp>

#include <charconv>
#include <optional>

namespace switchgear::inline v1::redis {
namespace {

constexpr int highest_database = 1'000'000;
constexpr std::string_view tls_advice =
    "the hiredis of this build has no TLS; run stunnel (client = yes) beside the program and connect to its local port";

std::optional<int> database_of(const std::string& path) {
  if (path.empty()) return 0;
  int number = 0;
  const char* const end = path.data() + path.size();
  const auto [stopped, problem] = std::from_chars(path.data(), end, number);
  if (problem != std::errc{} || stopped != end || number < 0 || number > highest_database) return std::nullopt;
  return number;
}

}  // namespace

std::vector<problem> options::validate() const {
  detail::validation v;
  v.expect(!host.empty() && host.find('\0') == std::string::npos, "host", host.empty() ? host : "(has a zero byte)",
           "a name or an address", "no host");
  v.in_range("port", port, 1, 65535);
  v.expect(user.empty() || !password.empty(), "password", "", "", "a user needs a password");
  v.in_range("database", database, 0, highest_database);
  v.expect(!tls, "tls", "true", "false", std::string(tls_advice));
  v.in_range("connect_timeout", connect_timeout, std::chrono::nanoseconds(0), detail::a_day);
  v.in_range("timeout", timeout, std::chrono::nanoseconds(0), detail::a_day);
  return v.take();
}

options options_of(const bus_url& url) {
  options o;
  detail::validation v;
  const bool known = url.scheme == "redis" || url.scheme == "rediss";
  v.expect(known, "scheme", url.scheme, "redis", "not the address of a Redis server");
  v.expect(url.hosts.size() == 1, "host", std::to_string(url.hosts.size()) + " hosts", "one", "not one Redis server");
  const std::optional<int> database = database_of(url.path);
  v.expect(database.has_value(), "database", url.path, "0 … " + std::to_string(highest_database), "not the number of a database");
  detail::require_no(v.take());

  o.host = url.hosts.front().host;
  if (url.hosts.front().port != 0) o.port = url.hosts.front().port;
  o.user = url.user;
  o.password = url.password;
  o.database = *database;
  o.tls = url.scheme == "rediss";
  detail::require_no(o.validate());
  return o;
}

std::string target_of(const options& o) {
  const bool bare_v6 = o.host.find(':') != std::string::npos;
  return "redis." + (bare_v6 ? "[" + o.host + "]" : o.host) + ":" + std::to_string(o.port) + "/" + std::to_string(o.database);
}

}  // namespace switchgear::inline v1::redis
