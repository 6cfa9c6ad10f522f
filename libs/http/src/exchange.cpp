// SPDX-License-Identifier: Apache-2.0
#include <switchgear/http/exchange.hpp>

#include <exception>
#include <utility>

namespace switchgear::inline v1::http {

response exchange(transport& through, const request& r, std::size_t most, const error_context& context,
                  const std::string& name) {
  std::string body;
  outcome o = through.send(r, [&](const response&, std::string_view piece) {
    if (piece.size() > most - body.size()) throw malformed_reply("the reply is longer than " + std::to_string(most) + " bytes");
    body.append(piece);
  });
  switch (o.ending) {
    case ending::complete: break;
    case ending::failed: throw transfer_error(o.reason);
    case ending::cancelled: throw cancelled_error(context.operation + ": the caller gave up");
    case ending::invalid: throw invalid_request(o.reason, context);
    case ending::sink_threw: std::rethrow_exception(o.thrown);
    case ending::timed_out: throw_timeout(name, o.limit, o.reason, context, r.correlation_id);
  }
  o.reply.body = std::move(body);
  return std::move(o.reply);
}

void throw_timeout(const std::string& name, std::chrono::nanoseconds limit, const std::string& missing,
                   const error_context& context, const std::string& correlation_id) {
  try {
    throw connection_error(context.operation + " on " + context.target + ": " + missing, context, correlation_id);
  } catch (const connection_error&) {
    std::throw_with_nested(call_timeout_error(name, limit));
  }
}

std::string percent_encode(std::string_view text, bool keep_slashes) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string result;
  for (const char c : text) {
    if (plain.find(c) != plain.npos || (keep_slashes && c == '/')) {
      result += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    result += '%';
    result += digits[byte >> 4];
    result += digits[byte & 15];
  }
  return result;
}

bool nests_deeper_than(std::string_view json, std::size_t levels) noexcept {
  std::size_t depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      if (++depth > levels) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

bool is_plain_path(std::string_view path) noexcept {
  if (path.empty()) return false;
  if (path.ends_with('/')) path.remove_suffix(1);
  for (;;) {
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment.empty() || segment == "." || segment == "..") return false;
    for (const char c : segment) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
    }
    if (segment.size() == path.size()) return true;
    path.remove_prefix(segment.size() + 1);
  }
}

std::optional<problem> problem_of_address(const std::string& address) {
  const auto wrong = [](std::string message) {
    return problem{"address", "(not shown)", "http://host:port or https://host:port", std::move(message)};
  };
  const bool secure = address.starts_with("https://");
  if (!secure && !address.starts_with("http://")) return wrong("it is not an http or https URL");
  const std::string_view rest = std::string_view(address).substr(secure ? 8 : 7);
  if (rest.empty() || rest.front() == '/' || rest.front() == ':') return wrong("it has no host");
  if (rest.find('@') != rest.npos) return wrong("a user or password does not belong into it");
  for (const char c : rest) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == '?' || c == '#') return wrong("it has more than host, port and path");
  }
  if (describe({.url = address}).target == "(not a URL)") return wrong("it is not a URL");
  return std::nullopt;
}

}  // namespace switchgear::inline v1::http
