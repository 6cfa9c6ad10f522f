// SPDX-License-Identifier: Apache-2.0
#include "wire.hpp"

#include <switchgear/config.hpp>
#include <switchgear/json.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace switchgear::inline v1::fleet {
namespace {

constexpr std::size_t longest_incarnation = 64;
constexpr std::size_t longest_view = 4096;

constexpr std::array<std::string_view, 4> state_names{"closed", "open", "forced_open", "disabled"};
constexpr std::array<std::string_view, 7> cause_names{"none", "rule", "manual", "probe", "recovered", "operator", "evidence"};
constexpr std::array<std::string_view, 9> status_names{"ok", "more", "all", "done", "voted", "granted", "busy", "stale", "lost"};
constexpr std::array<std::string_view, 3> link_names{"connecting", "shared", "local"};
constexpr std::array<state, 5> states{state::closed, state::open, state::half_open, state::forced_open, state::disabled};

template <class Enum, std::size_t N>
std::optional<Enum> find_name(const std::array<std::string_view, N>& names, std::string_view text) {
  const auto at = std::find(names.begin(), names.end(), text);
  if (at == names.end()) return {};
  return static_cast<Enum>(at - names.begin());
}

bool is_line(std::string_view text, std::size_t longest) {
  return text.size() <= longest && std::none_of(text.begin(), text.end(), [](char c) {
           const auto b = static_cast<unsigned char>(c);
           return b < 0x20 || b == 0x7f;
         });
}

/// Length of the character of UTF-8 that `text` begins with; 0 if it begins with none.
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool bad = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) >= 0xa0) ||
                   (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) >= 0x90);
  return bad ? 0 : length;
}

template <class Integer>
bool read_into(std::string_view text, Integer& out) {
  const auto n = read_number(text, std::numeric_limits<Integer>::max());
  if (n) out = static_cast<Integer>(*n);
  return n.has_value();
}

}  // namespace

std::string_view to_string(fleet_state s) noexcept { return state_names[static_cast<std::size_t>(s)]; }
std::string_view to_string(fleet_cause c) noexcept { return cause_names[static_cast<std::size_t>(c)]; }
std::string_view to_string(link l) noexcept { return link_names[static_cast<std::size_t>(l)]; }
bool is_override(fleet_state s) noexcept { return s == fleet_state::forced_open || s == fleet_state::disabled; }

std::optional<std::uint64_t> read_number(std::string_view text, std::uint64_t most) noexcept {
  if (text.empty() || text.size() > 17 || (text.size() > 1 && text[0] == '0')) return {};
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n > most) return {};
  return n;
}

void write(const record& r, std::vector<std::string>& out) {
  out.insert(out.end(), {r.name, std::to_string(r.epoch), std::string(to_string(r.state)), std::to_string(r.remaining.count()),
                         std::to_string(r.attempt), std::to_string(r.failure_count), std::to_string(r.successes),
                         std::string(to_string(r.cause)), r.reason, r.owner, r.by, std::to_string(r.version)});
}

std::optional<record> read_record(std::span<const std::string> fields) {
  if (fields.size() != record_fields) return {};
  record r;
  if (validate_name(fields[0])) return {};
  r.name = fields[0];
  const auto epoch = read_number(fields[1]);
  const auto state = find_name<fleet_state>(state_names, fields[2]);
  const auto cause = find_name<fleet_cause>(cause_names, fields[7]);
  const auto version = read_number(fields[11]);
  if (!epoch || !state || !cause || !version) return {};
  r.epoch = *epoch;
  r.state = *state;
  r.cause = *cause;
  r.version = *version;
  if (fields[3] != "-1") {
    const auto left = read_number(fields[3], static_cast<std::uint64_t>(most_time.count()));
    if (!left) return {};
    r.remaining = std::chrono::milliseconds(*left);
  }
  if (!read_into(fields[4], r.attempt) || !read_into(fields[5], r.failure_count) || !read_into(fields[6], r.successes)) return {};
  if (!is_line(fields[8], longest_text) || !is_line(fields[9], longest_text) || !is_line(fields[10], longest_text)) return {};
  r.reason = fields[8];
  r.owner = fields[9];
  r.by = fields[10];
  // What cannot be together.
  const bool endless = r.remaining.count() < 0;
  if (r.state == fleet_state::closed && !endless) return {};
  if (r.state == fleet_state::open && endless) return {};
  if (r.epoch == 0 && r.state != fleet_state::closed) return {};
  return r;
}

