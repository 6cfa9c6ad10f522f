// SPDX-License-Identifier: Apache-2.0
#include <switchgear/config/value.hpp>
#include <switchgear/kafka_event_bus.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>

namespace switchgear::inline v1 {
namespace {

using namespace std::chrono_literals;

class environment_reader {
 public:
  explicit environment_reader(const variables& all) : all_(all) {}

  void read(const std::string& name, std::string& into) {
    if (const std::string* const value = find(name)) into = *value;
  }
  void read(const std::string& name, std::chrono::nanoseconds& into) {
    if (const std::string* const value = find(name)) keep(name, parse_duration(*value), into);
  }
  void read(const std::string& name, std::int64_t& into) {
    if (const std::string* const value = find(name)) keep(name, read_count(raw_value::untyped(*value)), into);
  }
  void read(const std::string& name, kafka_properties& into, const char* property) {
    if (const std::string* const value = find(name)) into[property] = *value;
  }

  void refuse_unknown(std::string_view prefix) {
    for (const auto& [name, value] : all_) {
      if (name.starts_with(prefix) && std::ranges::find(known_, name) == known_.end()) {
        problems_.push_back({name, "", "", "there is no such variable"});
      }
    }
  }
  void require_none() {
    if (!problems_.empty()) throw config_error(std::move(problems_));
  }

 private:
  const std::string* find(const std::string& name) {
    known_.push_back(name);
    const auto found = all_.find(name);
    if (found == all_.end()) return nullptr;
    if (!found->second.empty()) return &found->second;
    problems_.push_back({name, "", "", "the variable is empty"});
    return nullptr;
  }
  template <class T>
  void keep(const std::string& name, const reading<T>& read, T& into) {
    if (read) {
      into = *read.value;
    } else {
      problems_.push_back({name, "", "", read.error});
    }
  }

  const variables& all_;
  std::vector<std::string> known_;
  std::vector<problem> problems_;
};

}  // namespace

kafka_event_bus::config kafka_event_bus::config::from_env() { return from_env(read_environment(environ)); }

kafka_event_bus::config kafka_event_bus::config::from_env(const variables& environment) {
  config c;
  std::int64_t attempts = c.retry.max_attempts;
  environment_reader in(environment);
  in.read("KAFKA_BOOTSTRAP_SERVERS", c.bootstrap_servers);
  in.read("KAFKA_ENVIRONMENT", c.environment);
  in.read("KAFKA_GROUP", c.group);
  in.read("KAFKA_CIRCUIT_BREAKER_THRESHOLD", c.circuit_breaker_threshold);
  in.read("KAFKA_CIRCUIT_BREAKER_RESET_TIMEOUT", c.circuit_breaker_reset_timeout);
  in.read("KAFKA_DELIVERY_TIMEOUT", c.delivery_timeout);
  in.read("KAFKA_CLOSE_TIMEOUT", c.close_timeout);
  in.read("KAFKA_MAX_ATTEMPTS", attempts);
  in.read("KAFKA_SECURITY_PROTOCOL", c.client_options, "security.protocol");
  in.read("KAFKA_SASL_MECHANISM", c.client_options, "sasl.mechanism");
  in.read("KAFKA_SASL_USERNAME", c.client_options, "sasl.username");
  in.read("KAFKA_SASL_PASSWORD", c.client_options, "sasl.password");
  in.read("KAFKA_SSL_CA_LOCATION", c.client_options, "ssl.ca.location");
  in.refuse_unknown("KAFKA_CIRCUIT_BREAKER_");
  in.require_none();
  c.retry.max_attempts = static_cast<int>(std::clamp<std::int64_t>(attempts, -1, 1'000'000));

  // Said in the words of whoever set it.
  static constexpr std::array<std::pair<std::string_view, const char*>, 7> variable_of{
      {{"bootstrap_servers", "KAFKA_BOOTSTRAP_SERVERS"},
       {"environment", "KAFKA_ENVIRONMENT"},
       {"circuit_breaker_threshold", "KAFKA_CIRCUIT_BREAKER_THRESHOLD"},
       {"circuit_breaker_reset_timeout", "KAFKA_CIRCUIT_BREAKER_RESET_TIMEOUT"},
       {"delivery_timeout", "KAFKA_DELIVERY_TIMEOUT"},
       {"close_timeout", "KAFKA_CLOSE_TIMEOUT"},
       {"max_attempts", "KAFKA_MAX_ATTEMPTS"}}};
  auto problems = c.validate();
  for (problem& p : problems) {
    const auto* const named = std::ranges::find(variable_of, p.key, [](const auto& pair) { return pair.first; });
    if (named != variable_of.end()) p.key = named->second;
    p.value.clear();
  }
  if (!problems.empty()) throw config_error(std::move(problems));
  return c;
}

std::vector<problem> kafka_event_bus::config::validate() const {
  std::vector<problem> found;
  const auto within = [&](const char* key, std::chrono::nanoseconds value, std::chrono::nanoseconds least,
                          std::chrono::nanoseconds most) {
    if (value < least || value > most) {
      found.push_back({key, format_duration(value), format_duration(least) + " … " + format_duration(most), "out of range"});
    }
  };
  if (bootstrap_servers.empty()) found.push_back({"bootstrap_servers", "", "host:port,…", "there is no broker to ask"});
  if (bootstrap_servers.find_first_of("@ /") != std::string::npos) {
    found.push_back({"bootstrap_servers", "", "host:port,…", "neither a URL nor credentials belong here"});
  }
  if (const auto wrong = validate_name("kafka." + environment); environment.empty() || wrong) {
    found.push_back({"environment", "", "UTF-8 without control characters", "not a name"});
  }
  if (circuit_breaker_threshold < 1 || circuit_breaker_threshold > 1 << 20) {
    found.push_back({"circuit_breaker_threshold", std::to_string(circuit_breaker_threshold), "1 … 1048576", "out of range"});
  }
  within("circuit_breaker_reset_timeout", circuit_breaker_reset_timeout, 0s, 24h);
  within("delivery_timeout", delivery_timeout, 10ms, 1h);
  within("close_timeout", close_timeout, 0s, 1h);
  within("reconnect_backoff", reconnect_backoff, 1ms, 1h);
  within("max_reconnect_backoff", max_reconnect_backoff, 1ms, 1h);
  within("health_interval", health_interval, 10ms, 24h);
  within("refresh_interval", refresh_interval, 10ms, 24h);
  for (problem& p : retry.validate()) found.push_back(std::move(p));
  return found;
}

}  // namespace switchgear::inline v1
