// SPDX-License-Identifier: Apache-2.0
#include <switchgear/redis/client.hpp>

#include "command_check.hpp"
#include "evidence.hpp"
#include "pool.hpp"

#include <switchgear/detail/validation.hpp>

#include <algorithm>
#include <array>

namespace switchgear::inline v1::redis {
namespace {

using namespace std::chrono_literals;
using detail::pool;

using view_list = std::vector<std::string_view>;

options checked(options o) {
  switchgear::detail::require_no(o.validate());
  return o;
}
client_options checked(client_options o) {
  switchgear::detail::require_no(o.validate());
  return o;
}

std::string milliseconds(std::chrono::nanoseconds time_to_live) {
  if (time_to_live <= 0ns) {
    throw config_error({{.key = "time_to_live", .value = format_duration(time_to_live), .allowed = "more than 0",
                         .message = "the value would be gone at once"}});
  }
  return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(time_to_live).count());
}

struct raise {
  const detail::wake_event& event;
  void operator()() const noexcept { event.raise(); }
};

std::optional<std::string> text_of(reply r) {
  if (r.is_nil()) return std::nullopt;
  return std::move(r.text);
}

}  // namespace

std::vector<problem> client_options::validate() const {
  switchgear::detail::validation v;
  v.in_range("max_connections", max_connections, 1, 1024);
  v.in_range("pool_timeout", pool_timeout, 0ns, switchgear::detail::a_day);
  return v.take();
}

struct client::state {
  state(options s, client_options o)
      : server(checked(std::move(s))),
        limits(checked(std::move(o))),
        guarded("redis", target_of(server), limits.guard, rules()),
        lines(guarded.target(), limits.max_connections, limits.pool_timeout) {}

  // One round trip: opens a connection if need be, sends everything, reads as many replies.
  std::vector<reply> exchange(const adapter::attempt& a, std::span<const view_list> commands) {
    pool::lease out = lines.take(a.stop);
    pool::line& line = *out;
    std::optional<std::stop_callback<raise>> on_stop(std::in_place, a.stop, raise{line.wake});
    const int wake_fd = line.wake.descriptor();
    if (!line.peer) line.peer = connection::open(server, wake_fd);
    if (!line.peer) throw cancelled_error(guarded.target() + ": asked to stop while connecting");

    for (const view_list& words : commands) line.peer->append(words);
    std::vector<reply> replies;
    replies.reserve(commands.size());
    const std::chrono::nanoseconds limit = server.timeout == 0ns ? switchgear::detail::a_day : server.timeout;
    bool in_trouble = false;
    while (replies.size() < commands.size()) {
      std::optional<reply> r = line.peer->poll(limit, wake_fd);
      if (!r && a.stop.stop_requested()) throw cancelled_error(guarded.target() + ": asked to stop while waiting for a reply");
      if (!r) throw io_timeout("no reply within " + format_duration(limit));
      in_trouble = in_trouble || (r->is_error() && detail::is_evidence(r->error_code(), r->text));
      replies.push_back(*std::move(r));
    }
    on_stop.reset();  // from here nobody raises the event, and the line may go to somebody else
    if (a.stop.stop_requested()) line.wake.clear();
    // A server in trouble is looked up anew for the next call: after a fail-over the name may lead to another one.
    if (!in_trouble) out.keep();
    return replies;
  }

  // The server's errors as exceptions.
  reply only_one(const adapter::attempt& a, std::span<const view_list> commands) {
    try {
      reply r = std::move(exchange(a, commands).front());
      if (r.is_error()) throw describe_error(r, commands.front().front());
      return r;
    } catch (const server_error& e) {
      if (detail::is_evidence(e.code(), e.what())) throw;
      throw a.refused(a.context.operation + " " + guarded.target() + ": " + e.what(), e.code());
    }
  }

  template <class F>
  std::invoke_result_t<F&, const adapter::attempt&> guard(const std::string& name, const operation_options& o, repeatable r,
                                                          F f) {
    const std::string failed = "Failed to run " + name + " on " + guarded.target();
    return r == repeatable::yes ? guarded.repeat(name, failed, o, f) : guarded.run(name, failed, o, f);
  }

