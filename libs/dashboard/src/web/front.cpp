// SPDX-License-Identifier: Apache-2.0
#include "front.hpp"

#include "target.hpp"
#include "text.hpp"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <utility>

namespace switchgear::inline v1::detail {
namespace {

namespace http = boost::beast::http;

/// Nothing is loaded, shown or called but what comes from the dashboard itself, and nobody shows it within another page.
constexpr std::string_view every_answer =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n";

std::string_view text_of(boost::beast::string_view v) { return {v.data(), v.size()}; }

request_head head_of(const http::request_header<>& head) {
  request_head result{.method = text_of(head.method_string()), .version = head.version(), .fields = {}};
  for (const auto& field : head) result.fields.emplace_back(text_of(field.name_string()), text_of(field.value()));
  return result;
}

/// Start line and fields as they were sent, blanks around values apart.
std::size_t size_of(const request_head& head, std::string_view target) {
  std::size_t size = head.method.size() + target.size() + sizeof "  HTTP/1.1\r\n\r\n" - 1;
  for (const auto& [name, value] : head.fields) size += name.size() + value.size() + sizeof ": \r\n" - 1;
  return size;
}

web_answer too_large_a_head() {
  return error_answer(431, "headers_too_large",
                      "address and headers may have " + std::to_string(longest_head) + " bytes together");
}

web_answer method_not_allowed(std::string_view allowed) {
  web_answer a = error_answer(405, "method_not_allowed", "only " + std::string(allowed) + " can be asked for here");
  a.headers.emplace_back("Allow", allowed);
  return a;
}

std::string media_type(std::string_view value) {
  return lowered(trimmed(value.substr(0, value.find(';'))));
}

/// Whether a list of entity tags (RFC 9110, 13.1.2) names this one; weak ones compare as equal.
bool names(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view one = trimmed(list.substr(0, comma));
    list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == "*" || one == etag) return true;
  }
  return false;
}

web_answer file_answer(const asset& file, std::string_view if_none_match) {
  web_answer a{.content_type = std::string(file.content_type), .body = nullptr};
  a.headers.emplace_back("ETag", file.etag);
  a.headers.emplace_back("Cache-Control", "no-cache");
  if (names(if_none_match, file.etag)) {
    a.status = 304;
  } else {
    a.body = std::make_shared<const std::string>(file.bytes);
  }
  return a;
}

bool is_clean(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool has_field(const web_answer& answer, std::string_view name) {
  return std::any_of(answer.headers.begin(), answer.headers.end(), [&](const auto& h) { return h.first == name; });
}

}  // namespace

void limit(request_parser& parser) {
  parser.header_limit(longest_head);
  parser.body_limit(longest_body);
}

std::optional<web_answer> answer_to(const boost::beast::error_code& e) {
  if (e == http::error::header_limit || e == http::error::buffer_overflow) return too_large_a_head();
  if (e == http::error::body_limit) {
    return error_answer(413, "too_large", "a body may have " + std::to_string(longest_body) + " bytes");
  }
  if (e == http::error::end_of_stream) return std::nullopt;
  if (e.category() != http::make_error_code(http::error::bad_method).category()) return std::nullopt;
  return error_answer(400, "bad_request", "this is no HTTP request: " + e.message());
}

begun_request web_front::begin(const http::request_header<>& from, std::string peer, access::time_point now) {
  begun_request begun;
  const request_head head = head_of(from);
  const std::string_view target_text = text_of(from.target());
  const auto refuse = [&](web_answer a) {
    begun.refusal = std::move(a);
    return std::move(begun);
  };
  begun.is_head = head.method == "HEAD";
  if (size_of(head, target_text) > longest_head) return refuse(too_large_a_head());
  if (auto refusal = access_.refuse_head(head)) return refuse(std::move(*refusal));
  if (head.method != "GET" && head.method != "HEAD" && head.method != "POST") {
    return refuse(method_not_allowed("GET, HEAD, POST"));
  }
  target_reading target = read_target(target_text);
  if (!target.target) return refuse(error_answer(400, "bad_request", target.error));

  web_request& r = begun.request;
  r.method = begun.is_head ? "GET" : std::string(head.method);
  if (const auto path = target.target->plain_path()) begun.file = find_(*path);
  r.path = std::move(target.target->path);
  r.query = std::move(target.target->query);
  r.content_type = media_type(head.field("Content-Type").value_or(std::string_view()));
  r.peer = std::move(peer);
  if (begun.file != nullptr && r.method != "GET") return refuse(method_not_allowed("GET, HEAD"));
  access_ruling ruling = access_.judge(head, r.path, now);
  if (ruling.refusal) return refuse(std::move(*ruling.refusal));
  r.knows_token = ruling.knows_token;
  r.may_act = ruling.may_act;
  begun.if_none_match = head.field("If-None-Match").value_or(std::string_view());
  return begun;
}

web_answer web_front::answer(const begun_request& begun, web_handler& handler) const noexcept {
  try {
    if (begun.refusal) return *begun.refusal;
    if (begun.file != nullptr) return file_answer(*begun.file, begun.if_none_match);
    return handler.answer(begun.request);
  } catch (...) {
    return {.status = 503, .content_type = {}, .body = nullptr};  // no memory, so nothing that needs some
  }
}

wire_answer to_wire(web_answer answer, wire_options how) {
  const std::string_view reason = text_of(http::obsolete_reason(http::int_to_status(answer.status)));
  const bool has_body = answer.status >= 200 && answer.status != 204 && answer.status != 304;
  wire_answer wire;
  std::string& head = wire.head;
  head = "HTTP/1.1 " + std::to_string(answer.status) + " " + std::string(reason) + "\r\n";
  const auto add = [&](std::string_view name, std::string_view value) {
    if (is_clean(name) && is_clean(value)) head.append(name).append(": ").append(value).append("\r\n");
  };
  head += every_answer;
  if (!has_field(answer, "Cache-Control")) add("Cache-Control", "no-store");
  for (const auto& [name, value] : answer.headers) add(name, value);
  if (has_body) {
    if (answer.body) add("Content-Type", answer.content_type);
    add("Content-Length", std::to_string(answer.body ? answer.body->size() : 0));
    if (!how.is_head && answer.body && !answer.body->empty()) wire.body = std::move(answer.body);
  }
  if (!how.keep_alive) add("Connection", "close");
  if (how.keep_alive && how.version < 11) add("Connection", "keep-alive");
  head += "\r\n";
  return wire;
}

std::string stream_head() {
  std::string head = "HTTP/1.1 200 OK\r\n";
  head += every_answer;
  // A proxy that keeps back what it gets would keep back everything.
  head += "Cache-Control: no-store\r\nContent-Type: text/event-stream\r\nX-Accel-Buffering: no\r\nConnection: close\r\n\r\n";
  return head;
}

}  // namespace switchgear::inline v1::detail
