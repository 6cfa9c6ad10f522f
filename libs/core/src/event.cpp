// SPDX-License-Identifier: Apache-2.0
#include <switchgear/event.hpp>
#include <switchgear/json.hpp>

#include <unistd.h>

#include <array>

namespace switchgear::inline v1 {
namespace {

/// `switchgear://HOST/PID`. The host is asked once, the process each time, because a process may fork.
std::string own_source() {
  static const std::string host = [] {
    std::array<char, 256> name{};
    const bool known = ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0';
    return known ? std::string(name.data()) : std::string("localhost");
  }();
  return "switchgear://" + host + "/" + std::to_string(::getpid());
}

}  // namespace

std::string_view to_string(event_kind k) noexcept {
  static constexpr std::array<std::string_view, 14> names{
      "opened",  "half_open", "closed", "forced_open", "disabled", "reset",         "rejected",
      "failure", "success",   "ignored", "slow",       "late",     "probe_expired", "config_changed"};
  return names[static_cast<std::size_t>(k)];
}

std::string to_json(const event& e) {
  const auto text = [](std::string_view key, std::string_view value) {
    return "\"" + std::string(key) + "\":" + json_string(value);
  };
  std::string out = "{" + text("specversion", "1.0");
  out += "," + text("type", "switchgear.circuit." + std::string(to_string(e.kind)));
  out += "," + text("source", e.source.empty() ? own_source() : e.source);
  out += "," + text("subject", e.service);
  out += "," + text("id", e.id);
  out += "," + text("time", utc_time(e.time));
  out += ",\"sequence\":" + json_string(std::to_string(e.sequence));
  // An extension attribute of CloudEvents: the sequences of two breakers of one name have nothing to do with each other.
  if (!e.instance.empty()) out += "," + text("instance", e.instance);
  out += "," + text("datacontenttype", "application/json");
  out += ",\"data\":{" + text("service", e.service);
  out += "," + text("state", to_string(e.state));
  out += "," + text("previous_state", to_string(e.previous_state));
  out += ",\"failure_count\":" + std::to_string(e.failure_count);
  out += ",\"last_failure\":" + (e.last_failure ? json_string(utc_time(*e.last_failure)) : "null");
  out += "," + text("reason", e.reason);
  out += ",\"generation\":" + std::to_string(e.generation);
  out += ",\"correlation_id\":" + (e.correlation_id.empty() ? "null" : json_string(e.correlation_id));
  out += ",\"retry_after_ms\":" +
         (e.retry_after ? json_number(static_cast<double>(e.retry_after->count()) / 1e6) : "null");
  out += std::string(",\"shadow\":") + (e.shadow ? "true" : "false");
  return out + "}}";
}

std::string log_line(const event& e) {
  std::string line = "circuit " + e.service + " ";
  if (e.state != e.previous_state) {
    line += std::string(to_string(e.previous_state)) + " → " + std::string(to_string(e.state));
  } else {
    line += to_string(e.kind);
  }
  return e.reason.empty() ? line : line + ": " + e.reason;
}

std::string topic_of(const event& e) {
  return std::string(is_transition(e.kind) ? "circuit_breaker.state." : "circuit_breaker.call.") + e.service;
}

bool topic_matches(std::string_view pattern, std::string_view topic) noexcept {
  // Greedy with one point to come back to: linear in practice, never worse than pattern × topic.
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < topic.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == topic[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace switchgear::inline v1
