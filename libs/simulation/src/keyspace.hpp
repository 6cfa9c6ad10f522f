// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "store_value.hpp"

namespace switchgear::inline v1::simulation {

/// The keys of a Redis server and the commands that the script of the fleet uses, with the answers of Redis 7, errors included.
/// Time is told by the caller in the milliseconds of the server's own clock: a key is gone once its time lies in the past.
///
/// What Redis leaves open is fixed here: sets and hashes are listed by name.
class keyspace {
 public:
  struct message {
    std::string channel, text;
  };

  /// Runs one command. `words` has at least one.
  store_value run(std::span<const std::string_view> words, std::int64_t now);

  /// What was published since the last time this was asked.
  [[nodiscard]] std::vector<message> take_messages() { return std::exchange(messages_, {}); }

  void clear() { keys_.clear(); }
  /// Forgets the keys whose time is over; they cannot be seen anyway.
  void sweep(std::int64_t now);
  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

  /// Who listens to what is published; what PUBLISH answers.
  void set_listeners(std::int64_t n) noexcept { listeners_ = n; }

  /// The field of a hash as it is, or an empty text; for those who look from outside.
  [[nodiscard]] std::string field(std::string_view key, std::string_view name, std::int64_t now) const;
  [[nodiscard]] bool exists(std::string_view key, std::int64_t now) const;

 private:
  using hash = std::map<std::string, std::string, std::less<>>;
  using set = std::set<std::string, std::less<>>;
  struct sorted_set {
    std::map<std::string, double, std::less<>> scores;
    std::set<std::pair<double, std::string>> order;
  };
  struct entry {
    std::variant<std::string, hash, set, sorted_set> data;
    std::int64_t ends = -1;  ///< the last millisecond in which it exists; -1: no end
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
  };
  using words_type = std::span<const std::string_view>;
  using handler = store_value (keyspace::*)(words_type, std::int64_t);
  struct command {
    handler run;
    std::size_t least, most;  ///< words, the name included
  };
  static const std::unordered_map<std::string_view, command>& commands();

  entry* find(std::string_view key, std::int64_t now);
  /// The value of a key that may be made; null when the key holds something else.
  template <class T>
  T* make(std::string_view key, std::int64_t now);
  /// The value of a key; null when there is none. `wrong` says that the key holds something else.
  template <class T>
  T* look(std::string_view key, std::int64_t now, bool& wrong);
  void drop_if_empty(std::string_view key);

  store_value get(words_type, std::int64_t now);
  store_value put(words_type, std::int64_t now);
  store_value del(words_type, std::int64_t now);
  store_value exists(words_type, std::int64_t now);
  store_value incr(words_type, std::int64_t now);
  store_value pttl(words_type, std::int64_t now);
  store_value pexpire(words_type, std::int64_t now);
  store_value persist(words_type, std::int64_t now);
  store_value hget(words_type, std::int64_t now);
  store_value hmget(words_type, std::int64_t now);
  store_value hset(words_type, std::int64_t now);
  store_value hdel(words_type, std::int64_t now);
  store_value hgetall(words_type, std::int64_t now);
  store_value hincrby(words_type, std::int64_t now);
  store_value hexists(words_type, std::int64_t now);
  store_value hlen(words_type, std::int64_t now);
  store_value sadd(words_type, std::int64_t now);
  store_value srem(words_type, std::int64_t now);
  store_value smembers(words_type, std::int64_t now);
  store_value scard(words_type, std::int64_t now);
  store_value sismember(words_type, std::int64_t now);
  store_value zadd(words_type, std::int64_t now);
  store_value zrem(words_type, std::int64_t now);
  store_value zscore(words_type, std::int64_t now);
  store_value zcard(words_type, std::int64_t now);
  store_value zcount(words_type, std::int64_t now);
  store_value zrangebyscore(words_type, std::int64_t now);
  store_value zremrangebyscore(words_type, std::int64_t now);
  store_value publish(words_type, std::int64_t now);
  store_value time(words_type, std::int64_t now);

  std::unordered_map<std::string, entry, text_hash, std::equal_to<>> keys_;
  std::vector<message> messages_;
  std::int64_t listeners_ = 0;
};

}  // namespace switchgear::inline v1::simulation
