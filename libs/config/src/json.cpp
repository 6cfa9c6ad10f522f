// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/json.hpp"

#include "switchgear/config/keys.hpp"
#include "switchgear/config/text_file.hpp"

#include <nlohmann/json.hpp>

#include <unordered_set>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {
namespace {

using ordered = nlohmann::ordered_json;

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

/// The library's text without its own name and number in front.
std::string plain_reason(const char* what) {
  std::string_view text = what;
  if (text.starts_with('[')) {
    const std::size_t end = text.find("] ");
    if (end != std::string_view::npos) text.remove_prefix(end + 2);
  }
  return std::string(text);
}

/// Looks through a text without building anything: well-formed, no key twice in one object, not too deep, not too many keys.
/// The library's own way to watch while it builds takes quadratic time for a long list, so this goes first and alone.
class examiner final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit examiner(json_limits limits) : limits_(limits) {}
  [[nodiscard]] const std::string& why() const { return why_; }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    auto& keys = keys_.back();
    if (!keys.insert(name).second) return wrong("the key \"" + name + "\" stands twice in one object");
    if (keys.size() > static_cast<std::size_t>(limits_.keys)) {
      return wrong("more than " + std::to_string(limits_.keys) + " keys in one object");
    }
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) override {
    return wrong(plain_reason(error.what()));
  }

 private:
  bool wrong(std::string why) {
    why_ = std::move(why);
    return false;
  }
  bool open() {
    if (keys_.size() >= static_cast<std::size_t>(limits_.depth)) {
      return wrong("nested more than " + std::to_string(limits_.depth) + " deep");
    }
    keys_.emplace_back();
    return true;
  }
  bool close() {
    keys_.pop_back();
    return true;
  }

  json_limits limits_;
  std::string why_;
  std::vector<std::unordered_set<std::string>> keys_;  ///< of every object that is not closed yet
};

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
  examiner look(limits);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &look)) {
    refuse(look.why());
    return out;
  }
  out.value = std::make_shared<const ordered>(ordered::parse(text.begin(), text.end()));
  return out;
}

}  // namespace switchgear::inline v1
