// SPDX-License-Identifier: Apache-2.0
#include <switchgear/config/json.hpp>
#include <switchgear/event_reader.hpp>
#include <switchgear/json.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <span>

namespace switchgear::inline v1 {
namespace {

using json = nlohmann::ordered_json;
using wall_clock = std::chrono::system_clock;

constexpr std::array<std::string_view, 10> outer_attributes{"specversion", "type",     "source",   "subject",         "id",
                                                            "time",        "sequence", "instance", "datacontenttype", "data"};
constexpr std::array<std::string_view, 10> inner_attributes{
    "service", "state",      "previous_state", "failure_count",  "last_failure",
    "reason",  "generation", "correlation_id", "retry_after_ms", "shadow"};

/// A name from outside in a message: not long, on one line, in quotes.
std::string shown(std::string_view name) { return json_string(name.substr(0, 40)); }

/// What the JSON reader says, without the text that it read last.
std::string plain(std::string_view why) {
  constexpr std::string_view key = "the key \"", twice = "\" stands twice";
  if (why.starts_with(key)) {
    const std::string_view name = why.substr(key.size());
    return shown(name.substr(0, name.rfind(twice))) + " stands twice";
  }
  if (why.starts_with("nested")) return "not an event: nested too deep";
  if (why.starts_with("more than")) return "not an event: too many attributes";
  if (!why.starts_with("parse error")) return "not JSON";
  return "not JSON: " + std::string(why.substr(0, std::min(why.find("; last read"), why.find(" - "))));
}

template <class Int>
std::optional<Int> whole_number(std::string_view text) {
  Int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || text.starts_with('-')) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;  // one spelling for each number
  return value;
}

bool is_uuid_v4(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !hex) return false;
  }
  return text[14] == '4' && std::string_view("89abAB").find(text[19]) != std::string_view::npos;
}

bool is_source(std::string_view text) {
  constexpr std::string_view scheme = "switchgear://";
  if (!text.starts_with(scheme)) return false;
  text.remove_prefix(scheme.size());
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash > 255) return false;
  const std::string_view host = text.substr(0, slash);
  if (!std::ranges::all_of(host, [](unsigned char c) { return c > ' ' && c != 0x7f; })) return false;
  return whole_number<std::uint32_t>(text.substr(slash + 1)).value_or(0) != 0;
}

/// `2026-01-18T10:30:00.250Z`, a time that exists and that a time point can hold.
std::optional<wall_clock::time_point> read_time(std::string_view text) {
  constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd.dddZ";
  if (text.size() != form.size()) return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t digits) {
    int value = 0;
    std::from_chars(text.data() + at, text.data() + at + digits, value);
    return value;
  };
  using namespace std::chrono;
  const year_month_day date{year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                            day(static_cast<unsigned>(number(8, 2)))};
  const int h = number(11, 2), m = number(14, 2), s = number(17, 2);
  if (!date.ok() || h > 23 || m > 59 || s > 59) return std::nullopt;
  const sys_time<milliseconds> at = sys_days(date) + hours(h) + minutes(m) + seconds(s) + milliseconds(number(20, 3));
  if (at < ceil<milliseconds>(wall_clock::time_point::min()) || at > floor<milliseconds>(wall_clock::time_point::max())) {
    return std::nullopt;
  }
  return time_point_cast<wall_clock::duration>(at);
}

/// The whole nanoseconds that are written as so many milliseconds.
std::optional<std::chrono::nanoseconds> read_milliseconds(double value) {
  constexpr double too_many = 0x1p63;
  const double guess = std::round(value * 1e6);
  // Of a long time the last digits are lost in writing, so what reads back the same may lie a step beside.
  for (const double candidate : {guess, std::nextafter(guess, 0.0), std::nextafter(guess, 2 * too_many)}) {
    if (!(candidate >= 0) || candidate > too_many) continue;
    const std::int64_t count =
        candidate == too_many ? std::numeric_limits<std::int64_t>::max() : static_cast<std::int64_t>(candidate);
    if (static_cast<double>(count) / 1e6 == value) return std::chrono::nanoseconds(count);
  }
  return std::nullopt;
}

