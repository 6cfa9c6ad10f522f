// SPDX-License-Identifier: Apache-2.0
#include <switchgear/llm/client.hpp>

#include "wire.hpp"

#include <switchgear/http/exchange.hpp>
#include <switchgear/llm/event_stream.hpp>

#include <exception>
#include <utility>

namespace switchgear::inline v1::llm {
namespace {

using attempt = adapter::attempt;

options checked(options o) {
  if (auto problems = o.validate(); !problems.empty()) throw config_error(std::move(problems));
  while (o.address.ends_with('/')) o.address.pop_back();
  if (o.path.empty()) o.path = o.dialect == dialect::messages ? "/v1/messages" : "/v1/chat/completions";
  return o;
}

std::string target_of(const options& o) {
  return "llm." + (o.model.empty() ? http::describe({.url = o.address}).target : o.model);
}

[[noreturn]] void raise(http::outcome o, const attempt& a, const std::string& name) {
  switch (o.ending) {
    case http::ending::cancelled: throw cancelled_error(a.context.operation + ": the caller gave up");
    case http::ending::invalid: throw a.refused(o.reason, "invalid_request");
    case http::ending::sink_threw: std::rethrow_exception(o.thrown);
    case http::ending::timed_out: http::throw_timeout(name, o.limit, o.reason, a.context, a.correlation_id);
    default: throw http::transfer_error(o.reason);
  }
}

}  // namespace

rate_limited_error::rate_limited_error(std::optional<std::chrono::nanoseconds> retry_after, error_context context,
                                       std::string correlation_id)
    : rejected_error(context.operation + " on " + context.target + ": HTTP status 429: too many requests", retry_after),
      context_(std::move(context)),
      correlation_id_(std::move(correlation_id)) {}

classifier rules() { return classifier{}.ignore<refused_error>().ignore<http::invalid_request>(); }

struct client::implementation {
  explicit implementation(options o)
      : with(checked(std::move(o))), transport(with.connection), guarded("llm", target_of(with), with.adapter, rules()) {}

  http::request request_for(const prompt& p, const attempt& a, bool streaming) const {
    std::optional<std::string> body = detail::write_request(p, with, streaming);
    if (!body) throw a.refused("a text of the prompt is not UTF-8", "invalid_request");
    http::request r{.method = "POST",
                    .url = with.address + with.path,
                    .headers = {{"Content-Type", "application/json"},
                                {"Accept", streaming ? "text/event-stream" : "application/json"}},
                    .body = *std::move(body),
                    .correlation_id = a.correlation_id,
                    .timeout = p.timeout,
                    .stop = a.stop};
    if (with.dialect == dialect::messages) r.headers.emplace_back("anthropic-version", "2023-06-01");
    if (!with.api_key.empty()) {
      if (with.dialect == dialect::messages) {
        r.headers.emplace_back("x-api-key", with.api_key);
      } else {
        r.headers.emplace_back("Authorization", "Bearer " + with.api_key);
      }
    }
    return r;
  }

  /// Throws unless the status is one of success. The server's own words stay out: they may quote the prompt.
  void check_status(const http::response& reply, const attempt& a) const {
    if (reply.ok()) return;
    if (reply.status == 429 && !with.connection.too_many_requests_fail) {
      throw rate_limited_error(
          detail::read_retry_after(reply.find_header("Retry-After").value_or(""), std::chrono::system_clock::now()), a.context,
          a.correlation_id);
    }
    if (reply.status >= 500 || reply.status == 429) throw http::status_error(reply.status);
    const std::string number = std::to_string(reply.status);
    if (reply.status >= 400) throw a.refused(a.context.operation + " on " + a.context.target + ": HTTP status " + number, number);
    throw http::malformed_reply("the reply is malformed: HTTP status " + number + " was not expected");
  }

  completion complete(const prompt& p, const attempt& a) {
    std::string body;
    http::outcome o = transport.send(request_for(p, a, false), [&](const http::response&, std::string_view piece) {
      if (piece.size() > with.max_reply - body.size()) throw too_long();
      body.append(piece);
    });
    if (o.ending != http::ending::complete) raise(std::move(o), a, guarded.target());
    check_status(o.reply, a);
    completion answer = detail::read_answer(body, with.dialect);
    answer.correlation_id = a.correlation_id;
    return answer;
  }

  /// `thrown`: what `on_text` threw.
  completion stream(const prompt& p, const text_sink& on_text, const attempt& a, std::exception_ptr& thrown) {
    detail::stream_reader reader(with.dialect);
    event_stream events(
        [&](const stream_event& e) {
          const std::string piece = reader.read(e.type, e.data);
          if (reader.answer.text.size() > with.max_reply) throw too_long();
          if (piece.empty() || !on_text) return;
          try {
            on_text(piece);
          } catch (...) {
            thrown = std::current_exception();
            throw a.refused("the receiver of the text threw");  // no evidence
          }
        },
        with.max_reply);
    http::outcome o = transport.send(request_for(p, a, true), [&](const http::response& head, std::string_view piece) {
      if (head.ok()) events.feed(piece);
    });
    if (o.ending != http::ending::complete) raise(std::move(o), a, guarded.target());
    check_status(o.reply, a);
    if (!reader.is_complete()) throw http::malformed_reply("the reply is malformed: the stream ended early");
    reader.answer.correlation_id = a.correlation_id;
    return std::move(reader.answer);
  }

  [[nodiscard]] http::malformed_reply too_long() const {
    return http::malformed_reply("the reply is longer than " + std::to_string(with.max_reply) + " bytes");
  }

  const options with;
  http::transport transport;
  adapter guarded;
};

client::client(options o) : implementation_(std::make_unique<implementation>(std::move(o))) {}
client::~client() = default;
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;

completion client::complete(const prompt& p, const operation_options& o) {
  return implementation_->guarded.repeat("complete", "Failed to get an answer from " + target(), o,
                                         [&](const attempt& a) { return implementation_->complete(p, a); });
}

completion client::complete(std::string_view question, const operation_options& o) {
  return complete(prompt{.messages = {{"user", std::string(question)}}}, o);
}

completion client::stream(const prompt& p, const text_sink& on_text, const operation_options& o) {
  std::exception_ptr thrown;
  try {
    return implementation_->guarded.run("stream", "Failed to get an answer from " + target(), o,
                                        [&](const attempt& a) { return implementation_->stream(p, on_text, a, thrown); });
  } catch (const refused_error&) {
    if (thrown) std::rethrow_exception(thrown);
    throw;
  }
}

circuit_breaker& client::breaker() const noexcept { return implementation_->guarded.breaker(); }
const std::string& client::target() const noexcept { return implementation_->guarded.target(); }

}  // namespace switchgear::inline v1::llm
