// SPDX-License-Identifier: Apache-2.0
#include "wire.hpp"

#include <switchgear/http/exchange.hpp>

#include <curl/curl.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace switchgear::inline v1::llm::detail {
namespace {

using json = nlohmann::json;

[[noreturn]] void malformed(const std::string& what) { throw http::malformed_reply("the reply is malformed: " + what); }

json parse(std::string_view text) {
  constexpr std::size_t deepest = 64;
  if (http::nests_deeper_than(text, deepest)) malformed("nested too deep");
  json value = json::parse(text, nullptr, false);
  if (!value.is_object()) malformed(value.is_discarded() ? "not JSON" : "no object");
  return value;
}

/// The member of an object, or null.
const json& at(const json& object, const char* name) {
  static const json nothing;
  const auto found = object.find(name);
  return found == object.end() ? nothing : *found;
}

const json& object_at(const json& object, const char* name) {
  const json& value = at(object, name);
  if (!value.is_object()) malformed(std::string(name) + " is no object");
  return value;
}

/// Text; empty where there is none, or null.
std::string text_at(const json& object, const char* name) {
  const json& value = at(object, name);
  if (value.is_null()) return {};
  if (!value.is_string()) malformed(std::string(name) + " is no text");
  return value.get<std::string>();
}

void keep_text(const json& object, const char* name, std::string& into) {
  if (std::string text = text_at(object, name); !text.empty()) into = std::move(text);
}

void keep_count(const json& object, const char* name, std::uint64_t& into) {
  const json& usage = at(object, "usage");
  if (!usage.is_object()) return;
  if (const json& value = at(usage, name); value.is_number_unsigned()) into = value.get<std::uint64_t>();
}

void read_usage(const json& from, dialect d, completion& into) {
  const bool chat = d == dialect::chat_completions;
  keep_count(from, chat ? "prompt_tokens" : "input_tokens", into.prompt_tokens);
  keep_count(from, chat ? "completion_tokens" : "output_tokens", into.completion_tokens);
}

/// The first choice, or null where there may be none: in a stream the last event has only the usage.
const json* first_choice(const json& from) {
  const json& choices = at(from, "choices");
  if (!choices.is_array()) malformed("choices is no list");
  if (choices.empty()) return nullptr;
  if (!choices.front().is_object()) malformed("a choice is no object");
  return &choices.front();
}

}  // namespace

std::optional<std::string> write_request(const prompt& p, const options& with, bool streaming) {
  constexpr int usual_max_tokens = 1024;
  json body = json::object();
  const std::string& model = p.model.empty() ? with.model : p.model;
  if (!model.empty()) body["model"] = model;
  json messages = json::array();
  std::string system;
  for (const message& m : p.messages) {
    if (with.dialect == dialect::messages && m.role == "system") {
      system += (system.empty() ? "" : "\n\n") + m.content;
    } else {
      messages.push_back({{"role", m.role}, {"content", m.content}});
    }
  }
  body["messages"] = std::move(messages);
  if (!system.empty()) body["system"] = std::move(system);
  if (p.temperature) body["temperature"] = *p.temperature;
  if (p.max_tokens || with.dialect == dialect::messages) body["max_tokens"] = p.max_tokens.value_or(usual_max_tokens);
  if (streaming) body["stream"] = true;
  try {
    return body.dump();
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

completion read_answer(std::string_view body, dialect d) {
  const json reply = parse(body);
  completion out;
  out.model = text_at(reply, "model");
  read_usage(reply, d, out);
  if (d == dialect::chat_completions) {
    const json* const choice = first_choice(reply);
    if (choice == nullptr) malformed("no choice");
    const json& content = at(object_at(*choice, "message"), "content");
    if (!content.is_string() && !content.is_null()) malformed("content is no text");
    if (content.is_string()) out.text = content.get<std::string>();
    out.finish_reason = text_at(*choice, "finish_reason");
    return out;
  }
  const json& content = at(reply, "content");
  if (!content.is_array()) malformed("content is no list");
  for (const json& block : content) {
    if (!block.is_object()) malformed("a part of content is no object");
    if (text_at(block, "type") == "text") out.text += text_at(block, "text");
  }
  out.finish_reason = text_at(reply, "stop_reason");
  return out;
}

std::string stream_reader::read(std::string_view type, std::string_view data) {
  if (complete_ && dialect_ == dialect::messages) return {};
  if (dialect_ == dialect::chat_completions && data == "[DONE]") {
    complete_ = true;
    return {};
  }
  const json event = parse(data);
  if (type == "error" || !at(event, "error").is_null()) malformed("the server ended the stream with an error");
  std::string piece;
  if (dialect_ == dialect::chat_completions) {
    keep_text(event, "model", answer.model);
    read_usage(event, dialect_, answer);
    if (const json* const choice = first_choice(event)) {
      piece = text_at(object_at(*choice, "delta"), "content");
      keep_text(*choice, "finish_reason", answer.finish_reason);
      complete_ |= !answer.finish_reason.empty();
    }
  } else {
    const std::string kind = text_at(event, "type");
    if (kind == "message_start") {
      const json& start = object_at(event, "message");
      keep_text(start, "model", answer.model);
      read_usage(start, dialect_, answer);
    } else if (kind == "content_block_delta") {
      const json& delta = object_at(event, "delta");
      if (text_at(delta, "type") == "text_delta") piece = text_at(delta, "text");
    } else if (kind == "message_delta") {
      keep_text(object_at(event, "delta"), "stop_reason", answer.finish_reason);
      read_usage(event, dialect_, answer);
    } else if (kind == "message_stop") {
      complete_ = true;
    }
  }
  answer.text += piece;
  return piece;
}

std::optional<std::chrono::nanoseconds> read_retry_after(std::string_view value, std::chrono::system_clock::time_point now) {
  using namespace std::chrono;
  constexpr seconds longest = hours(24 * 365);
  if (value.empty()) return std::nullopt;
  std::uint32_t count = 0;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), count);
  if (end == value.data() + value.size()) return failed == std::errc() ? std::min<seconds>(seconds(count), longest) : longest;
  const std::time_t at = ::curl_getdate(std::string(value).c_str(), nullptr);
  if (at == -1) return std::nullopt;
  const seconds wait(static_cast<std::int64_t>(at) - duration_cast<seconds>(now.time_since_epoch()).count());
  return std::clamp<seconds>(wait, seconds(0), longest);
}

}  // namespace switchgear::inline v1::llm::detail
