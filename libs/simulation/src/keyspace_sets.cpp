// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "keyspace.hpp"
#include "keyspace_kinds.hpp"

namespace switchgear::inline v1::simulation {
namespace {

/// One end of a range of scores: `5`, `(5`, `-inf`, `+inf`.
struct end_of_range {
  double score = 0;
  bool open = false;
};

std::optional<end_of_range> read_end(std::string_view text) {
  end_of_range out;
  if (text.starts_with("(")) {
    out.open = true;
    text.remove_prefix(1);
  }
  const auto score = real_number(text);
  if (!score) return std::nullopt;
  out.score = *score;
  return out;
}

bool above(double score, const end_of_range& low) { return low.open ? score > low.score : score >= low.score; }
bool below(double score, const end_of_range& high) { return high.open ? score < high.score : score <= high.score; }

store_value no_range() { return store_value::problem("ERR min or max is not a float"); }

}  // namespace

store_value keyspace::sadd(words_type w, std::int64_t now) {
  auto* const s = make<set>(w[1], now);
  if (s == nullptr) return answers::wrong_type();
  std::int64_t made = 0;
  for (const auto item : w.subspan(2)) {
    if (s->contains(item)) continue;
    s->emplace(item);
    ++made;
  }
  return store_value::of(made);
}

store_value keyspace::srem(words_type w, std::int64_t now) {
  bool wrong = false;
  auto* const s = look<set>(w[1], now, wrong);
  if (wrong) return answers::wrong_type();
  std::int64_t gone = 0;
  for (const auto item : w.subspan(2)) {
    const auto at = s == nullptr ? set::iterator() : s->find(item);
    if (s == nullptr || at == s->end()) continue;
    s->erase(at);
    ++gone;
  }
  drop_if_empty(w[1]);
  return store_value::of(gone);
}

store_value keyspace::smembers(words_type w, std::int64_t now) {
  bool wrong = false;
  const auto* const s = look<set>(w[1], now, wrong);
  if (wrong) return answers::wrong_type();
  store_value out = store_value::list();
  if (s == nullptr) return out;
  for (const auto& item : *s) out.items.push_back(store_value::of(item));
  return out;
}

store_value keyspace::scard(words_type w, std::int64_t now) {
  bool wrong = false;
  const auto* const s = look<set>(w[1], now, wrong);
  if (wrong) return answers::wrong_type();
  return store_value::of(s == nullptr ? 0 : static_cast<std::int64_t>(s->size()));
}

store_value keyspace::sismember(words_type w, std::int64_t now) {
  bool wrong = false;
  const auto* const s = look<set>(w[1], now, wrong);
  if (wrong) return answers::wrong_type();
  return store_value::of(s != nullptr && s->contains(w[2]) ? 1 : 0);
}

store_value keyspace::zadd(words_type w, std::int64_t now) {
  if (w.size() % 2 != 0) return answers::syntax();
  for (std::size_t i = 2; i < w.size(); i += 2) {
    if (!real_number(w[i])) return answers::no_float();
  }
  auto* const z = make<sorted_set>(w[1], now);
  if (z == nullptr) return answers::wrong_type();
  std::int64_t made = 0;
  for (std::size_t i = 2; i < w.size(); i += 2) {
    const double score = *real_number(w[i]);
    const auto [at, is_new] = z->scores.try_emplace(std::string(w[i + 1]), score);
    if (is_new) {
      ++made;
    } else {
      z->order.erase({at->second, at->first});
      at->second = score;
    }
    z->order.emplace(score, at->first);
  }
  return store_value::of(made);
}

store_value keyspace::zrem(words_type w, std::int64_t now) {
  bool wrong = false;
  auto* const z = look<sorted_set>(w[1], now, wrong);
  if (wrong) return answers::wrong_type();
  std::int64_t gone = 0;
  for (const auto item : w.subspan(2)) {
    if (z == nullptr) break;
    const auto at = z->scores.find(item);
    if (at == z->scores.end()) continue;
    z->order.erase({at->second, at->first});
    z->scores.erase(at);
    ++gone;
  }
  drop_if_empty(w[1]);
  return store_value::of(gone);
}

store_value keyspace::zscore(words_type w, std::int64_t now) {
  bool wrong = false;
  const auto* const z = look<sorted_set>(w[1], now, wrong);
  if (wrong) return answers::wrong_type();
  if (z == nullptr) return {};
  const auto at = z->scores.find(w[2]);
  return at == z->scores.end() ? store_value{} : store_value::of(score_text(at->second));
}

store_value keyspace::zcard(words_type w, std::int64_t now) {
  bool wrong = false;
  const auto* const z = look<sorted_set>(w[1], now, wrong);
  if (wrong) return answers::wrong_type();
  return store_value::of(z == nullptr ? 0 : static_cast<std::int64_t>(z->order.size()));
}

store_value keyspace::zcount(words_type w, std::int64_t now) {
  const store_value found = zrangebyscore(w, now);
  return found.is == store_value::kind::array ? store_value::of(static_cast<std::int64_t>(found.items.size())) : found;
}

store_value keyspace::zrangebyscore(words_type w, std::int64_t now) {
  const auto low = read_end(w[2]);
  const auto high = read_end(w[3]);
  if (!low || !high) return no_range();
  bool with_scores = false;
  std::int64_t skip = 0;
  std::int64_t most = -1;
  for (std::size_t i = 4; i < w.size(); ++i) {
    if (same_word(w[i], "WITHSCORES")) {
      with_scores = true;
    } else if (same_word(w[i], "LIMIT") && i + 2 < w.size()) {
      const auto from = whole_number(w[i + 1]);
      const auto count = whole_number(w[i + 2]);
      if (!from || !count) return answers::no_integer();
      skip = *from;
      most = *count;
      i += 2;
    } else {
      return answers::syntax();
    }
  }
  bool wrong = false;
  const auto* const z = look<sorted_set>(w[1], now, wrong);
  if (wrong) return answers::wrong_type();
  store_value out = store_value::list();
  if (z == nullptr || skip < 0) return out;
  for (auto at = z->order.lower_bound({low->score, std::string()}); at != z->order.end() && below(at->first, *high); ++at) {
    if (!above(at->first, *low)) continue;
    if (skip-- > 0) continue;
    if (most-- == 0) break;
    out.items.push_back(store_value::of(at->second));
    if (with_scores) out.items.push_back(store_value::of(score_text(at->first)));
  }
  return out;
}

store_value keyspace::zremrangebyscore(words_type w, std::int64_t now) {
  const store_value found = zrangebyscore(w, now);
  if (found.is != store_value::kind::array) return found;
  std::vector<std::string_view> words = {w[0], w[1]};
  for (const auto& item : found.items) words.push_back(item.text);
  return words.size() == 2 ? store_value::of(0) : zrem(words, now);
}

store_value keyspace::publish(words_type w, std::int64_t) {
  messages_.push_back({std::string(w[1]), std::string(w[2])});
  return store_value::of(listeners_);
}

store_value keyspace::time(words_type, std::int64_t now) {
  store_value out = store_value::list();
  out.items.push_back(store_value::of(std::to_string(now / 1000)));
  out.items.push_back(store_value::of(std::to_string(now % 1000 * 1000)));
  return out;
}

}  // namespace switchgear::inline v1::simulation
