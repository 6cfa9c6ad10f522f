// SPDX-License-Identifier: Apache-2.0
#include "rd.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

namespace switchgear::inline v1::kafka {
namespace {

void be_silent(const rd_kafka_t*, int, const char*, const char*) {}

void set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, 512> ignored{};  // shows the value
  switch (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), ignored.data(), ignored.size())) {
    case RD_KAFKA_CONF_OK: return;
    case RD_KAFKA_CONF_UNKNOWN: throw config_error({{name, "", "", "librdkafka has no option of this name"}});
    default: throw config_error({{name, "", "", "librdkafka does not take this value"}});
  }
}

bool is_secret(std::string_view name) {
  static constexpr std::array<std::string_view, 6> words{"password", "secret", "username", "pem", "oauthbearer", "key"};
  return std::ranges::any_of(words, [&](std::string_view word) { return name.find(word) != std::string_view::npos; });
}

}  // namespace

conf_pointer make_conf(const kafka_properties& ours, const kafka_properties& users, const kafka_properties& fixed) {
  conf_pointer conf(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(conf.get(), &be_silent);
  // With these reports of delivery would not come where they are waited for.
  static const kafka_properties reports{{"delivery.report.only.error", "false"}, {"enabled_events", "0"}};
  for (const auto* all : {&ours, &users, &fixed, &reports}) {
    for (const auto& [name, value] : *all) {
      if (all == &users && (fixed.contains(name) || reports.contains(name))) {
        throw config_error({{name, "", "", "this option of librdkafka is set by switchgear"}});
      }
      set(conf.get(), name, value);
    }
  }
  return conf;
}

handle_pointer make_handle(rd_kafka_type_t type, conf_pointer conf, const kafka_properties& users) {
  std::array<char, 512> why{};
  handle_pointer handle(rd_kafka_new(type, conf.get(), why.data(), why.size()));
  if (!handle) throw config_error({{"client_options", "", "", hide_secrets(why.data(), users)}});
  (void)conf.release();  // belongs to the handle now
  return handle;
}

std::string hide_secrets(std::string text, const kafka_properties& users) {
  std::vector<std::string_view> secrets;
  for (const auto& [name, value] : users) {
    if (!value.empty() && is_secret(name)) secrets.push_back(value);
  }
  // The longest first: a short one may be part of it, and would leave the rest to be read.
  std::ranges::sort(secrets, std::ranges::greater{}, &std::string_view::size);
  for (const std::string_view value : secrets) {
    for (std::size_t at = text.find(value); at != std::string::npos; at = text.find(value, at)) {
      text.replace(at, value.size(), "***");
      at += 3;
    }
  }
  return text;
}

std::string milliseconds(std::chrono::nanoseconds d, int least) {
  return std::to_string(std::max<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(d).count(), least));
}

int milliseconds_until(std::chrono::steady_clock::time_point when) noexcept {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

kafka_properties connection_properties(const std::string& brokers, std::chrono::nanoseconds connect_timeout,
                                       std::chrono::nanoseconds reconnect_backoff,
                                       std::chrono::nanoseconds most_reconnect_backoff) {
  return {{"bootstrap.servers", brokers},
          {"client.id", "switchgear"},
          {"socket.connection.setup.timeout.ms", milliseconds(connect_timeout, 1000)},
          {"socket.keepalive.enable", "true"},
          {"socket.nagle.disable", "true"},
          {"reconnect.backoff.ms", milliseconds(reconnect_backoff)},
          {"reconnect.backoff.max.ms", milliseconds(std::max(reconnect_backoff, most_reconnect_backoff))},
          {"log.connection.close", "false"}};
}

}  // namespace switchgear::inline v1::kafka