  reply command(std::span<const std::string_view> words, const operation_options& o, repeatable r) {
    detail::command_check check;
    check.see(words.empty() ? std::string_view() : words[0], words.size() < 2 ? std::string_view() : words[1]);
    check.end();
    const std::array<view_list, 1> commands{view_list(words.begin(), words.end())};
    return guard(detail::shown_name(words[0]), o, r, [&](const adapter::attempt& a) { return only_one(a, commands); });
  }
  reply command(std::initializer_list<std::string_view> words, const operation_options& o, repeatable r) {
    return command(std::span<const std::string_view>(words.begin(), words.size()), o, r);
  }

  const options server;
  const client_options limits;
  const adapter guarded;
  pool lines;
};

client::client(options server, client_options o) : state_(std::make_unique<state>(std::move(server), std::move(o))) {}
client::~client() = default;

reply client::command(std::span<const std::string_view> words, const operation_options& o, repeatable r) {
  return state_->command(words, o, r);
}
reply client::command(std::initializer_list<std::string_view> words, const operation_options& o, repeatable r) {
  return state_->command(words, o, r);
}

std::vector<reply> client::pipeline(std::span<const words> commands, const operation_options& o, repeatable r) {
  if (commands.empty()) return {};
  detail::command_check check;
  std::vector<view_list> views;
  views.reserve(commands.size());
  for (const words& w : commands) {
    check.see(w.empty() ? std::string_view() : w[0], w.size() < 2 ? std::string_view() : w[1]);
    views.emplace_back(w.begin(), w.end());
  }
  check.end();
  return state_->guard("pipeline", o, r, [&](const adapter::attempt& a) {
    try {
      return state_->exchange(a, views);
    } catch (const server_error& e) {  // on the way to the first command
      if (detail::is_evidence(e.code(), e.what())) throw;
      throw a.refused("pipeline " + target() + ": " + e.what(), e.code());
    }
  });
}

std::optional<std::string> client::get(std::string_view key, const operation_options& o) {
  return text_of(state_->command({"GET", key}, o, repeatable::yes));
}

bool client::set(std::string_view key, std::string_view value, const set_options& s, const operation_options& o) {
  view_list words{"SET", key, value};
  std::string time;
  if (s.time_to_live) {
    time = milliseconds(*s.time_to_live);
    words.insert(words.end(), {"PX", time});
  }
  if (s.only_if_absent) words.push_back("NX");
  return !state_->command(words, o, repeatable::no).is_nil();
}

bool client::del(std::string_view key, const operation_options& o) {
  return state_->command({"DEL", key}, o, repeatable::no).integer != 0;
}

std::int64_t client::incr(std::string_view key, std::int64_t by, const operation_options& o) {
  return state_->command({"INCRBY", key, std::to_string(by)}, o, repeatable::no).integer;
}

bool client::expire(std::string_view key, std::chrono::nanoseconds time_to_live, const operation_options& o) {
  return state_->command({"PEXPIRE", key, milliseconds(time_to_live)}, o, repeatable::no).integer != 0;
}

std::optional<std::string> client::hget(std::string_view key, std::string_view field, const operation_options& o) {
  return text_of(state_->command({"HGET", key, field}, o, repeatable::yes));
}

bool client::hset(std::string_view key, std::string_view field, std::string_view value, const operation_options& o) {
  return state_->command({"HSET", key, field, value}, o, repeatable::no).integer != 0;
}

reply client::eval(std::string_view script, std::span<const std::string_view> keys, std::span<const std::string_view> arguments,
                   const operation_options& o) {
  const std::string count = std::to_string(keys.size());
  view_list words{"EVAL", script, count};
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  return state_->command(words, o, repeatable::no);
}

void client::ping(const operation_options& o) { (void)state_->command({"PING"}, o, repeatable::yes); }

circuit_breaker& client::breaker() const noexcept { return state_->guarded.breaker(); }
const std::string& client::target() const noexcept { return state_->guarded.target(); }
client::pool_state client::connections() const { return state_->lines.state(); }

}  // namespace switchgear::inline v1::redis
