// SPDX-License-Identifier: Apache-2.0
#include "access.hpp"

#include "text.hpp"

#include <algorithm>
#include <array>

namespace switchgear::inline v1::detail {
namespace {

/// One text for every way to write an address.
std::string name_of(const authority& host) { return host.address ? host.address->to_string() : host.host; }

/// What decides about access or about where a request ends, and so must not be read in two ways.
constexpr std::array only_once{"Host", "Authorization", "Origin", "Sec-Fetch-Site", "Content-Length", "Content-Type"};

bool is_public(const std::vector<std::string>& path) {
  if (path.empty() || path[0] == "assets" || path == std::vector<std::string>{"favicon.ico"}) return true;
  if (path.size() == 1) return path[0] == "healthz" || path[0] == "readyz";
  return path.size() == 3 && path[0] == "api" && path[1] == "v1" && (path[2] == "session" || path[2] == "openapi.json");
}

/// The token of `Bearer TOKEN`; nothing when another scheme is used, which is not for us.
std::optional<std::string_view> bearer_token(const request_head& head) {
  constexpr std::string_view scheme = "Bearer";
  const auto value = head.field("Authorization");
  if (!value || value->size() < scheme.size() || !same_name(value->substr(0, scheme.size()), scheme)) return std::nullopt;
  const std::string_view rest = value->substr(scheme.size());
  if (!rest.empty() && rest[0] != ' ' && rest[0] != '\t') return std::nullopt;
  return trimmed(rest);
}

std::string shown(std::string_view text) { return std::string(text.substr(0, 100)); }

web_answer token_missing(std::string_view what) {
  web_answer a = error_answer(401, "token_missing", std::string(what) + " needs the token: Authorization: Bearer TOKEN");
  a.headers.emplace_back("WWW-Authenticate", "Bearer");
  return a;
}

web_answer too_many_wrong_tokens() {
  web_answer a = error_answer(429, "too_many_attempts", "too many wrong tokens came in; try again in a second");
  a.headers.emplace_back("Retry-After", "1");
  return a;
}

}  // namespace

std::optional<std::string_view> request_head::field(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (same_name(key, name)) return trimmed(value);
  }
  return std::nullopt;
}

access::access(access_rules rules)
    : rules_(std::move(rules)),
      token_(rules_.token),
      on_loopback_(is_loopback(rules_.listen.address)),
      reading_needs_token_(!on_loopback_ && token_.is_set()) {
  rules_.token.clear();
  for (std::string& host : rules_.hosts) {
    if (const auto read = read_authority(host)) host = name_of(*read);
  }
}

std::optional<web_answer> access::refuse_head(const request_head& head) const {
  for (const char* name : only_once) {
    const auto is_it = [&](const auto& field) { return same_name(field.first, name); };
    if (std::count_if(head.fields.begin(), head.fields.end(), is_it) > 1) {
      return error_answer(400, "bad_request", std::string("the header ") + name + " was sent more than once");
    }
  }
  if (head.field("Transfer-Encoding")) {
    return error_answer(400, "bad_request", "a body is taken with Content-Length only, without Transfer-Encoding");
  }
  const auto host = head.field("Host");
  if (!host) {
    if (head.version < 11) return std::nullopt;  // browsers always send one
    return error_answer(400, "bad_request", "the header Host is missing");
  }
  const auto name = read_authority(*host);
  if (!name) return error_answer(400, "bad_request", "the header Host is no name or address");
  if (goes_by(*name)) return std::nullopt;
  return error_answer(421, "unknown_host",
                      "this dashboard does not go by the name " + shown(name->host) + "; if it should, add it to `hosts`");
}

bool access::goes_by(const authority& host) const {
  if (!on_loopback_ && rules_.hosts.empty()) return true;
  if (host.host == "localhost") return true;
  if (host.address && is_loopback(*host.address)) return true;
  // The unspecified address is nobody's name, and some systems take it for loopback.
  if (host.address == rules_.listen.address && !rules_.listen.address.is_unspecified()) return true;
  return std::find(rules_.hosts.begin(), rules_.hosts.end(), name_of(host)) != rules_.hosts.end();
}

bool access::is_foreign(const request_head& head) {
  if (const auto site = head.field("Sec-Fetch-Site"); site && *site != "same-origin" && *site != "none") return true;
  const auto origin = head.field("Origin");
  if (!origin) return false;
  const auto host = head.field("Host");
  const auto name = host ? read_authority(*host) : std::nullopt;
  return !name || !is_same_site(*origin, *name);
}

access_ruling access::judge(const request_head& head, const std::vector<std::string>& path, time_point now) {
  access_ruling ruling;
  const auto given = bearer_token(head);
  ruling.knows_token = given && token_.equals(*given);
  if (given && token_.is_set() && !ruling.knows_token && !wrong_tokens_.take(now)) {
    ruling.refusal = too_many_wrong_tokens();
    return ruling;
  }
  const bool foreign = is_foreign(head);
  ruling.may_act = ruling.knows_token && !foreign && !rules_.read_only;
  const bool acts = head.method != "GET" && head.method != "HEAD";
  if (acts) {
    if (foreign) {
      ruling.refusal = error_answer(403, "foreign_origin", "actions are taken from the dashboard's own page only");
    } else if (rules_.read_only) {
      ruling.refusal = error_answer(403, "read_only", "this dashboard is read-only");
    } else if (!token_.is_set()) {
      ruling.refusal = error_answer(403, "read_only", "nobody can act: this dashboard was started without a token");
    } else if (!given) {
      ruling.refusal = token_missing("an action");
    }
  } else if (reading_needs_token_ && !given && !is_public(path)) {
    ruling.refusal = token_missing("reading");
  }
  if (!ruling.refusal && !ruling.knows_token && given && (acts || (reading_needs_token_ && !is_public(path)))) {
    ruling.refusal = error_answer(403, "token_wrong", "the token is not the one of this dashboard");
  }
  return ruling;
}

}  // namespace switchgear::inline v1::detail
