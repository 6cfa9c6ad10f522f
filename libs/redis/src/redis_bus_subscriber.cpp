// SPDX-License-Identifier: Apache-2.0
#include "redis_bus_subscriber.hpp"

#include <switchgear/detail/library_thread.hpp>
#include <switchgear/event_reader.hpp>

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

namespace switchgear::inline v1::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view state_topics = "circuit_breaker.state.";
constexpr std::string_view call_topics = "circuit_breaker.call.";

/// Of how many circuits it is known that they were heard of.
constexpr std::size_t most_circuits = 1 << 20;

/// Of what happens on a connection that nobody pings. Any long time will do.
constexpr auto for_ever = 1h;

}  // namespace

redis_subscriber::redis_subscriber(std::shared_ptr<redis_bus_shared> shared, std::function<void()> on_connected)
    : shared_(std::move(shared)),
      on_connected_(std::move(on_connected)),
      line_(*shared_, *waker_, "receiving"),
      pulse_(shared_->source, shared_->options.heartbeat, [waker = waker_] { waker->wake(); }) {}

void redis_subscriber::start() {
  const std::lock_guard lock(mutex_);
  if (!stop_.load() && !thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void redis_subscriber::close() noexcept {
  std::thread ending;
  {
    const std::lock_guard lock(mutex_);
    stop_.store(true);
    ending.swap(thread_);
  }
  waker_->wake();
  if (ending.joinable()) ending.join();
}

void redis_subscriber::changed() noexcept {
  changed_.store(true);
  waker_->wake();
}

redis_subscriber::wishes redis_subscriber::wanted() const {
  const dispatcher& d = *shared_->receivers;
  wishes w = kept_;
  if (d.wants(state_topics)) w |= state;
  if (d.wants(call_topics)) w |= call;
  if (d.wants_present()) w |= present | state;
  return w;
}

void redis_subscriber::run() {
  own_no_lane();
  while (!stop_.load()) {
    try {
      step();
    } catch (const redis_interrupted&) {
      break;
    } catch (const circuit_open_error& e) {
      link_.reset();
      line_.gone();
      line_.rejected(e);
    } catch (const std::exception& e) {
      link_.reset();
      if (stop_.load()) break;
      line_.lost(e.what());
    }
  }
  link_.reset();
  line_.gone();
  tell_refused();
}

void redis_subscriber::step() {
  changed_.store(false);
  if (wanted() == 0) {
    waker_->sleep(shared_->source, {});
    return;
  }
  shared_->guard.call([this] {
    followed_ = 0;
    pong_until_.reset();
    link_.emplace(shared_->options.server, *waker_, stop_);
    follow();
  });
  if (!heard_of_.empty()) retold_at_ = shared_->source.now() + shared_->options.lifetime;
  pulse_.arm();
  line_.connected();
  on_connected_();
  listen();
}

void redis_subscriber::listen() {
  for (;;) {
    if (changed_.exchange(false)) follow();
    if (followed_ == 0) {
      link_.reset();
      line_.gone();
      return;
    }
    if (pulse_.is_due()) {
      ping();
      if (retold_at_ && shared_->source.now() >= *retold_at_) forget_the_lost();
    }
    auto got = link_->poll(pong_until_ ? *pong_until_ - std::chrono::steady_clock::now() : for_ever);
    // Twice: the first look may have ended because somebody called, and what came while this thread was busy is no silence.
    if (!got && is_overdue() && !(got = link_->poll(0ns))) throw redis::io_timeout("the server does not answer");
    if (got) take(*got);
  }
}

void redis_subscriber::follow() {
  const wishes w = wanted();
  const std::string& channels = shared_->names.channels;
  const std::string states = channels + std::string(state_topics) + "*", calls = channels + std::string(call_topics) + "*";
  if ((followed_ & call & ~w) != 0) link_->send({"PUNSUBSCRIBE", calls});
  const wishes fresh = w & ~followed_;
  followed_ = w;
  if (fresh == 0) return;

  std::vector<std::string_view> words{"PSUBSCRIBE"};
  if ((fresh & state) != 0) words.push_back(states);
  if ((fresh & call) != 0) words.push_back(calls);
  if ((fresh & present) != 0) words.insert(words.end(), {shared_->names.present, shared_->names.withdrawn});
  link_->send(words);
  for (std::size_t open = words.size() - 1; open != 0;) {
    const redis::reply r = link_->receive();
    if (r.is_error()) throw redis::describe_error(r, "PSUBSCRIBE");
    if (!r.elements.empty() && r.elements[0].text == "psubscribe") {
      --open;
    } else {
      take(r);
    }
  }
  if ((fresh & (state | present)) != 0) catch_up((w & present) != 0);
  kept_ = w & (state | present);
}

void redis_subscriber::ping() {
  tell_refused();
  if (pong_until_) return;
  // Before transitions are followed, nothing is heard of them.
  candidate_ = (followed_ & state) != 0 ? shared_->position() : std::string();
  link_->send({"PING"});
  await_answer();
}

void redis_subscriber::await_answer() {
  const auto limit = shared_->options.server.timeout;
  pong_until_ = std::chrono::steady_clock::now() + (limit == 0ns ? std::chrono::nanoseconds(24h) : limit);
}

bool redis_subscriber::is_overdue() const { return pong_until_ && std::chrono::steady_clock::now() >= *pong_until_; }

void redis_subscriber::take(const redis::reply& message) {
  if (message.is_error()) throw redis::describe_error(message, "PSUBSCRIBE");
  const auto& parts = message.elements;
  const std::string_view what = parts.empty() ? std::string_view() : parts[0].text;
  if (pong_until_) await_answer();  // it stands behind all that the server has to say
  if (what == "pmessage" && parts.size() == 4) {
    take_event(parts[2].text, parts[3].text);
  } else if (what == "pong" || message.text == "PONG") {
    pong_until_.reset();
    line_.works();
    // Whatever had left before the heartbeat found this entry came in before the answer to a ping that was sent later.
    if (!candidate_.empty()) position_ = std::move(candidate_);
    candidate_.clear();
  }
}

void redis_subscriber::take_event(std::string_view channel, std::string_view payload) {
  const redis_names& names = shared_->names;
  if (channel == names.withdrawn) return take_withdrawal(payload);
  if (channel == names.present) {
    deliver(payload, true);
  } else {
    deliver(payload, false, channel.substr(std::min(channel.size(), names.channels.size())));
  }
}

void redis_subscriber::take_withdrawal(std::string_view key) {
  if (key.size() > 1024 || std::ranges::count(key, '\n') != 1) return refuse("not the name of a circuit");
  heard_of_.erase(std::string(key));
  shared_->receivers->forget(std::string(key));
}

bool redis_subscriber::deliver(std::string_view json, bool present, std::string_view topic) {
  event_reading read = read_event(json);
  if (!read) {
    refuse(read.error);
    return false;
  }
  event& e = *read.value;
  if (!topic.empty() && topic != topic_of(e)) {
    refuse("the event belongs to another topic");
    return false;
  }
  if (present && !is_transition(e.kind)) {
    refuse("kind: tells of no state");
    return false;
  }
  if ((followed_ & redis_subscriber::present) != 0 && is_transition(e.kind) && heard_of_.size() < most_circuits) {
    heard_of_.insert(circuit_key(e));
  }
  e.present = present;
  shared_->receivers->deliver(e);
  return true;
}

void redis_subscriber::refuse(const std::string& why) {
  shared_->refused.fetch_add(1);
  ++refused_untold_;
  refused_why_ = why;
  const auto now = shared_->source.now();
  if (!refused_told_ || now - *refused_told_ >= 1s) {
    refused_told_ = now;
    tell_refused();
  }
}

void redis_subscriber::tell_refused() {
  if (refused_untold_ == 0) return;
  const std::uint64_t count = std::exchange(refused_untold_, 0);
  shared_->notices->say(bus_notice::kind::refused, count,
                        std::to_string(count) + (count == 1 ? " message is" : " messages are") + " no event: " + refused_why_);
}

}  // namespace switchgear::inline v1::detail
