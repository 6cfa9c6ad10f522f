// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/json.hpp"

#include "switchgear/config/keys.hpp"
#include "switchgear/config/text_file.hpp"

#include <nlohmann/json.hpp>

#include <set>
#include <utility>

namespace switchgear::inline v1 {
namespace {

using ordered = nlohmann::ordered_json;

/// Leaves the parser from inside its callback; caught where the parser was called.
struct refused {
  std::string why;
};

template <class Json>
raw_value raw_of(const Json& value) {
  using type = nlohmann::json::value_t;
  switch (value.type()) {
    case type::boolean:
      return raw_value::boolean(value.template get<bool>());
    case type::number_integer:
      return raw_value::integer(value.template get<std::int64_t>());
    case type::number_unsigned:
      return raw_value::integer(value.template get<std::uint64_t>());
    case type::number_float:
      return raw_value::real(value.template get<double>());
    case type::string:
      return raw_value::text(value.template get_ref<const std::string&>());
    case type::array:
      return raw_value::other("a list");
    case type::object:
      return raw_value::other("an object");
    default:
      return raw_value::other("null");
  }
}

template <class Json>
patch_result patch_of(const Json& object, std::string_view origin) {
  patch_result out;
  if (!object.is_object()) {
    std::string message = "has to be an object of keys and values";
    if (!origin.empty()) message += ", in " + std::string(origin);
    out.problems.push_back({"config", "", "", std::move(message)});
    return out;
  }
  for (auto it = object.begin(); it != object.end(); ++it) out.patch.set(it.key(), raw_of(it.value()), origin);
  return out;
}

/// Watches the parser: no key twice, not too deep, not too many.
class json_guard {
 public:
  explicit json_guard(json_limits limits) : limits_(limits) {}

  void operator()(int depth, ordered::parse_event_t event, const ordered& value) {
    using e = ordered::parse_event_t;
    if (event == e::object_start || event == e::array_start) {
      if (depth >= limits_.depth) throw refused{"nested more than " + std::to_string(limits_.depth) + " deep"};
    }
    if (event == e::object_start) open_.emplace_back();
    if (event == e::object_end) open_.pop_back();
    if (event == e::key) {
      const auto& key = value.get_ref<const std::string&>();
      auto& keys = open_.back();
      if (!keys.insert(key).second) throw refused{"the key \"" + key + "\" stands twice in one object"};
      if (keys.size() > static_cast<std::size_t>(limits_.keys)) {
        throw refused{"more than " + std::to_string(limits_.keys) + " keys in one object"};
      }
    }
  }

 private:
  json_limits limits_;
  std::vector<std::set<std::string>> open_;  ///< the keys so far of every object that is not closed yet
};

/// The library's text without its own name and number in front.
std::string plain_reason(const char* what) {
  std::string_view text = what;
  if (text.starts_with('[')) {
    const std::size_t end = text.find("] ");
    if (end != std::string_view::npos) text.remove_prefix(end + 2);
  }
  return std::string(text);
}

}  // namespace

patch_result patch_from_json(const nlohmann::json& object, std::string_view origin) { return patch_of(object, origin); }

patch_result patch_from_json(const nlohmann::ordered_json& object, std::string_view origin) {
  return patch_of(object, origin);
}

patch_result patch_from_json_text(std::string_view text, std::string_view origin) {
  json_document document = parse_json(text, origin);
  if (!document.value) return {{}, std::move(document.problems)};
  return patch_of(*document.value, origin);
}

nlohmann::ordered_json config_to_json(const config& c) {
  ordered out = ordered::object();
  for (const key_info& info : config_keys()) {
    const auto raw = info.value_of(c);
    if (!raw) continue;
    ordered& slot = out[std::string(info.key)];
    switch (raw->kind) {
      case raw_value::form::boolean:
        slot = *read_bool(*raw).value;
        break;
      case raw_value::form::integer:
        slot = *read_count(*raw).value;
        break;
      case raw_value::form::real:
        slot = *read_number(*raw).value;
        break;
      default:
        slot = raw->spelling;
        break;
    }
  }
  return out;
}

json_document parse_json(std::string_view text, std::string_view origin, json_limits limits) {
  json_document out;
  const auto refuse = [&](std::string why) {
    out.problems.push_back({origin.empty() ? "json" : std::string(origin), "", "", std::move(why)});
  };
  if (text.size() > largest_config_file) {
    refuse("larger than 1 MiB, so this is not a configuration");
    return out;
  }
  try {
    json_guard guard(limits);
    auto watch = [&guard](int depth, ordered::parse_event_t event, ordered& value) {
      guard(depth, event, value);
      return true;
    };
    out.value = std::make_shared<const ordered>(ordered::parse(text.begin(), text.end(), watch));
  } catch (const refused& e) {
    refuse(e.why);
  } catch (const nlohmann::json::exception& e) {
    refuse(plain_reason(e.what()));
  }
  return out;
}

}  // namespace switchgear::inline v1
