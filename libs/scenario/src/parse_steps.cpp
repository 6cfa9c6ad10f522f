// SPDX-License-Identifier: Apache-2.0
#include "facts.hpp"
#include "parse.hpp"
#include "text.hpp"
#include <switchgear/config/json.hpp>
#include <switchgear/config/keys.hpp>
#include <switchgear/config/value.hpp>

#include <algorithm>
#include <array>

namespace switchgear::inline v1::scenario {
namespace {

using std::chrono::nanoseconds;

/// A key of a step, with what its value may be and what it is called in messages.
class reader {
 public:
  reader(const json& step, std::string path, name_table& names) : step_(step), path_(std::move(path)), names_(names) {}

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] name_table& known_names() const { return names_; }
  [[nodiscard]] const json* find(const char* key) const {
    const auto found = step_.find(key);
    return found == step_.end() ? nullptr : &*found;
  }
  [[nodiscard]] const json& at(const char* key) const {
    const json* found = find(key);
    if (found == nullptr) wrong("the key \"" + std::string(key) + "\" is missing");
    return *found;
  }

  [[noreturn]] void wrong(std::string why) const { refuse(path_, std::move(why)); }

  std::string text(std::string_view key, const json& v) const {
    if (!v.is_string()) wrong(std::string(key) + " has to be text, not " + v.type_name());
    return v.get<std::string>();
  }
  std::uint64_t count(std::string_view key, const json& v) const {
    if (!v.is_number_integer()) wrong(std::string(key) + " has to be a whole number, not " + shown(v));
    if (!v.is_number_unsigned()) wrong(std::string(key) + " cannot be negative");
    return v.get<std::uint64_t>();
  }
  double number(std::string_view key, const json& v) const {
    if (!v.is_number()) wrong(std::string(key) + " has to be a number, not " + shown(v));
    return v.get<double>();
  }
  nanoseconds duration(std::string_view key, const json& v) const {
    if (!v.is_string() && !v.is_number()) {
      wrong(std::string(key) + " has to be a duration such as \"30s\", or a number of seconds, not " + v.type_name());
    }
    const auto raw = v.is_string()            ? raw_value::text(v.get_ref<const std::string&>())
                     : v.is_number_float()    ? raw_value::real(v.get<double>())
                     : v.is_number_unsigned() ? raw_value::integer(v.get<std::uint64_t>())
                                              : raw_value::integer(v.get<std::int64_t>());
    const auto read = read_duration(raw);
    if (!read) wrong(std::string(key) + " = " + shown(v) + ": " + read.error);
    return *read.value;
  }
  maybe_duration duration_or_null(std::string_view key, const json& v) const {
    if (v.is_null()) return std::nullopt;
    return duration(key, v);
  }
  void only_true(std::string_view key, const json& v) const {
    if (!v.is_boolean() || !v.get<bool>()) wrong(std::string(key) + " has to be true");
  }

  /// One of a few words.
  std::string_view word(std::string_view key, const json& v, std::span<const std::string_view> allowed) const {
    const std::string given = text(key, v);
    const auto found = std::find(allowed.begin(), allowed.end(), given);
    if (found != allowed.end()) return *found;
    std::string list;
    for (const std::string_view a : allowed) list += (list.empty() ? "" : ", ") + std::string(a);
    wrong(std::string(key) + " = " + in_quotes(given) + ": has to be one of " + list);
  }

  std::vector<name_id> names(std::string_view key, const json& v) const {
    std::vector<name_id> out;
    if (v.is_string()) {
      out.push_back(names_(v.get<std::string>()));
      return out;
    }
    if (!v.is_array() || v.empty()) wrong(std::string(key) + " has to be a name or a list of names, not " + shown(v));
    for (const json& one : v) {
      if (!one.is_string())
        wrong(std::string(key) + " has to be a list of names, each of them text, not " + shown(one));
      out.push_back(names_(one.get<std::string>()));
    }
    return out;
  }

 private:
  static std::string shown(const json& v) {
    if (v.is_string()) return in_quotes(v.get_ref<const std::string&>());
    if (v.is_number() || v.is_boolean()) return v.dump();
    if (v.is_array() && v.empty()) return "an empty list";
    return v.type_name();
  }

