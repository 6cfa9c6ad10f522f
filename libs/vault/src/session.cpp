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

http::response session::ask(const adapter::attempt& a, connection::question q, std::initializer_list<int> expected,
                            std::uint64_t* used) {
  const held mine = current(a, 0);
  if (used != nullptr) *used = mine.generation;
  q.token = mine.token;
  if (!has_role_) return connection_.ask(a, q, expected);
  try {
    return connection_.ask(a, q, expected);
  } catch (const refused_error& e) {
    // Vault says the same of a token that is over and of one that may not do this. A new token for the latter would change
    // nothing and leave one more lease behind each time.
    if (e.code() != "403" || mine.fresh || is_valid(a, mine.token)) throw;
  }
  const held newer = current(a, mine.generation);
  if (used != nullptr) *used = newer.generation;
  q.token = newer.token;
  return connection_.ask(a, q, expected);
}

session::held session::current(const adapter::attempt& a, std::uint64_t older_than) {
  if (!has_role_) return {token_, 0, false};
  {
    std::unique_lock lock(mutex_);
    wait_for_login(lock, a);
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

void session::wait_for_login(std::unique_lock<std::mutex>& lock, const adapter::attempt& a) {
  const std::chrono::nanoseconds limit = connection_.settings().connection.timeout;
  const auto done = [&] { return !logging_in_; };
  if (limit.count() == 0 ? changed_.wait(lock, a.stop, done) : changed_.wait_for(lock, a.stop, limit, done)) return;
  if (a.stop.stop_requested()) throw cancelled_error(a.context.operation + ": the caller gave up");
  http::throw_timeout(a.context.target, limit, "no login in time", a.context, a.correlation_id);
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

void session::renewed(std::uint64_t token, const lease& l) {
  const std::lock_guard lock(mutex_);
  if (token == generation_) expires_ = end_of(l);
}

}  // namespace switchgear::inline v1::vault::detail
