// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "world.hpp"

namespace switchgear::inline v1::simulation {
namespace {

constexpr std::int64_t ms = 1'000'000;

/// Before a lost message is sent again, the first time; twice as long each further time.
constexpr std::int64_t resend_after = 200 * ms;
/// Before the first try to connect again, at most; twice as long each further time. As the worker of a member has it.
constexpr std::int64_t first_retry = 20 * ms;
/// A store with more work than this ahead is a disturbance for everybody.
constexpr std::int64_t crowded = 20 * ms;

}  // namespace

std::uint32_t world::put(envelope&& e) {
  if (free_envelopes_.empty()) {
    envelopes_.push_back(std::move(e));
    return static_cast<std::uint32_t>(envelopes_.size() - 1);
  }
  const std::uint32_t at = free_envelopes_.back();
  free_envelopes_.pop_back();
  envelopes_[at] = std::move(e);
  return at;
}

world::envelope world::take(std::uint32_t which) {
  free_envelopes_.push_back(which);
  return std::move(envelopes_[which]);
}

std::int64_t world::transit(node& n, std::int64_t from, std::int64_t& last) {
  const std::int64_t mean = settings_.network.delay.count();
  std::int64_t takes = mean / 2 + n.luck.exponential_nanos(static_cast<double>(mean) / 2);
  if (now_ >= lossy_until_) loss_ = settings_.network.loss;
  for (std::int64_t again = resend_after; n.luck.happens(loss_) && again < 100 * resend_after; again *= 2) takes += again;
  last = std::max(last, from + takes);
  ++messages_;
  return last;
}

bool world::breaks(node& n) {
  if (!n.luck.happens(settings_.network.resets)) return false;
  queue_.put(now_ + settings_.network.delay.count(), happening::broken, n.number, n.link.number);
  return true;
}

bool world::waits(node& n, std::int64_t& until) {
  if (cut(n)) until = std::max(until, n.isolated_until + n.luck.between(1, resend_after));
  return now_ < until;
}

void world::send(node& n, fleet::request&& r) {
  if (n.link.is != connection::state::up) return;
  checker_.note(n.name, "asks:", r.arguments.empty() ? "" : r.arguments.front());
  if (breaks(n)) return;
  const std::int64_t arrives = transit(n, now_, n.link.to_store);
  const std::uint32_t at = put({.id = r.id, .connection = n.link.number, .words = std::move(r.arguments), .is_error = false});
  queue_.put(arrives, happening::request, n.number, at);
}

void world::at_store(node& n, std::uint32_t which) {
  const std::uint32_t number = envelopes_[which].connection;
  const bool closed = number != n.link.number;
  std::int64_t later = closed ? 0 : n.link.to_store_waits;
  if (waits(n, later)) {
    // It is sent again and again, for a while also when the one who sent it does not wait any more.
    if (closed && n.luck.happens(0.5)) {
      take(which);
    } else {
      queue_.put(later, happening::request, n.number, which);
    }
    if (!closed) n.link.to_store_waits = later;
    return;
  }
  if (number < n.link.reset_below || now_ < down_until_) {
    take(which);
    if (!closed) queue_.put(now_ + settings_.network.delay.count(), happening::broken, n.number, number);
    return;
  }
  if (now_ < hung_until_) {
    queue_.put(hung_until_, happening::request, n.number, which);
    return;
  }
  envelope e = take(which);
  store_free_ = std::max(store_free_, now_) + settings_.network.service.count();
  store_worked_ += settings_.network.service.count();
  if (store_free_ - now_ > crowded) checker_.disturbed();
  const simulated_store::outcome out = store_->run(e.words, store_clock_.at(store_free_) / ms);
  const auto messages = store_->take_messages();
  if (out.reply && out.reply->front() != "ok") checker_.note(n.name, "hears from the store:", out.reply->front());
  for (const auto& m : messages) spread(m.text, store_free_);
  if (!messages.empty() || e.words.front() != "sync") {
    checker_.store_says(store_->look(settings_.fleet.name, "upstream", store_clock_.at(store_free_) / ms));
  }
  if (closed || breaks(n)) return;
  e.is_error = !out.reply;
  e.words = out.reply ? std::move(*out.reply) : std::vector<std::string>{out.error};
  const std::int64_t arrives = transit(n, store_free_, n.link.from_store);
  queue_.put(arrives, happening::answer, n.number, put(std::move(e)));
}

void world::at_node(node& n, std::uint32_t which) {
  if (envelopes_[which].connection != n.link.number || !n.present || n.link.is != connection::state::up) {
    take(which);
    return;
  }
  if (waits(n, n.link.from_store_waits)) {
    queue_.put(n.link.from_store_waits, happening::answer, n.number, which);
    return;
  }
  envelope e = take(which);
  if (e.is_error) {
    checker_.note("store", "error:", e.words.front());
    lose(n, e.words.front());
  } else {
    n.agent->answered(e.id, e.words, n.clock.now());
  }
  step(n);
}

void world::spread(const std::string& text, std::int64_t from) {
  std::uint32_t at = 0;
  if (free_news_.empty()) {
    at = static_cast<std::uint32_t>(news_.size());
    news_.emplace_back();
  } else {
    at = free_news_.back();
    free_news_.pop_back();
  }
  news_[at] = {text, 0};
  for (const auto& n : nodes_) {
    if (!n->present || n->link.is != connection::state::up || n->link.number < n->link.reset_below) continue;
    if (breaks(*n)) continue;
    ++news_[at].readers;
    queue_.put(transit(*n, from, n->link.news), happening::news, n->number, std::uint64_t{n->link.number} << 32 | at);
  }
  if (news_[at].readers == 0) free_news_.push_back(at);
}

void world::hears(node& n, std::uint64_t detail) {
  const auto at = static_cast<std::uint32_t>(detail);
  const bool listens = n.present && n.link.is == connection::state::up && n.link.number == detail >> 32;
  if (listens && waits(n, n.link.news_waits)) {
    queue_.put(n.link.news_waits, happening::news, n.number, detail);
    return;
  }
  if (listens) {
    n.agent->news(news_[at].text, n.clock.now());
    step(n);
  }
  if (--news_[at].readers == 0) free_news_.push_back(at);
}

// --- connections ---

void world::connect(node& n, std::uint32_t number) {
  if (!n.present || n.link.number != number || n.link.is != connection::state::connecting) return;
  const bool silent = cut(n) || now_ < hung_until_;
  if (!silent && now_ < down_until_) return retry_later(n, 0);
  std::int64_t way = 0;
  std::int64_t at = now_;
  for (int i = 0; i < 4; ++i) at = transit(n, at, way);  // to connect and to subscribe, there and back
  const std::int64_t patience = settings_.fleet.patience.count();
  if (silent || at - now_ > patience) return retry_later(n, patience);  // nothing comes back in time
  queue_.put(at, happening::connected, n.number, number);
}

void world::connected(node& n, std::uint32_t number) {
  if (!n.present || n.link.number != number || n.link.is != connection::state::connecting) return;
  if (cut(n) || now_ < down_until_ || now_ < hung_until_ || number < n.link.reset_below) return retry_later(n, 0);
  n.link.is = connection::state::up;
  n.link.attempts = 0;
  n.link.to_store = n.link.from_store = n.link.news = now_;
  n.link.to_store_waits = n.link.from_store_waits = n.link.news_waits = 0;
  checker_.note(n.name, "is connected");
  n.compares = false;
  n.agent->link_up(n.clock.now());
  step(n);
}

void world::lose(node& n, std::string_view why) {
  checker_.note(n.name, "has lost the store:", why);
  if (n.agent->is_up()) n.agent->link_down(n.clock.now(), why);
  n.link.is = connection::state::none;
  retry_later(n, 0);
  if (n.wanted_at > now_ + 1'000) {
    n.wanted_at = now_ + 1'000;
    wake_at(n, n.wanted_at);
  }
}

void world::retry_later(node& n, std::int64_t after) {
  n.link.is = connection::state::connecting;
  ++n.link.number;
  const std::int64_t longest = settings_.fleet.reconnect_max.count();
  const std::int64_t most = std::min(longest, first_retry << std::min(n.link.attempts, 16u));
  ++n.link.attempts;
  queue_.put(now_ + after + n.luck.between(most / 2, most) + 1, happening::connect, n.number, n.link.number);
}

void world::reset_connections() {
  for (const auto& n : nodes_) {
    if (!n->present) continue;
    n->link.reset_below = n->link.number + 1;
    if (n->link.is == connection::state::up && !cut(*n)) {
      const auto way = static_cast<double>(settings_.network.delay.count());
      queue_.put(now_ + n->luck.exponential_nanos(way), happening::broken, n->number, n->link.number);
    }
    if (n->link.is == connection::state::connecting) n->link.reset_below = n->link.number;
  }
}

void world::wait_for_healing(node& n) {
  for (const std::int64_t until : {down_until_, hung_until_, lossy_until_}) {
    if (until > now_) queue_.put(until, happening::healed, n.number);
  }
}

void world::note_reach(node& n) {
  const bool out_of_reach = cut(n) || !store_answers();
  if (out_of_reach && n.cut_since < 0) {
    n.cut_since = now_;
    // Looked at, also if nothing else happens to it, when it has to have noticed.
    const std::int64_t late = settings_.fleet.exchange_every.count() + settings_.fleet.patience.count();
    queue_.put(now_ + 2 * late, happening::checkpoint, n.number);
  }
  if (!out_of_reach && n.cut_since >= 0) {
    n.cut_since = -1;
    n.clear_since = now_;
  }
  if (!out_of_reach && (n.link.reset_below > n.link.number || now_ <= lossy_until_)) n.clear_since = now_;
}

}  // namespace switchgear::inline v1::simulation
