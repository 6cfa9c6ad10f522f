// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include "replies.hpp"

#include <switchgear/http/exchange.hpp>
#include <switchgear/vault/client.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace switchgear::inline v1::vault::detail {
namespace {

options without_last_slash(options o) {
  while (o.address.ends_with('/')) o.address.pop_back();
  return o;
}

// Fixed words: the server's own may hold a token or data.
std::string meaning(int status) {
  const std::string number = "HTTP status " + std::to_string(status);
  switch (status) {
    case 400: return number + ": the request is not valid";
    case 403: return number + ": permission denied";
    case 404: return number + ": not found";
    case 413: return number + ": the request is too large";
    case 429: return number + ": too many requests";
    default: return number;
  }
}

bool is_standby(int status) { return (status >= 300 && status < 400) || status == 472 || status == 473; }

}  // namespace

connection::connection(options o, std::string name)
    : options_(without_last_slash(std::move(o))), name_(std::move(name)), transport_(options_.connection) {}

http::response connection::ask(const adapter::attempt& a, const question& q, std::initializer_list<int> expected) {
  // Vault wants to see this header, so that a browser that was talked into a request is not listened to.
  http::request r{.method = q.method,
                  .url = options_.address + "/v1" + q.path,
                  .headers = {{"X-Vault-Request", "true"}},
                  .body = q.body,
                  .correlation_id = a.correlation_id,
                  .stop = a.stop};
  if (!q.token.empty()) r.headers.emplace_back("X-Vault-Token", q.token);
  if (!options_.vault_namespace.empty()) r.headers.emplace_back("X-Vault-Namespace", options_.vault_namespace);
  http::response reply;
  try {
    reply = http::exchange(transport_, r, options_.max_reply, a.context, name_);
  } catch (const http::invalid_request& e) {
    throw a.refused(e.what(), "invalid_request");
  }
  const int status = reply.status;
  if (reply.ok() || std::find(expected.begin(), expected.end(), status) != expected.end()) return reply;
  if (is_standby(status)) {
    throw standby_error(a.context.target + " is a standby, the operation " + a.context.operation + " was not done", a.context,
                        a.correlation_id);
  }
  if (status == 503 && says(reply.body, "sealed")) {
    throw sealed_error(a.context.target + " is sealed, the operation " + a.context.operation + " was not done", a.context,
                       a.correlation_id);
  }
  const bool fails = status >= 500 || (status == 429 && options_.connection.too_many_requests_fail);
  if (fails) throw http::status_error(status);
  if (status >= 400) throw a.refused(meaning(status), std::to_string(status));
  throw http::malformed_reply("the reply is malformed: HTTP status " + std::to_string(status) + " was not expected");
}

std::string write(const adapter::attempt& a, const nlohmann::json& value) {
  try {
    return value.dump();
  } catch (const nlohmann::json::exception&) {
    throw a.refused("a text is not UTF-8", "invalid_request");
  }
}

}  // namespace switchgear::inline v1::vault::detail
