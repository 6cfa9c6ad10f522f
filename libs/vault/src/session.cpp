// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include "replies.hpp"

#include <switchgear/http/exchange.hpp>

#include <nlohmann/json.hpp>

#include <utility>

namespace switchgear::inline v1::vault::detail {

session::session(connection& to, clock& source)
    : connection_(to),
      clock_(source),
      has_role_(to.settings().token.empty() && !to.settings().role_id.empty()),
      token_(to.settings().token) {}

http::response session::ask(const adapter::attempt& a, connection::question q, std::initializer_list<int> expected) {
  held mine = current(a, 0);
  q.token = mine.token;
  if (!has_role_) return connection_.ask(a, q, expected);
  try {
    return connection_.ask(a, q, expected);
  } catch (const refused_error& e) {
    // Vault says the same of a token that is over and of one that may not do this. A new token for the latter would change
    // nothing
    // and leave one more lease behind each time.
    if (e.code() != "403" || mine.fresh || is_valid(a, mine.token)) throw;
  }
  q.token = current(a, mine.generation).token;
  return connection_.ask(a, q, expected);
}

session::held session::current(const adapter::attempt& a, std::uint64_t older_than) {
  if (!has_role_) return {token_, 0, false};
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, a.stop, [&] { return !logging_in_; })) {
      throw cancelled_error(a.context.operation + ": the caller gave up");
    }
    const bool over = expires_ && clock_.now() >= *expires_;
    if (generation_ > older_than && !over) return {token_, generation_, false};
    logging_in_ = true;
  }
  struct at_the_end {
    session& of;
    ~at_the_end() {
      {
        const std::lock_guard lock(of.mutex_);
        of.logging_in_ = false;
      }
      of.changed_.notify_all();
    }
  } const done{*this};
  lease granted;
  std::string token = log_in(a, granted);
  const std::lock_guard lock(mutex_);
  token_ = std::move(token);
  expires_ = end_of(granted);
  return {token_, ++generation_, true};
}

std::string session::log_in(const adapter::attempt& a, lease& granted) {
  const options& o = connection_.settings();
  const auto reply = connection_.ask(a, {.method = "POST",
                                         .path = "/auth/" + http::percent_encode(o.approle_mount, true) + "/login",
                                         .body = write(a, {{"role_id", o.role_id}, {"secret_id", o.secret_id}})});
  grant g = read_login(reply.body);
  granted = g.lease;
  return std::move(g.token);
}

bool session::is_valid(const adapter::attempt& a, const std::string& token) {
  return connection_.ask(a, {.method = "GET", .path = "/auth/token/lookup-self", .token = token}, {403}).status != 403;
}

std::optional<std::chrono::nanoseconds> session::end_of(const lease& l) const {
  if (l.duration.count() == 0) return std::nullopt;
  return clock_.now() + l.duration;
}

void session::renewed(const lease& l) {
  const std::lock_guard lock(mutex_);
  expires_ = end_of(l);
}

}  // namespace switchgear::inline v1::vault::detail