std::optional<news_item> read_news(std::string_view message) {
  if (message.size() > longest_incarnation + record_fields * (longest_text + 1) + 1) return {};
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = message.find('\n');
    parts.emplace_back(message.substr(0, end));
    if (end == std::string_view::npos) break;
    message.remove_prefix(end + 1);
    if (parts.size() > record_fields) return {};
  }
  if (parts.size() != record_fields + 1 || parts[0].empty() || !is_line(parts[0], longest_incarnation)) return {};
  auto r = read_record(std::span<const std::string>(parts).subspan(1));
  if (!r) return {};
  return news_item{std::move(parts[0]), std::move(*r)};
}

std::string one_line(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = character(text);
    const auto first = static_cast<unsigned char>(text[0]);
    const bool control = (length == 1 && (first < 0x20 || first == 0x7f)) ||
                         (length == 2 && first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0);
    const std::string_view shown = length == 0 ? "?" : control ? " " : text.substr(0, length);
    if (out.size() + shown.size() > longest_text) break;
    out += shown;
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string decision_text(const record& r) {
  const std::string_view did = r.state == fleet_state::open          ? " opened"
                               : r.state == fleet_state::closed      ? " closed"
                               : r.state == fleet_state::forced_open ? " forced open"
                                                                     : " disabled";
  const std::string who = one_line(r.by);
  const std::string why = one_line(r.reason);
  return "fleet: " + (who.empty() ? "somebody" : who) + std::string(did) + (why.empty() ? "" : ": " + why);
}

// --- replies ---

const std::string* reply_reader::take() noexcept {
  if (!good_ || rest_.empty()) {
    good_ = false;
    return nullptr;
  }
  const std::string* const first = &rest_.front();
  rest_ = rest_.subspan(1);
  return first;
}

std::optional<reply_head> reply_reader::head() {
  const std::string* const status_text = take();
  const std::string* const incarnation = take();
  const auto version = number();
  if (!good_) return {};
  const auto found = find_name<status>(status_names, *status_text);
  good_ = found && !incarnation->empty() && is_line(*incarnation, longest_incarnation);
  if (!good_) return {};
  return reply_head{*found, *incarnation, *version};
}

std::optional<std::uint64_t> reply_reader::number(std::uint64_t most) {
  const std::string* const text = take();
  if (text == nullptr) return {};
  const auto n = read_number(*text, most);
  good_ = n.has_value();
  return n;
}

std::optional<std::string> reply_reader::line() {
  const std::string* const text = take();
  if (text == nullptr) return {};
  good_ = is_line(*text, longest_text);
  if (!good_) return {};
  return *text;
}

std::optional<record> reply_reader::next_record() {
  if (!good_ || rest_.size() < record_fields) {
    good_ = false;
    return {};
  }
  auto r = read_record(rest_.first(record_fields));
  rest_ = rest_.subspan(record_fields);
  good_ = r.has_value();
  return r;
}

// --- views ---

std::string view_text(const instance_view& v) {
  return "{\"state\":" + json_string(switchgear::to_string(v.state)) + ",\"since_ms\":" + std::to_string(v.since.count()) +
         ",\"calls\":" + std::to_string(v.calls) + ",\"failures\":" + std::to_string(v.failures) +
         ",\"rejections\":" + std::to_string(v.rejections) + ",\"link\":" + json_string(to_string(v.link)) + "}";
}

std::optional<instance_view> read_view(std::string_view instance, std::string_view json) {
  if (instance.empty() || !is_line(instance, longest_text) || json.size() > longest_view) return {};
  const auto object = nlohmann::json::parse(json, nullptr, false);
  if (!object.is_object()) return {};
  const auto text = [&](const char* key) -> std::string_view {
    const auto at = object.find(key);
    if (at == object.end() || !at->is_string()) return {};
    return at->get_ref<const std::string&>();
  };
  const auto count = [&](const char* key, std::uint64_t most) -> std::optional<std::uint64_t> {
    const auto at = object.find(key);
    if (at == object.end() || !at->is_number_unsigned()) return {};
    const auto n = at->get<std::uint64_t>();
    return n <= most ? std::optional(n) : std::nullopt;
  };
  constexpr std::uint64_t any = std::numeric_limits<std::uint64_t>::max();
  const std::string_view state_text = text("state");
  const auto found = std::find_if(states.begin(), states.end(), [&](state s) { return switchgear::to_string(s) == state_text; });
  const auto connected = find_name<link>(link_names, text("link"));
  const auto since = count("since_ms", static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  const auto calls = count("calls", any);
  const auto failures = count("failures", any);
  const auto rejections = count("rejections", any);
  if (found == states.end() || !connected || !since || !calls || !failures || !rejections) return {};
  return instance_view{std::string(instance), *found,    std::chrono::milliseconds(*since), *calls, *failures,
                       *rejections,           *connected};
}

}  // namespace switchgear::inline v1::fleet
