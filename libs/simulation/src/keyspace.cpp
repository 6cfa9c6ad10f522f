// SPDX-License-Identifier: Apache-2.0
#include "keyspace.hpp"

#include "keyspace_kinds.hpp"

namespace switchgear::inline v1::simulation {

const std::unordered_map<std::string_view, keyspace::command>& keyspace::commands() {
  constexpr std::size_t many = std::size_t(-1);
  using k = keyspace;
  static const std::unordered_map<std::string_view, command> all = {
      {"GET", {&k::get, 2, 2}},
      {"SET", {&k::put, 3, many}},
      {"DEL", {&k::del, 2, many}},
      {"UNLINK", {&k::del, 2, many}},
      {"EXISTS", {&k::exists, 2, many}},
      {"INCR", {&k::incr, 2, 2}},
      {"INCRBY", {&k::incr, 3, 3}},
      {"PTTL", {&k::pttl, 2, 2}},
      {"PEXPIRE", {&k::pexpire, 3, 3}},
      {"PERSIST", {&k::persist, 2, 2}},
      {"HGET", {&k::hget, 3, 3}},
      {"HMGET", {&k::hmget, 3, many}},
      {"HSET", {&k::hset, 4, many}},
      {"HDEL", {&k::hdel, 3, many}},
      {"HGETALL", {&k::hgetall, 2, 2}},
      {"HINCRBY", {&k::hincrby, 4, 4}},
      {"HEXISTS", {&k::hexists, 3, 3}},
      {"HLEN", {&k::hlen, 2, 2}},
      {"SADD", {&k::sadd, 3, many}},
      {"SREM", {&k::srem, 3, many}},
      {"SMEMBERS", {&k::smembers, 2, 2}},
      {"SCARD", {&k::scard, 2, 2}},
      {"SISMEMBER", {&k::sismember, 3, 3}},
      {"ZADD", {&k::zadd, 4, many}},
      {"ZREM", {&k::zrem, 3, many}},
      {"ZSCORE", {&k::zscore, 3, 3}},
      {"ZCARD", {&k::zcard, 2, 2}},
      {"ZCOUNT", {&k::zcount, 4, 4}},
      {"ZRANGEBYSCORE", {&k::zrangebyscore, 4, many}},
      {"ZREMRANGEBYSCORE", {&k::zremrangebyscore, 4, 4}},
      {"PUBLISH", {&k::publish, 3, 3}},
      {"TIME", {&k::time, 1, 1}},
  };
  return all;
}

store_value keyspace::run(std::span<const std::string_view> words, std::int64_t now) {
  const auto& known = commands();
  auto at = known.find(words[0]);
  if (at == known.end()) {
    std::string upper(words[0]);
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    at = known.find(upper);
    if (at == known.end()) return store_value::problem("ERR unknown command '" + std::string(words[0]) + "'");
  }
  const command& c = at->second;
  if (words.size() < c.least || words.size() > c.most) {
    std::string lower(words[0]);
    for (char& letter : lower) letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
    return store_value::problem("ERR wrong number of arguments for '" + lower + "' command");
  }
  return (this->*c.run)(words, now);
}

void keyspace::sweep(std::int64_t now) {
  std::erase_if(keys_, [&](const auto& item) { return item.second.ends >= 0 && now > item.second.ends; });
}

keyspace::entry* keyspace::find(std::string_view key, std::int64_t now) {
  const auto at = keys_.find(key);
  if (at == keys_.end()) return nullptr;
  if (at->second.ends >= 0 && now > at->second.ends) {
    keys_.erase(at);
    return nullptr;
  }
  return &at->second;
}

std::string keyspace::field(std::string_view key, std::string_view name, std::int64_t now) const {
  const auto at = keys_.find(key);
  if (at == keys_.end() || (at->second.ends >= 0 && now > at->second.ends)) return {};
  const auto* const h = std::get_if<hash>(&at->second.data);
  if (h == nullptr) return {};
  const auto value = h->find(name);
  return value == h->end() ? std::string() : value->second;
}

bool keyspace::exists(std::string_view key, std::int64_t now) const {
  const auto at = keys_.find(key);
  return at != keys_.end() && (at->second.ends < 0 || now <= at->second.ends);
}

void keyspace::drop_if_empty(std::string_view key) {
  const auto at = keys_.find(key);
  if (at == keys_.end()) return;
  const auto& data = at->second.data;
  const auto* const h = std::get_if<hash>(&data);
  const auto* const s = std::get_if<set>(&data);
  const auto* const z = std::get_if<sorted_set>(&data);
  if ((h != nullptr && h->empty()) || (s != nullptr && s->empty()) || (z != nullptr && z->order.empty())) keys_.erase(at);
}

// --- any key ---

store_value keyspace::get(words_type w, std::int64_t now) {
  bool wrong = false;
  const auto* const s = look<std::string>(w[1], now, wrong);
  if (wrong) return answers::wrong_type();
  return s == nullptr ? store_value{} : store_value::of(*s);
}

store_value keyspace::put(words_type w, std::int64_t now) {
  std::int64_t ends = -1;
  bool only_new = false;
  bool only_old = false;
  bool keep = false;
  for (std::size_t i = 3; i < w.size(); ++i) {
    if (same_word(w[i], "NX") && !only_old) {
      only_new = true;
    } else if (same_word(w[i], "XX") && !only_new) {
      only_old = true;
    } else if (same_word(w[i], "KEEPTTL") && ends < 0) {
      keep = true;
    } else if ((same_word(w[i], "PX") || same_word(w[i], "EX")) && i + 1 < w.size() && ends < 0 && !keep) {
      const auto lasts = whole_number(w[i + 1]);
      if (!lasts) return answers::no_integer();
      if (*lasts <= 0) return store_value::problem("ERR invalid expire time in 'set' command");
      ends = now + (same_word(w[i], "EX") ? *lasts * 1000 : *lasts);
      ++i;
    } else {
      return answers::syntax();
    }
  }
  entry* const old = find(w[1], now);
  if ((only_new && old != nullptr) || (only_old && old == nullptr)) return {};
  if (old == nullptr) {
    keys_.emplace(std::string(w[1]), entry{std::string(w[2]), ends});
  } else {
    old->data = std::string(w[2]);
    if (!keep) old->ends = ends;
  }
  return store_value::ok();
}

store_value keyspace::del(words_type w, std::int64_t now) {
  std::int64_t gone = 0;
  for (const auto key : w.subspan(1)) {
    if (find(key, now) == nullptr) continue;
    keys_.erase(keys_.find(key));
    ++gone;
  }
  return store_value::of(gone);
}

store_value keyspace::exists(words_type w, std::int64_t now) {
  std::int64_t there = 0;
  for (const auto key : w.subspan(1)) there += find(key, now) != nullptr ? 1 : 0;
  return store_value::of(there);
}

store_value keyspace::incr(words_type w, std::int64_t now) {
  const auto by = w.size() == 3 ? whole_number(w[2]) : 1;
  if (!by) return answers::no_integer();
  bool wrong = false;
  const auto* const old = look<std::string>(w[1], now, wrong);
  if (wrong) return answers::wrong_type();
  const auto before = old == nullptr ? 0 : whole_number(*old);
  if (!before) return answers::no_integer();
  *make<std::string>(w[1], now) = std::to_string(*before + *by);
  return store_value::of(*before + *by);
}

store_value keyspace::pttl(words_type w, std::int64_t now) {
  const entry* const e = find(w[1], now);
  if (e == nullptr) return store_value::of(-2);
  return store_value::of(e->ends < 0 ? -1 : e->ends - now);
}

store_value keyspace::pexpire(words_type w, std::int64_t now) {
  const auto lasts = whole_number(w[2]);
  if (!lasts) return answers::no_integer();
  entry* const e = find(w[1], now);
  if (e == nullptr) return store_value::of(0);
  if (*lasts <= 0) {
    keys_.erase(keys_.find(w[1]));
  } else {
    e->ends = now + *lasts;
  }
  return store_value::of(1);
}

store_value keyspace::persist(words_type w, std::int64_t now) {
  entry* const e = find(w[1], now);
  if (e == nullptr || e->ends < 0) return store_value::of(0);
  e->ends = -1;
  return store_value::of(1);
}

// --- hashes ---

store_value keyspace::hget(words_type w, std::int64_t now) {
  bool wrong = false;
  const auto* const h = look<hash>(w[1], now, wrong);
  if (wrong) return answers::wrong_type();
  if (h == nullptr) return {};
  const auto at = h->find(w[2]);
  return at == h->end() ? store_value{} : store_value::of(at->second);
}

store_value keyspace::hmget(words_type w, std::int64_t now) {
  bool wrong = false;
  const auto* const h = look<hash>(w[1], now, wrong);
  if (wrong) return answers::wrong_type();
  store_value out = store_value::list();
  for (const auto name : w.subspan(2)) {
    const bool there = h != nullptr && h->contains(name);
    out.items.push_back(there ? store_value::of(h->find(name)->second) : store_value{});
  }
  return out;
}

store_value keyspace::hset(words_type w, std::int64_t now) {
  if (w.size() % 2 != 0) return store_value::problem("ERR wrong number of arguments for 'hset' command");
  auto* const h = make<hash>(w[1], now);
  if (h == nullptr) return answers::wrong_type();
  std::int64_t made = 0;
  for (std::size_t i = 2; i < w.size(); i += 2) {
    const auto at = h->find(w[i]);
    if (at == h->end()) {
      h->emplace(std::string(w[i]), std::string(w[i + 1]));
      ++made;
    } else {
      at->second = w[i + 1];
    }
  }
  return store_value::of(made);
}

store_value keyspace::hdel(words_type w, std::int64_t now) {
  bool wrong = false;
  auto* const h = look<hash>(w[1], now, wrong);
  if (wrong) return answers::wrong_type();
  std::int64_t gone = 0;
  for (const auto name : w.subspan(2)) {
    const auto at = h == nullptr ? hash::iterator() : h->find(name);
    if (h == nullptr || at == h->end()) continue;
    h->erase(at);
    ++gone;
  }
  drop_if_empty(w[1]);
  return store_value::of(gone);
}

store_value keyspace::hgetall(words_type w, std::int64_t now) {
  bool wrong = false;
  const auto* const h = look<hash>(w[1], now, wrong);
  if (wrong) return answers::wrong_type();
  store_value out = store_value::list();
  if (h == nullptr) return out;
  for (const auto& [name, value] : *h) {
    out.items.push_back(store_value::of(name));
    out.items.push_back(store_value::of(value));
  }
  return out;
}

store_value keyspace::hincrby(words_type w, std::int64_t now) {
  const auto by = whole_number(w[3]);
  if (!by) return answers::no_integer();
  auto* const h = make<hash>(w[1], now);
  if (h == nullptr) return answers::wrong_type();
  const auto at = h->find(w[2]);
  const auto before = at == h->end() ? 0 : whole_number(at->second);
  if (!before) return store_value::problem("ERR hash value is not an integer");
  (*h)[std::string(w[2])] = std::to_string(*before + *by);
  return store_value::of(*before + *by);
}

store_value keyspace::hexists(words_type w, std::int64_t now) {
  bool wrong = false;
  const auto* const h = look<hash>(w[1], now, wrong);
  if (wrong) return answers::wrong_type();
  return store_value::of(h != nullptr && h->contains(w[2]) ? 1 : 0);
}

store_value keyspace::hlen(words_type w, std::int64_t now) {
  bool wrong = false;
  const auto* const h = look<hash>(w[1], now, wrong);
  if (wrong) return answers::wrong_type();
  return store_value::of(h == nullptr ? 0 : static_cast<std::int64_t>(h->size()));
}

}  // namespace switchgear::inline v1::simulation
