// SPDX-License-Identifier: Apache-2.0
#include <switchgear/bus_url.hpp>
#include <switchgear/kafka_bus.hpp>

#include <algorithm>

namespace switchgear::inline v1 {
namespace {

using namespace std::chrono_literals;

[[noreturn]] void refuse(std::string key, std::string allowed, std::string message) {
  throw config_error({{std::move(key), "", std::move(allowed), std::move(message)}});
}

bool is_topic_name(std::string_view name) {
  return !name.empty() && name.size() <= 249 && name != "." && name != ".." && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace

std::vector<problem> kafka_bus_options::validate() const {
  std::vector<problem> found;
  const auto within = [&](const char* key, std::chrono::nanoseconds value, std::chrono::nanoseconds least,
                          std::chrono::nanoseconds most) {
    if (value < least || value > most) {
      found.push_back({key, format_duration(value), format_duration(least) + " … " + format_duration(most), "out of range"});
    }
  };
  if (brokers.empty()) found.push_back({"brokers", "", "host:port,…", "there is no broker to ask"});
  if (brokers.find_first_of("@ /") != std::string::npos) {
    found.push_back({"brokers", "", "host:port,…", "neither a URL nor credentials belong here"});
  }
  if (!is_topic_name(topic)) {
    found.push_back({"topic", "", "1 … 249 letters, digits, '.', '_', '-'", "not a name for a topic"});
  }
  if (most_under_way < 1 || most_under_way > 100'000) {
    found.push_back({"most_under_way", std::to_string(most_under_way), "1 … 100,000", "out of range"});
  }
  if (most_history < 1 || most_history > std::int64_t{1} << 40) {
    found.push_back({"most_history", std::to_string(most_history), "1 … 2^40", "out of range"});
  }
  within("send_timeout", send_timeout, 10ms, 1h);
  within("close_timeout", close_timeout, 0s, 1h);
  within("reconnect_backoff", reconnect_backoff, 1ms, 1h);
  within("max_reconnect_backoff", max_reconnect_backoff, 1ms, 1h);
  within("refresh_interval", refresh_interval, 10ms, 24h);
  within("health_interval", health_interval, 10ms, 24h);
  for (problem& p : breaker.validate()) found.push_back(std::move(p));
  return found;
}

kafka_bus_options kafka_bus_options_of(const bus_url& url) {
  kafka_bus_options o;
  if (url.scheme != "kafka") refuse("bus", "kafka://host:port/topic", "not the name of a Kafka bus");
  if (url.hosts.empty()) refuse("bus", "kafka://host:port/topic", "there is no host");
  o.brokers.clear();
  for (const bus_url::address& a : url.hosts) {
    if (!o.brokers.empty()) o.brokers += ',';
    o.brokers += a.host.find(':') == std::string::npos ? a.host : "[" + a.host + "]";
    o.brokers += ':' + std::to_string(a.port == 0 ? 9092 : a.port);
  }
  if (!is_topic_name(url.path)) refuse("bus", "kafka://host:port/topic", "there is no topic, or none can have this name");
  o.topic = url.path;
  if (!url.user.empty() || !url.password.empty()) {
    o.client_options = {{"security.protocol", "sasl_ssl"},
                        {"sasl.mechanism", "PLAIN"},
                        {"sasl.username", url.user},
                        {"sasl.password", url.password}};
  }
  for (const auto& [key, value] : url.query) {
    if (key == "group") {
      if (value.empty()) refuse("group", "", "the group has no name");
      o.group = value;
    } else if (key.find('.') != std::string::npos) {
      o.client_options[key == "sasl.mechanisms" ? "sasl.mechanism" : key] = value;
    } else {
      refuse("bus", "group, and properties of librdkafka", "there is an option of another name after the '?'");
    }
  }
  return o;
}

}  // namespace switchgear::inline v1
