// SPDX-License-Identifier: Apache-2.0
#include <switchgear/fleet/operators.hpp>

#include "decisions.hpp"
#include "script.hpp"

#include <switchgear/bus_url.hpp>
#include <switchgear/detail/validation.hpp>
#include <switchgear/fleet/options.hpp>
#include <switchgear/redis/connection.hpp>

#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <utility>

namespace switchgear::inline v1::fleet {
namespace {

using namespace std::chrono_literals;
using nanoseconds = std::chrono::nanoseconds;

/// Of one answer.
constexpr std::size_t most_records = 1000;
constexpr std::uint64_t most_items = 1'000'000;

redis::options server_of(const std::string& url, const std::string& name, nanoseconds timeout) {
  switchgear::detail::require_no(options{.url = url, .name = name}.validate());
  switchgear::detail::validation v;
  v.in_range("timeout", timeout, nanoseconds(1ms), nanoseconds(1min));
  switchgear::detail::require_no(v.take());
  redis::options o = redis::options_of(parse_bus_url(url));
  o.connect_timeout = o.timeout = timeout;
  return o;
}

void require_name(std::string_view circuit) {
  if (const auto wrong = validate_name(circuit)) throw config_error({*wrong});
}

[[noreturn]] void throw_nonsense(std::string_view operation) {
  throw redis::io_error("the answer of the store to `" + std::string(operation) + "` makes no sense");
}

}  // namespace

std::optional<std::vector<instance_view>> read_views(const reply& texts) {
  reply_reader rest(texts);
  if (!rest.head()) return std::nullopt;
  const auto count = rest.number(most_items);
  std::vector<instance_view> out;
  for (std::uint64_t i = 0; count && i < *count; ++i) {
    const auto instance = rest.line(), json = rest.line();
    if (!instance || !json) return std::nullopt;
    if (auto view = read_view(*instance, *json)) out.push_back(std::move(*view));
  }
  if (!rest.complete()) return std::nullopt;
  std::sort(out.begin(), out.end(), [](const instance_view& a, const instance_view& b) { return a.instance < b.instance; });
  return out;
}

struct control::parts {
  parts(const std::string& url, std::string fleet, nanoseconds timeout)
      : server(server_of(url, fleet, timeout)), name(std::move(fleet)), instance("operator/" + std::to_string(::getpid())) {}

  /// Twice when the connection breaks: it may have been dead for hours.
  reply run(const std::vector<std::string>& arguments) {
    const std::lock_guard lock(mutex);
    const bool had_connection = connection.has_value();
    try {
      return run_once(arguments);
    } catch (const redis::io_timeout&) {
      connection.reset();
      throw;
    } catch (const redis::io_error&) {
      connection.reset();
      if (!had_connection) throw;
    }
    try {
      return run_once(arguments);
    } catch (const redis::io_error&) {
      connection.reset();
      throw;
    }
  }

  reply run_once(const std::vector<std::string>& arguments) {
    if (!connection) connection.emplace(redis::connection::open(server));
    std::vector<std::string_view> words{"EVAL", script_text(), "0"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    redis::reply got = connection->command(words);
    reply texts;
    for (redis::reply& element : got.elements) texts.push_back(std::move(element.text));
    return texts;
  }

  reply read(std::string_view operation, std::vector<std::string> rest) {
    return run(reading(operation, name, instance, std::move(rest)));
  }

  const redis::options server;
  const std::string name;
  const std::string instance;
  std::mutex mutex;
  std::optional<redis::connection> connection;
};

control::control(std::string url, std::string name, nanoseconds timeout)
    : parts_(std::make_unique<parts>(url, std::move(name), timeout)) {}
control::~control() = default;

std::vector<decision> control::records() {
  std::vector<decision> all;
  for (std::string version = "0";;) {
    const reply texts = parts_->read("records", {version, std::to_string(most_records)});
    reply_reader rest(texts);
    const auto head = rest.head();
    const auto count = rest.number(most_records);
    for (std::uint64_t i = 0; head && count && i < *count; ++i) {
      const auto r = rest.next_record();
      if (!r) break;
      all.push_back(decision_of(*r));
    }
    if (!rest.complete()) throw_nonsense("records");
    if (head->status != status::more) return all;
    version = std::to_string(head->version);
  }
}

decision control::record_of(std::string_view circuit) {
  require_name(circuit);
  const reply texts = parts_->read("record", {std::string(circuit)});
  reply_reader rest(texts);
  const auto head = rest.head();
  const auto r = rest.next_record();
  if (!head || !r || !rest.complete()) throw_nonsense("record");
  return decision_of(*r);
}

std::vector<std::string> control::members() {
  const reply texts = parts_->read("members", {});
  reply_reader rest(texts);
  const auto head = rest.head();
  const auto count = rest.number(most_items);
  std::vector<std::string> all;
  for (std::uint64_t i = 0; head && count && i < *count; ++i) {
    auto instance = rest.line();
    if (!instance) break;
    all.push_back(std::move(*instance));
  }
  if (!rest.complete()) throw_nonsense("members");
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<instance_view> control::views(std::string_view circuit) {
  require_name(circuit);
  auto all = read_views(parts_->read("views", {std::string(circuit)}));
  if (!all) throw_nonsense("views");
  return std::move(*all);
}

decision control::operate(std::string_view circuit, operator_action action, std::string_view owner, std::string_view reason,
                          std::optional<nanoseconds> ttl) {
  require_name(circuit);
  if (ttl) {
    switchgear::detail::validation v;
    v.in_range("ttl", *ttl, nanoseconds(1ms), nanoseconds(most_time));
    switchgear::detail::require_no(v.take());
  }
  const bool ends = ttl && action != operator_action::close;
  const std::string life = ends ? std::to_string(std::chrono::ceil<std::chrono::milliseconds>(*ttl).count()) : "-1";
  // A store that has to be made for this is kept, and does without leases, as long as that of a fleet with the default options.
  const options usual;
  const auto ms = [](nanoseconds d) { return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()); };
  const reply texts = parts_->run({"operate", parts_->name, "", make_uuid(), ms(usual.keep),
                                   ms(2 * (usual.exchange_every + usual.patience)), parts_->instance, std::string(circuit),
                                   make_uuid(), std::string(to_string(state_after(action))), life, one_line(owner),
                                   one_line(reason)});
  reply_reader rest(texts);
  const auto head = rest.head();
  const auto r = rest.next_record();
  if (!head || !r || !rest.complete()) throw_nonsense("operate");
  return decision_of(*r);
}

}  // namespace switchgear::inline v1::fleet
