// SPDX-License-Identifier: Apache-2.0
#include "client.hpp"

#include <nlohmann/json.hpp>

namespace switchgear::demo::fleet {

using namespace std::chrono_literals;
using nlohmann::json;

config client_settings::breaker() const {
  config c{.failure_threshold = 20,
           .open_duration = open_duration,
           .half_open_max_calls = limit,
           .success_threshold = 3,
           .probe_timeout = 1s};
  if (opening == mode::evidence) {
    // A rule about counts, which can be asked of the sum of all windows: rules about consecutive failures cannot.
    c.failure_threshold = 0;
    c.window = calls(200);
    c.failure_count_threshold = 20;
  }
  return c;
}

json to_json(const client_settings& s) {
  return {{"number", s.number},
          {"store", s.store},
          {"name", s.name},
          {"upstream", s.upstream},
          {"mode", static_cast<int>(s.opening)},
          {"threads", s.threads},
          {"pace", s.pace.count()},
          {"quick", s.quick.count()},
          {"limit", s.limit},
          {"open_duration", s.open_duration.count()},
          {"ramp_step", s.ramp_step.count()}};
}

client_settings client_settings_from(const json& j) {
  client_settings s;
  j.at("number").get_to(s.number);
  j.at("store").get_to(s.store);
  j.at("name").get_to(s.name);
  j.at("upstream").get_to(s.upstream);
  s.opening = static_cast<mode>(j.at("mode").get<int>());
  j.at("threads").get_to(s.threads);
  s.pace = std::chrono::microseconds(j.at("pace").get<std::int64_t>());
  s.quick = std::chrono::microseconds(j.at("quick").get<std::int64_t>());
  j.at("limit").get_to(s.limit);
  s.open_duration = std::chrono::milliseconds(j.at("open_duration").get<std::int64_t>());
  s.ramp_step = std::chrono::milliseconds(j.at("ramp_step").get<std::int64_t>());
  return s;
}

}  // namespace switchgear::demo::fleet
