// SPDX-License-Identifier: Apache-2.0
#include "assets.hpp"
#include "dashboard_support.hpp"

#include <set>

namespace {

using namespace dashboards;

/// Whether a value is what a schema says, as far as the document uses JSON Schema; the first place where it is not.
class checker {
 public:
  explicit checker(const json& document) : document_(document) {}

  [[nodiscard]] std::string fault(const json& value, const json& schema, const std::string& where = "") const {
    if (schema.contains("$ref")) return fault(value, at(schema["$ref"]), where);
    if (schema.contains("oneOf")) {
      std::string why;
      for (const json& one : schema["oneOf"]) {
        const std::string wrong = fault(value, one, where);
        if (wrong.empty()) return {};
        if (one.value("type", "") != "null") why = wrong;
      }
      return why;
    }
    if (schema.contains("const") && value != schema["const"]) return where + ": is not the constant";
    if (schema.contains("enum") && std::ranges::find(schema["enum"], value) == schema["enum"].end()) {
      return where + ": is none of the values";
    }
    if (schema.contains("type") && !is(value, schema["type"])) return where + ": has another type: " + value.dump();
    if (schema.contains("minimum") && value.is_number() && value < schema["minimum"]) return where + ": too small";
    if (schema.contains("maxItems") && value.size() > schema["maxItems"]) return where + ": too many";
    if (value.is_array() && schema.contains("items")) {
      for (const json& item : value) {
        if (std::string wrong = fault(item, schema["items"], where + "[]"); !wrong.empty()) return wrong;
      }
    }
    return value.is_object() ? fault_of_object(value, schema, where) : std::string();
  }

 private:
  [[nodiscard]] const json& at(const std::string& reference) const {
    return document_.at(json::json_pointer(reference.substr(1)));
  }
  [[nodiscard]] static bool is(const json& value, const json& type) {
    if (type.is_array()) return std::ranges::any_of(type, [&](const json& one) { return is(value, one); });
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    return type == "null" && value.is_null();
  }
  [[nodiscard]] std::string fault_of_object(const json& value, const json& schema, const std::string& where) const {
    const json none = json::object();
    const json& properties = schema.contains("properties") ? schema["properties"] : none;
    for (const json& key : schema.value("required", json::array())) {
      if (!value.contains(key.get<std::string>())) return where + "." + key.get<std::string>() + ": missing";
    }
    for (auto it = value.begin(); it != value.end(); ++it) {
      if (!properties.contains(it.key())) {
        if (schema.value("additionalProperties", true)) continue;
        return where + "." + it.key() + ": not documented";
      }
      if (std::string wrong = fault(*it, properties[it.key()], where + "." + it.key()); !wrong.empty()) return wrong;
    }
    return {};
  }
  const json& document_;
};

struct the_document : testing::Test {
  registry_dashboard d{options()};
  json document = json_of(d.api.answer(get({"api", "v1", "openapi.json"})));
  checker check{document};

  static sg::dashboard_options options() {
    auto o = with_token();
    o.critical = {"*"};
    return o;
  }
  the_document() {
    d.make("closed");
    sg::testing::fail_times(*d.make("open"), 2);
    d.make("held")->force_open("why", "ops", 5min);
    sg::drain_events();
    d.api.refresh();
    (void)d.api.answer(post("closed", "disable", R"({"owner":"ops","reason":"why","ttl":"5m"})"));
  }

