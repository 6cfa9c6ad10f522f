// SPDX-License-Identifier: Apache-2.0
#include "replies.hpp"

#include "base64.hpp"

#include <switchgear/http/exchange.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace switchgear::inline v1::consul::detail {
namespace {

using json = nlohmann::json;

[[noreturn]] void malformed(const char* what) { throw http::malformed_reply(std::string("the reply is malformed: ") + what); }

json parsed(std::string_view body) {
  if (http::nests_deeper_than(body, 64)) malformed("it is nested too deeply");
  json value = json::parse(body, nullptr, false);
  if (value.is_discarded()) malformed("it is not JSON");
  return value;
}

const json& array(const json& value) {
  if (!value.is_array()) malformed("an array was expected");
  return value;
}

const json& part(const json& object, const char* name) {
  if (!object.is_object()) malformed("an object was expected");
  const auto found = object.find(name);
  if (found == object.end()) malformed("a part is missing");
  return *found;
}

std::string text(const json& value) {
  if (!value.is_string()) malformed("a text was expected");
  return value.get<std::string>();
}

std::uint64_t index(const json& value) {
  if (!value.is_number_unsigned()) malformed("a whole number was expected");
  return value.get<std::uint64_t>();
}

int port(const json& value) {
  const std::uint64_t number = index(value);
  if (number > 65535) malformed("a port is out of range");
  return static_cast<int>(number);
}

// Go writes null for what is empty.
std::vector<std::string> texts(const json& value) {
  std::vector<std::string> result;
  if (value.is_null()) return result;
  for (const json& each : array(value)) result.push_back(text(each));
  return result;
}

std::map<std::string, std::string> meta(const json& value) {
  std::map<std::string, std::string> result;
  if (value.is_null()) return result;
  if (!value.is_object()) malformed("an object was expected");
  for (const auto& [key, each] : value.items()) result.emplace(key, text(each));
  return result;
}

health health_of(const json& value) {
  const std::string name = text(value);
  for (const health h : {health::passing, health::warning, health::critical}) {
    if (name == to_string(h)) return h;
  }
  malformed("the status of a check is unknown");
}

}  // namespace

bool read_boolean(std::string_view body) {
  const json value = parsed(body);
  if (!value.is_boolean()) malformed("true or false was expected");
  return value.get<bool>();
}

std::vector<kv_entry> read_entries(std::string_view body) {
  const json value = parsed(body);
  std::vector<kv_entry> result;
  for (const json& each : array(value)) {
    kv_entry entry;
    entry.key = text(part(each, "Key"));
    if (const json& encoded = part(each, "Value"); !encoded.is_null()) {
      auto decoded = decode_base64(text(encoded));
      if (!decoded) malformed("a value is not base64");
      entry.value = *std::move(decoded);
    }
    entry.create_index = index(part(each, "CreateIndex"));
    entry.modify_index = index(part(each, "ModifyIndex"));
    entry.flags = index(part(each, "Flags"));
    result.push_back(std::move(entry));
  }
  return result;
}

std::vector<service_instance> read_health(std::string_view body) {
  const json value = parsed(body);
  std::vector<service_instance> result;
  for (const json& each : array(value)) {
    const json& node = part(each, "Node");
    const json& service = part(each, "Service");
    service_instance instance;
    instance.node = text(part(node, "Node"));
    instance.node_address = text(part(node, "Address"));
    instance.id = text(part(service, "ID"));
    instance.name = text(part(service, "Service"));
    instance.address = text(part(service, "Address"));
    if (instance.address.empty()) instance.address = instance.node_address;
    instance.port = port(part(service, "Port"));
    instance.tags = texts(part(service, "Tags"));
    if (service.contains("Meta")) instance.meta = meta(service["Meta"]);
    if (const json& checks = part(each, "Checks"); !checks.is_null()) {
      for (const json& check : array(checks)) instance.health = std::max(instance.health, health_of(part(check, "Status")));
    }
    result.push_back(std::move(instance));
  }
  return result;
}

std::vector<service_instance> read_nodes(std::string_view body) {
  const json value = parsed(body);
  std::vector<service_instance> result;
  for (const json& each : array(value)) {
    service_instance instance;
    instance.node = text(part(each, "Node"));
    instance.node_address = text(part(each, "Address"));
    instance.id = text(part(each, "ServiceID"));
    instance.name = text(part(each, "ServiceName"));
    instance.address = text(part(each, "ServiceAddress"));
    if (instance.address.empty()) instance.address = instance.node_address;
    instance.port = port(part(each, "ServicePort"));
    instance.tags = texts(part(each, "ServiceTags"));
    if (each.contains("ServiceMeta")) instance.meta = meta(each["ServiceMeta"]);
    result.push_back(std::move(instance));
  }
  return result;
}

std::map<std::string, std::vector<std::string>> read_services(std::string_view body) {
  const json value = parsed(body);
  if (!value.is_object()) malformed("an object was expected");
  std::map<std::string, std::vector<std::string>> result;
  for (const auto& [name, tags] : value.items()) result.emplace(name, texts(tags));
  return result;
}

}  // namespace switchgear::inline v1::consul::detail
