// SPDX-License-Identifier: Apache-2.0
#include <switchgear/json.hpp>
#include <switchgear/log/log_record.hpp>

#include "one_line.hpp"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

namespace switchgear::inline v1 {
namespace {

std::string message_of(const event& e) {
  if (!e.present) return log_line(e);
  const std::string is = "circuit " + e.service + " is " + std::string(to_string(e.state));
  return e.reason.empty() ? is : is + ": " + e.reason;
}

std::string json_of(const log_value& value) {
  return std::visit(
      [](const auto& v) -> std::string {
        using type = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<type, std::string>) {
          return json_string(v);
        } else if constexpr (std::is_same_v<type, bool>) {
          return v ? "true" : "false";
        } else if constexpr (std::is_same_v<type, double>) {
          return json_number(v);
        } else {
          return std::to_string(v);
        }
      },
      value);
}

/// Whether a text is one word to whoever reads key=value.
bool is_word(std::string_view text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](unsigned char c) {
    return c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\';
  });
}

}  // namespace

std::string_view to_string(log_level level) noexcept {
  static constexpr std::array<std::string_view, 4> names{"debug", "info", "warning", "error"};
  return names.at(static_cast<std::size_t>(level) & 3U);
}

log_level level_of(const event& e) noexcept {
  if (e.present) return e.state == state::closed ? log_level::debug : log_level::info;
  // Where nothing is really rejected nobody has to get up.
  const log_level alarm = e.shadow ? log_level::info : log_level::warning;
  switch (e.kind) {
    case event_kind::opened:
    case event_kind::rejected: return alarm;
    case event_kind::forced_open:
    case event_kind::disabled: return log_level::warning;
    case event_kind::success:
    case event_kind::ignored:
    case event_kind::late: return log_level::debug;
    default: return log_level::info;
  }
}

log_record to_log_record(const event& e) {
  log_record out{level_of(e), detail::one_line(message_of(e)), {}, e.time};
  out.fields.reserve(13);
  const auto add = [&out](const char* key, log_value value) { out.fields.push_back({key, std::move(value)}); };
  const auto add_text = [&](const char* key, std::string_view text) {
    if (!text.empty()) add(key, std::string(text));
  };
  add_text("kind", to_string(e.kind));
  add_text("service", e.service);
  add_text("state", to_string(e.state));
  add_text("previous_state", to_string(e.previous_state));
  add("failure_count", static_cast<std::int64_t>(e.failure_count));
  if (e.last_failure) add("last_failure", utc_time(*e.last_failure));
  add_text("reason", e.reason);
  add("generation", static_cast<std::int64_t>(e.generation));
  add_text("correlation_id", e.correlation_id);
  if (e.retry_after) add("retry_after_ms", static_cast<double>(e.retry_after->count()) / 1e6);
  add("shadow", e.shadow);
  add_text("source", e.source);
  add_text("instance", e.instance);
  return out;
}

std::string to_json(const log_record& r) {
  std::string out = "{\"time\":" + json_string(utc_time(r.time)) + ",\"level\":" + json_string(to_string(r.level)) +
                    ",\"message\":" + json_string(r.message);
  for (const log_field& f : r.fields) out += "," + json_string(f.key) + ":" + json_of(f.value);
  return out + "}";
}

std::string to_logfmt(const std::vector<log_field>& fields) {
  std::string out;
  for (const log_field& f : fields) {
    if (!out.empty()) out += ' ';
    const std::string* const text = std::get_if<std::string>(&f.value);
    // A key that is no word would begin another field.
    out += is_word(f.key) ? f.key : detail::without_rare_controls(json_string(f.key));
    out += '=';
    out += text != nullptr && is_word(*text) ? *text : detail::without_rare_controls(json_of(f.value));
  }
  return out;
}

}  // namespace switchgear::inline v1
