// SPDX-License-Identifier: Apache-2.0
#include <switchgear/http/client.hpp>

#include "text.hpp"

#include <exception>

namespace switchgear::inline v1::http {
namespace {

std::string subject(const error_context& context) { return context.operation + " " + context.target; }

// The caller's, or empty: circuit_open_error makes a fresh one then.
std::string correlation_id_of(const request& r) {
  if (!r.correlation_id.empty()) return r.correlation_id;
  for (const auto& [name, value] : r.headers) {
    if (detail::same_name(name, correlation_header)) return std::string(detail::trim(value));
  }
  return {};
}

std::string text_of_failure(const outcome& o) {
  return o.ending == ending::complete ? "HTTP status " + std::to_string(o.reply.status) : o.reason;
}

state state_of(rejection_reason reason) {
  switch (reason) {
    case rejection_reason::open: return state::open;
    case rejection_reason::half_open_limit: return state::half_open;
    case rejection_reason::forced_open: return state::forced_open;
    case rejection_reason::ramp: return state::closed;
  }
  return state::open;
}

}  // namespace

result client::try_send(const request& r, const body_sink& sink) {
  const std::string given = correlation_id_of(r);
  call_context context{.correlation_id = given};
  permit p = breaker_.try_acquire(context);
  if (!p) return result(p.rejection());
  outcome o;
  verdict v = verdict::failure;
  p.run(
      [&] {
        o = transport_.send(r, sink, breaker_.configuration().call_timeout);
        v = judge(o, transport_.settings());
        context.correlation_id = o.reply.correlation_id;  // the caller's, or the fresh one that was sent
        p.settle(v, v == verdict::failure ? text_of_failure(o) : std::string());
      },
      context);
  return {std::move(o), v};
}

response client::send(const request& r, const body_sink& sink) {
  result out = try_send(r, sink);
  if (out) return *std::move(out);
  if (out.rejected()) raise(r, *out.rejection());
  raise(r, std::move(out).transfer());
}

response client::post(std::string url, std::string body, std::string content_type) {
  return send({.method = "POST",
               .url = std::move(url),
               .headers = {{"Content-Type", std::move(content_type)}},
               .body = std::move(body)});
}

void client::raise(const request& r, const rejection& why) const {
  throw circuit_open_error({.name = breaker_.name(),
                            .state = state_of(why.reason),
                            .reason = why.reason,
                            .retry_after = why.retry_after,
                            .failure_count = why.failure_count,
                            .correlation_id = correlation_id_of(r),
                            .context = describe(r)});
}

void client::raise(const request& r, outcome o) const {
  if (o.thrown) std::rethrow_exception(o.thrown);
  const error_context context = describe(r);
  if (o.ending == ending::cancelled) throw cancelled_error(subject(context) + ": the caller gave up");
  if (o.ending == ending::invalid) throw invalid_request(subject(context) + ": " + o.reason, context);
  const connection_error failed(subject(context) + ": " + o.reason, context, o.reply.correlation_id);
  try {
    if (o.ending == ending::timed_out) throw failed;
    throw transfer_error(o.reason);
  } catch (const connection_error&) {
    std::throw_with_nested(call_timeout_error(breaker_.name(), o.limit));
  } catch (const transfer_error&) {
    std::throw_with_nested(failed);
  }
}

classifier rules(options with) {
  return classifier{}
      .ignore<invalid_request>()
      .judge_value<outcome>([with](const outcome& o) -> std::optional<verdict> { return judge(o, with); })
      .judge_value<response>([with](const response& r) -> std::optional<verdict> {
        outcome o;
        o.ending = ending::complete;
        o.reply.status = r.status;
        return judge(o, with);
      });
}

}  // namespace switchgear::inline v1::http
