// SPDX-License-Identifier: Apache-2.0
#include "redis_bus_subscriber.hpp"

#include <charconv>
#include <utility>

namespace switchgear::inline v1::detail {
namespace {

/// How much is read at a time.
constexpr std::string_view page = "500";

// The second of every pair in a list of fields: of an entry, the value of `name`.
const std::string* field(const redis::reply& list, std::string_view name) {
  for (std::size_t i = 0; i + 1 < list.elements.size(); i += 2) {
    if (list.elements[i].text == name) return &list.elements[i + 1].text;
  }
  return nullptr;
}

std::string server_time(redis_link& from) {
  const redis::reply r = from.ask({"TIME"});
  std::uint64_t seconds = 0, microseconds = 0;
  const auto read = [](const std::string& text, std::uint64_t& into) {
    return std::from_chars(text.data(), text.data() + text.size(), into).ec == std::errc();
  };
  if (r.elements.size() != 2 || !read(r.elements[0].text, seconds) || !read(r.elements[1].text, microseconds)) {
    throw redis::io_error("the server does not know the time");
  }
  return std::to_string(seconds * 1000 + microseconds / 1000);
}

redis::reply living(redis_link& from, const std::string& members) {
  const std::string now = server_time(from);
  return from.ask({"ZRANGEBYSCORE", members, now, "+inf"});
}

std::string newest_entry(redis_link& from, const std::string& stream) {
  const redis::reply last = from.ask({"XREVRANGE", stream, "+", "-", "COUNT", "1"});
  const bool any = !last.elements.empty() && !last.elements[0].elements.empty();
  return any ? last.elements[0].elements[0].text : "0-0";
}

}  // namespace

void redis_subscriber::catch_up(bool with_present) {
  redis_link from(shared_->options.server, *waker_, stop_);
  if (position_.empty()) {
    position_ = newest_entry(from, shared_->names.stream);
  } else {
    replay(from);
  }
  if (with_present) tell_present(from);
}

void redis_subscriber::replay(redis_link& from) {
  // Up to what there is now: others may write as quickly as this reads.
  const std::string end = newest_entry(from, shared_->names.stream);
  for (;;) {
    const std::string after = "(" + position_;
    const redis::reply entries = from.ask({"XRANGE", shared_->names.stream, after, end, "COUNT", page});
    for (const redis::reply& entry : entries.elements) {
      if (entry.elements.size() != 2) throw redis::io_error("the server answers what it was not asked");
      if (const std::string* json = field(entry.elements[1], "event")) deliver(*json, false);
      position_ = entry.elements[0].text;
    }
    if (entries.elements.empty()) return;
  }
}

void redis_subscriber::tell_present(redis_link& from) {
  const redis::reply members = living(from, shared_->names.members);
  for (const redis::reply& member : members.elements) {
    const std::string hash = shared_->names.circuits + member.text;
    std::string cursor = "0";
    do {
      const redis::reply part = from.ask({"HSCAN", hash, cursor, "COUNT", page});
      if (part.elements.size() != 2) throw redis::io_error("the server answers what it was not asked");
      cursor = part.elements[0].text;
      replay(from);
      const auto& circuits = part.elements[1].elements;
      for (std::size_t i = 1; i < circuits.size(); i += 2) {
        const std::string_view value = circuits[i].text;
        deliver(value.substr(std::min(value.find(' '), value.size() - 1) + 1), true);
      }
    } while (cursor != "0");
  }
  shared_->receivers->complete();
}

// A process that ended while the server was away, or before it was emptied, is in no list of those who were silent for too long.
void redis_subscriber::forget_the_lost() {
  retold_at_.reset();
  redis_link from(shared_->options.server, *waker_, stop_);
  std::unordered_set<std::string> there;
  const redis::reply members = living(from, shared_->names.members);
  for (const redis::reply& member : members.elements) {
    redis::reply keys = from.ask({"HKEYS", shared_->names.circuits + member.text});
    for (redis::reply& key : keys.elements) there.insert(std::move(key.text));
  }
  std::erase_if(heard_of_, [&](const std::string& key) {
    if (there.contains(key)) return false;
    shared_->receivers->forget(key);
    return true;
  });
}

}  // namespace switchgear::inline v1::detail