  static texts segments(std::string path) {
    if (const auto at = path.find("{name}"); at != std::string::npos) path.replace(at, 6, "closed");
    texts out;
    std::istringstream in(path.substr(1));
    for (std::string one; std::getline(in, one, '/');) out.push_back(one);
    return out;
  }
  void agrees(const sg::detail::web_answer& answer, const json& operation, const std::string& path) {
    const std::string status = std::to_string(answer.status);
    ASSERT_TRUE(operation["responses"].contains(status)) << path << " answers " << status;
    const json& documented = operation["responses"][status];
    const json& response = documented.contains("$ref")
                               ? document.at(json::json_pointer(documented["$ref"].get<std::string>().substr(1)))
                               : documented;
    const std::string type = answer.content_type.substr(0, answer.content_type.find(';'));
    ASSERT_TRUE(response["content"].contains(type)) << path << " answers with " << type;
    if (type != "application/json") return;
    EXPECT_EQ(check.fault(json_of(answer), response["content"][type]["schema"]), "") << path;
  }
};

TEST_F(the_document, is_that_of_the_library) {
  ASSERT_NE(sg::detail::find_asset("/api/v1/openapi.json"), nullptr);
  EXPECT_EQ(document["openapi"], "3.1.0");
}

TEST_F(the_document, has_no_reference_to_nothing) {
  const std::function<void(const json&)> look = [&](const json& node) {
    if (node.is_object() && node.contains("$ref")) {
      EXPECT_TRUE(document.contains(json::json_pointer(node["$ref"].get<std::string>().substr(1)))) << node["$ref"];
    }
    if (node.is_structured()) {
      for (const json& child : node) look(child);
    }
  };
  look(document);
}

TEST_F(the_document, describes_what_every_path_answers) {
  for (auto it = document["paths"].begin(); it != document["paths"].end(); ++it) {
    if (it.key() == "/api/v1/events") continue;  // a stream: see below
    if (it->contains("get")) {
      agrees(d.api.answer(get(segments(it.key()))), (*it)["get"], it.key());
    } else {
      auto r = post("closed", segments(it.key()).back(), R"({"owner":"ops","reason":"why"})");
      agrees(d.api.answer(r), (*it)["post"], it.key());
      r.body = "{}";
      agrees(d.api.answer(r), (*it)["post"], it.key());
      r.content_type = "text/plain";
      agrees(d.api.answer(r), (*it)["post"], it.key());
      r.method = "GET";
      agrees(d.api.answer(r), (*it)["post"], it.key());
      r.method = "POST";
      r.may_act = false;
      agrees(d.api.answer(r), (*it)["post"], it.key());
      const auto to_nobody = post("nobody", segments(it.key()).back(), R"({"owner":"ops","reason":"why"})");
      agrees(d.api.answer(to_nobody), (*it)["post"], it.key());
    }
  }
}

TEST_F(the_document, describes_the_views_of_a_shared_circuit) {
  const auto source = std::make_shared<scripted_source>();
  source->add("a");
  source->more.instances = {
      {.instance = "web-1", .state = sg::state::half_open, .in_state = 1500ms, .calls = 3, .link = "local"}};
  sg::detail::api shared{source, options()};
  shared.refresh();
  const auto answer = shared.answer(get({"api", "v1", "circuits", "a"}));
  ASSERT_EQ(json_of(answer)["views"].size(), 1u);
  agrees(answer, document["paths"]["/api/v1/circuits/{name}"]["get"], "views");
  EXPECT_EQ(keys_of(json_of(answer)["views"][0]), keys_of(document["components"]["schemas"]["View"]["properties"]));
}

TEST_F(the_document, describes_what_is_wrong_with_a_path) {
  agrees(d.api.answer(get({"api", "v1", "circuits", "nobody"})), document["paths"]["/api/v1/circuits/{name}"]["get"], "nobody");
}

TEST_F(the_document, describes_every_event_of_the_stream) {
  const json& events =
      document["paths"]["/api/v1/events"]["get"]["responses"]["200"]["content"]["text/event-stream"]["x-events"];
  const stream_recorder told;
  const auto stream = d.api.open_stream(told.writer());
  (void)d.api.answer(post("closed", "trip", R"({"owner":"ops","reason":"why"})"));
  (void)d.api.answer(post("open", "reset", R"({"owner":"ops","reason":"why"})"));
  sg::drain_events();
  d.circuits.remove("open");
  d.api.refresh();
  std::set<std::string> kinds;
  for (const auto& [kind, data] : *told.all) {
    kinds.insert(kind);
    ASSERT_TRUE(events.contains(kind)) << kind;
    EXPECT_EQ(check.fault(data, events[kind]), "") << kind << ' ' << data;
  }
  EXPECT_EQ(kinds.size(), events.size());
}

TEST_F(the_document, describes_every_key_of_a_row_and_a_row_has_every_key) {
  const json& documented = document["components"]["schemas"]["Circuit"]["properties"];
  EXPECT_EQ(documented.size(), 21u);
  for (const char* name : {"closed", "open", "held"}) EXPECT_EQ(keys_of(d.row(name)), keys_of(documented)) << name;
}

TEST_F(the_document, is_checked_by_a_checker_that_finds_faults) {
  const json& schema = document["components"]["schemas"]["Circuit"];
  json row = d.row("open");
  EXPECT_EQ(check.fault(row, schema), "");
  row["surprise"] = 1;
  EXPECT_NE(check.fault(row, schema), "");
  row.erase("surprise");
  row["window"].erase("calls");
  EXPECT_NE(check.fault(row, schema), "");
  row = d.row("open");
  row["state"] = "ajar";
  EXPECT_NE(check.fault(row, schema), "");
}

}  // namespace