template <class Enum>
std::optional<Enum> named(std::string_view name, Enum last) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (to_string(static_cast<Enum>(i)) == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

/// The state that a transition of this kind leads to.
state after(event_kind k) noexcept {
  switch (k) {
    case event_kind::opened: return state::open;
    case event_kind::half_open: return state::half_open;
    case event_kind::forced_open: return state::forced_open;
    case event_kind::disabled: return state::disabled;
    default: return state::closed;
  }
}

/// Reads attribute by attribute; after the first fault nothing counts any more.
class reader {
 public:
  explicit reader(const json& document) : outer_(document) {}

  event_reading read() {
    if (!outer_.is_object()) return {{}, "not an event: no object"};
    known(outer_, outer_attributes, "");
    const json* const data = find(outer_, "data", "");
    if (data != nullptr && !data->is_object()) fail("data", "has to be an object");
    if (!error_.empty()) return {{}, error_};
    inner_ = data;
    known(*inner_, inner_attributes, "data.");
    if (error_.empty()) envelope();
    if (error_.empty()) body();
    if (error_.empty()) agreement();
    if (!error_.empty()) return {{}, error_};
    return {std::move(e_), {}};
  }

 private:
  void fail(std::string_view attribute, std::string_view why) {
    if (error_.empty()) error_.append(attribute).append(": ").append(why);
  }

  void known(const json& object, std::span<const std::string_view> names, std::string_view prefix) {
    for (auto it = object.begin(); it != object.end(); ++it) {
      if (std::ranges::find(names, it.key()) == names.end()) fail(std::string(prefix) + shown(it.key()), "unknown attribute");
    }
  }

  const json* find(const json& object, std::string_view name, std::string_view prefix) {
    const auto found = object.find(std::string(name));
    if (found != object.end()) return &*found;
    fail(std::string(prefix).append(name), "missing");
    return nullptr;
  }

  /// The text of an attribute; empty after a fault.
  std::string text(const json& object, std::string_view name, std::string_view prefix = "") {
    const json* const value = find(object, name, prefix);
    if (value == nullptr) return {};
    if (value->is_string()) return value->get<std::string>();
    fail(std::string(prefix).append(name), "has to be a string");
    return {};
  }
  std::string inner_text(std::string_view name) { return text(*inner_, name, "data."); }

  void expect(bool holds, std::string_view attribute, std::string_view why) {
    if (!holds) fail(attribute, why);
  }

  /// An attribute that may be null; null too after a fault.
  const json* optional(std::string_view name) {
    const json* const value = find(*inner_, name, "data.");
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  std::uint64_t count(std::string_view name, std::uint64_t most) {
    const json* const value = find(*inner_, name, "data.");
    if (value == nullptr) return 0;
    const std::string attribute = "data." + std::string(name);
    expect(value->is_number_unsigned(), attribute, "has to be a whole number");
    if (!error_.empty()) return 0;
    const auto number = value->get<std::uint64_t>();
    expect(number <= most, attribute, "out of range");
    return number;
  }

  state state_of(std::string_view name) {
    const auto read = named(inner_text(name), state::disabled);
    expect(read.has_value(), "data." + std::string(name), "no state of a circuit");
    return read.value_or(state::closed);
  }

  void envelope() {
    expect(text(outer_, "specversion") == "1.0", "specversion", "has to be 1.0");
    constexpr std::string_view prefix = "switchgear.circuit.";
    const std::string type = text(outer_, "type");
    const auto kind =
        type.starts_with(prefix) ? named(std::string_view(type).substr(prefix.size()), event_kind::config_changed) : std::nullopt;
    expect(kind.has_value(), "type", "no kind of event");
    e_.kind = kind.value_or(event_kind::success);
    e_.source = text(outer_, "source");
    expect(is_source(e_.source), "source", "has to be switchgear://HOST/PID");
    e_.service = text(outer_, "subject");
    expect(!validate_name(e_.service), "subject", "no name that a breaker can have");
    e_.id = text(outer_, "id");
    expect(is_uuid_v4(e_.id), "id", "has to be a UUID of version 4");
    const auto time = read_time(text(outer_, "time"));
    expect(time.has_value(), "time", "has to be a time in UTC with milliseconds");
    e_.time = time.value_or(wall_clock::time_point());
    const auto sequence = whole_number<std::uint64_t>(text(outer_, "sequence"));
    expect(sequence.has_value(), "sequence", "has to be a whole number of 64 bits in quotes");
    e_.sequence = sequence.value_or(0);
    if (outer_.contains("instance")) {
      e_.instance = text(outer_, "instance");
      expect(!validate_name(e_.instance), "instance", "has to be 1 … 200 bytes without control characters");
    }
    expect(text(outer_, "datacontenttype") == "application/json", "datacontenttype", "has to be application/json");
  }

  void body() {
    expect(inner_text("service") == e_.service, "data.service", "is not the subject");
    e_.state = state_of("state");
    e_.previous_state = state_of("previous_state");
    e_.failure_count = static_cast<std::uint32_t>(count("failure_count", std::numeric_limits<std::uint32_t>::max()));
    if (const json* const last = optional("last_failure")) {
      e_.last_failure = last->is_string() ? read_time(last->get_ref<const std::string&>()) : std::nullopt;
      expect(e_.last_failure.has_value(), "data.last_failure", "has to be a time in UTC with milliseconds, or null");
    }
    e_.reason = inner_text("reason");
    e_.generation = count("generation", std::numeric_limits<std::uint64_t>::max());
    if (const json* const id = optional("correlation_id")) {
      if (id->is_string()) e_.correlation_id = id->get<std::string>();
      expect(!e_.correlation_id.empty(), "data.correlation_id", "has to be a text that is not empty, or null");
    }
    if (const json* const wait = optional("retry_after_ms")) {
      e_.retry_after = wait->is_number() ? read_milliseconds(wait->get<double>()) : std::nullopt;
      expect(e_.retry_after.has_value(), "data.retry_after_ms",
             "has to be 0 or more milliseconds in whole nanoseconds, or null");
    }
    const json* const shadow = find(*inner_, "shadow", "data.");
    if (shadow == nullptr) return;
    expect(shadow->is_boolean(), "data.shadow", "has to be true or false");
    if (error_.empty()) e_.shadow = shadow->get<bool>();
  }

  void agreement() {
    expect(e_.generation == e_.sequence, "data.generation", "is not the sequence");
    if (is_transition(e_.kind)) {
      expect(e_.state == after(e_.kind), "data.state", "is not what an event of this type leads to");
    } else {
      expect(e_.state == e_.previous_state, "data.previous_state", "differs from the state, but nothing changed it");
    }
  }

  const json& outer_;
  const json* inner_ = nullptr;
  event e_;
  std::string error_;
};

}  // namespace

event_reading read_event(std::string_view text) {
  if (text.size() > longest_event) return {{}, "not an event: longer than " + std::to_string(longest_event) + " bytes"};
  const json_document document =
      parse_json(text, {}, {.depth = 2, .keys = static_cast<int>(outer_attributes.size()) + 10});
  if (!document.value) return {{}, plain(document.problems.front().message)};
  return reader(*document.value).read();
}

}  // namespace switchgear::inline v1