  const json& step_;
  std::string path_;
  name_table& names_;
};

constexpr std::array<std::string_view, 2> admissions{"admitted", "rejected"};
constexpr std::array<std::string_view, 4> call_verdicts{"success", "failure", "timeout", "ignore"};

bool parse_admission(const reader& r) {
  const json* expected = r.find("expect");
  return expected == nullptr || r.word("expect", *expected, admissions) == "admitted";
}

verdict verdict_named(std::string_view word) {
  if (word == "success") return verdict::success;
  if (word == "failure") return verdict::failure;
  if (word == "timeout") return verdict::timeout;
  return word == "ignore" ? verdict::ignored : verdict::abandoned;
}

action parse_advance(const reader& r) { return advance_clock{r.duration("advance", r.at("advance"))}; }

action parse_acquire(const reader& r) {
  acquire_permits out{.names = r.names("acquire", r.at("acquire")), .admitted = parse_admission(r)};
  for (const char* key : {"reason", "retry_after"}) {
    if (out.admitted && r.find(key) != nullptr) {
      r.wrong("\"" + std::string(key) + "\" belongs to \"expect\": \"rejected\" alone");
    }
  }
  if (const json* reason = r.find("reason")) {
    constexpr std::array<std::string_view, 3> reasons{"open", "half_open_limit", "forced_open"};
    out.reason = find_reason(r.word("reason", *reason, reasons));
  }
  if (const json* after = r.find("retry_after")) out.retry_after = r.duration_or_null("retry_after", *after);
  return out;
}

template <verdict Verdict>
action parse_settle(const reader& r) {
  constexpr const char* key = Verdict == verdict::success   ? "success"
                              : Verdict == verdict::failure ? "failure"
                              : Verdict == verdict::timeout ? "timeout"
                              : Verdict == verdict::ignored ? "ignore"
                                                            : "abandon";
  return settle_permits{r.names(key, r.at(key)), Verdict};
}

action parse_call(const reader& r) {
  call_dependency out{.verdict = verdict_named(r.word("call", r.at("call"), call_verdicts)),
                      .admitted = parse_admission(r)};
  if (const json* took = r.find("took")) out.took = r.duration("took", *took);
  if (const json* times = r.find("times")) out.times = r.count("times", *times);
  return out;
}

expected_value parse_value(const reader& r, fact what, std::string_view key, const json& v) {
  switch (kind_of(what)) {
    case fact_kind::state: {
      constexpr std::array<std::string_view, 5> states{"closed", "open", "half_open", "forced_open", "disabled"};
      return *find_state(r.word(key, v, states));
    }
    case fact_kind::count:
      return r.count(key, v);
    case fact_kind::rate:
      return r.number(key, v);
    case fact_kind::duration:
      break;
  }
  return r.duration_or_null(key, v);
}

action parse_expect(const reader& r) {
  const json& object = r.at("expect");
  if (!object.is_object()) r.wrong("expect has to be an object of keys and values");
  check_facts out;
  for (const auto& [key, value] : object.items()) {
    const auto what = find_fact(key);
    if (!what) r.wrong(unknown("key", key, fact_keys()));
    out.expected.push_back({*what, parse_value(r, *what, key, value)});
  }
  return out;
}

action parse_transitions(const reader& r) {
  const json& list = r.at("transitions");
  if (!list.is_array()) r.wrong("transitions has to be a list of texts such as \"closed>open\"");
  check_transitions out;
  for (const json& one : list) {
    const std::string text = r.text("transitions", one);
    const std::size_t arrow = text.find('>');
    const auto from = find_state(std::string_view(text).substr(0, arrow));
    const auto to = arrow == std::string::npos ? std::nullopt : find_state(std::string_view(text).substr(arrow + 1));
    if (!from || !to) r.wrong("transitions: " + in_quotes(text) + " has to be two states such as \"closed>open\"");
    out.expected.push_back({*from, *to});
  }
  return out;
}

action parse_trip(const reader& r) {
  r.text("trip", r.at("trip"));
  return trip_by_hand{};
}

template <state To>
action parse_override(const reader& r) {
  constexpr const char* key = To == state::disabled ? "disable" : "force_open";
  r.text(key, r.at(key));
  if (const json* owner = r.find("owner")) r.text("owner", *owner);
  override_state out{To, std::nullopt};
  if (const json* ttl = r.find("ttl")) out.time_to_live = r.duration("ttl", *ttl);
  return out;
}

action parse_release(const reader& r) { return r.only_true("release", r.at("release")), release_override{}; }
action parse_reset(const reader& r) { return r.only_true("reset", r.at("reset")), reset_breaker{}; }
action parse_reset_metrics(const reader& r) {
  return r.only_true("reset_metrics", r.at("reset_metrics")), reset_metrics{};
}

/// Keys that no configuration could make right: those are faults of the file. A value that is only out of range, or
/// does not go with the others, is refused by the breaker when its turn comes.
void check_patch(const reader& r, const config_patch& patch) {
  std::vector<std::string_view> seen;
  for (const patch_entry& entry : patch.entries) {
    const key_match match = find_key(entry.key);
    config scratch;
    const std::string why = match ? match.info->assign(scratch, entry.value) : "unknown";
    if (why.empty() && std::find(seen.begin(), seen.end(), match.info->key) == seen.end()) {
      seen.push_back(match.info->key);
      continue;
    }
    std::string text;
    for (const problem& p : apply(patch, config{}).problems) {
      if (p.key == entry.key) text = to_string(p);
    }
    r.wrong("reconfigure: " + printable(text.empty() ? entry.key + ": " + why : text));
  }
}

action parse_reconfigure(const reader& r) {
  const json& object = r.at("reconfigure");
  if (!object.is_object()) r.wrong("reconfigure has to be an object of keys and values");
  reconfigure_breaker out{patch_from_json(object).patch, false};
  if (const json* expected = r.find("expect")) {
    constexpr std::array<std::string_view, 1> words{"refused"};
    out.refused = r.word("expect", *expected, words) == "refused";
  }
  if (!out.refused) check_patch(r, out.patch);
  return out;
}

action parse_repeat(const reader& r) {
  repeat_steps out;
  out.times = r.count("repeat", r.at("repeat"));
  const json& steps = r.at("steps");
  if (!steps.is_array()) r.wrong("steps has to be a list of objects");
  out.steps = parse_steps(steps, r.path(), r.known_names());
  return out;
}

action parse_nested_invalid(const reader& r) { r.wrong("\"invalid\" has to be the only step of its scenario"); }

struct verb {
  std::string_view name;
  std::string_view others[3];  ///< the keys that may stand beside it
  action (*parse)(const reader&);
};

constexpr std::array verbs{
    verb{"advance", {}, parse_advance},
    verb{"acquire", {"expect", "reason", "retry_after"}, parse_acquire},
    verb{"success", {}, parse_settle<verdict::success>},
    verb{"failure", {}, parse_settle<verdict::failure>},
    verb{"timeout", {}, parse_settle<verdict::timeout>},
    verb{"ignore", {}, parse_settle<verdict::ignored>},
    verb{"abandon", {}, parse_settle<verdict::abandoned>},
    verb{"call", {"took", "times", "expect"}, parse_call},
    verb{"transitions", {}, parse_transitions},
    verb{"trip", {}, parse_trip},
    verb{"force_open", {"owner", "ttl"}, parse_override<state::forced_open>},
    verb{"disable", {"owner", "ttl"}, parse_override<state::disabled>},
    verb{"release", {}, parse_release},
    verb{"reset", {}, parse_reset},
    verb{"reset_metrics", {}, parse_reset_metrics},
    verb{"reconfigure", {"expect"}, parse_reconfigure},
    verb{"repeat", {"steps"}, parse_repeat},
    verb{"invalid", {}, parse_nested_invalid},
    verb{"expect", {}, parse_expect},  // last: it is a verb only where no other one is
};

const verb* find_verb(std::string_view name) {
  const auto found = std::find_if(verbs.begin(), verbs.end(), [&](const verb& v) { return v.name == name; });
  return found == verbs.end() ? nullptr : &*found;
}

step parse_step(const json& object, const std::string& path, name_table& names) {
  if (!object.is_object()) refuse(path, "a step has to be an object such as {\"advance\": \"1s\"}");
  const verb* chosen = nullptr;
  for (const auto& [key, value] : object.items()) {
    const verb* found = find_verb(key);
    if (found == nullptr || key == "expect") continue;
    if (chosen != nullptr) {
      refuse(path, "two verbs in one step: \"" + std::string(chosen->name) + "\" and \"" + key + "\"");
    }
    chosen = found;
  }
  if (chosen == nullptr && object.contains("expect")) chosen = &verbs.back();
  if (chosen == nullptr && object.empty()) refuse(path, "an empty step");
  if (chosen == nullptr) {
    std::vector<std::string_view> known;
    for (const verb& v : verbs) known.push_back(v.name);
    refuse(path, unknown("verb", object.begin().key(), known));
  }
  std::vector<std::string_view> allowed{chosen->name};
  for (const std::string_view other : chosen->others) {
    if (!other.empty()) allowed.push_back(other);
  }
  for (const auto& [key, value] : object.items()) {
    if (std::find(allowed.begin(), allowed.end(), key) != allowed.end()) continue;
    if (find_verb(key) != nullptr) {
      refuse(path, "two verbs in one step: \"" + std::string(chosen->name) + "\" and \"" + key + "\"");
    }
    refuse(path, unknown("key", key, allowed) + " (verb " + std::string(chosen->name) + ")");
  }
  return {path, chosen->parse(reader(object, path, names))};
}

}  // namespace

std::vector<step> parse_steps(const json& list, const std::string& parent, name_table& names) {
  std::vector<step> out;
  out.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    out.push_back(parse_step(list[i], parent.empty() ? number : parent + "." + number, names));
  }
  return out;
}

}  // namespace switchgear::inline v1::scenario
