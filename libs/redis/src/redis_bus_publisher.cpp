// SPDX-License-Identifier: Apache-2.0
#include "redis_bus_publisher.hpp"

#include <switchgear/detail/library_thread.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

namespace switchgear::inline v1::detail {
namespace {

/// How many messages are on their way at a time.
constexpr std::size_t most_at_once = 512;

/// How many circuits one command reminds the server of.
constexpr std::size_t most_reminders = 64;

/// How many circuits are remembered; of more, the server is told once.
constexpr std::size_t most_circuits = 1 << 20;

/// How many withdrawals may wait. Of more the server hears when the bus is closed.
constexpr std::size_t most_withdrawals = 1 << 16;

/// In the order of redis_publisher::hashes_.
const std::string& script_of(std::size_t number) {
  return number == 0 ? redis_scripts::transition() : number == 1 ? redis_scripts::present() : redis_scripts::withdraw();
}

bool is_newer(const std::string& sequence, const std::string& than) {
  return sequence.size() != than.size() ? sequence.size() > than.size() : sequence > than;
}

}  // namespace

redis_publisher::redis_publisher(std::shared_ptr<redis_bus_shared> shared, std::function<void()> on_connected)
    : shared_(std::move(shared)),
      on_connected_(std::move(on_connected)),
      outbox_(std::make_shared<event_queue>(shared_->options.queues.queue_capacity)),
      line_(*shared_, *waker_, "sending"),
      pulse_(shared_->source, shared_->options.heartbeat, [queue = outbox_] { queue->wake(); }) {}

void redis_publisher::start() {
  const std::lock_guard lock(mutex_);
  if (!closing_.load() && !thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void redis_publisher::close(std::chrono::nanoseconds at_most) noexcept {
  std::thread ending;
  {
    const std::lock_guard lock(mutex_);
    closing_.store(true);
    ending.swap(thread_);
  }
  outbox_->close();
  waker_->wake();
  if (ending.joinable()) {
    {
      std::unique_lock lock(mutex_);
      ended_.wait_for(lock, at_most, [this] { return has_ended_; });
    }
    stop_.store(true);
    waker_->wake();
    ending.join();
  }
  outbox_->abandon();
}

void redis_publisher::withdraw(std::string key) {
  if (withdrawals_.load() >= most_withdrawals) return;
  withdrawals_.fetch_add(1);
  const bool taken = outbox_->run_in_turn([this, gone = std::move(key)] {
    withdrawals_.fetch_sub(1);
    try {
      pending_.push_back({message::kind::withdrawal, gone, {}, {}, {}});
    } catch (...) {
      // No memory: it stays known until the bus is closed.
    }
  });
  if (!taken) withdrawals_.fetch_sub(1);
}

void redis_publisher::add_to(bus_metrics& m) const {
  // The parts before the whole, so that they never add up to more.
  m.sent = shared_->sent.load();
  m.dropped = shared_->dropped.load() + outbox_->dropped();
  m.published = outbox_->pushed();
}

void redis_publisher::run() {
  own_no_lane();
  for (;;) {
    try {
      if (!step()) break;
    } catch (const redis_interrupted&) {
      break;
    } catch (const circuit_open_error& e) {
      line_.rejected(e);
    } catch (const std::exception& e) {
      link_.reset();
      if (stop_.load()) break;
      line_.lost(e.what());
    }
    if (stop_.load()) break;
  }
  give_up();
  line_.gone();
  {
    // Notified with the mutex held: who waits may destroy this as soon as it is free.
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
    ended_.notify_all();
  }
}

bool redis_publisher::step() {
  if (!link_) {
    // A bus that has nothing to say any more need not look for somebody who hears it.
    if (closing_.load() && pending_.empty() && more_) more_ = take();
    if (!more_ && pending_.empty()) return false;
    connect();
  }
  if (pulse_.is_due()) shared_->guard.call([this] { say_alive(); });
  send_pending();
  line_.works();
  if (std::exchange(taken_, false)) outbox_->done();
  if (!more_) {
    leave();
    return false;
  }
  more_ = take();
  return true;
}

bool redis_publisher::take() {
  taken_ = true;
  const bool more = outbox_->wait(batch_);
  if (batch_.dropped() != 0) {
    shared_->notices->say(bus_notice::kind::dropped, batch_.dropped(),
                          std::to_string(batch_.dropped()) + " events dropped before they could be sent: too many waited");
  }
  batch_.for_each([this](const event& e) {
    try {
      pending_.push_back(message_of(e));
    } catch (...) {  // no memory
      shared_->dropped.fetch_add(1);
    }
  });
  return more;
}

redis_publisher::message redis_publisher::message_of(const event& e) const {
  message m;
  m.json = to_json(e);
  if (e.present || is_transition(e.kind)) {
    m.is = e.present ? message::kind::present : message::kind::transition;
    m.key = shared_->key_of(e);
    m.sequence = std::to_string(e.sequence);
  }
  m.channel = e.present ? shared_->names.present : shared_->names.channels + topic_of(e);
  return m;
}

void redis_publisher::connect() {
  shared_->guard.call([this] {
    link_.emplace(shared_->options.server, *waker_, stop_);
    for (std::size_t i = 0; i < hashes_.size(); ++i) hashes_[i] = link_->ask({"SCRIPT", "LOAD", script_of(i)}).text;
    remind();
    say_alive();
  });
  pulse_.arm();
  line_.connected();
  on_connected_();
}

void redis_publisher::remind() {
  const redis_names& names = shared_->names;
  std::vector<std::string_view> words;
  std::size_t asked = 0;
  for (auto next = told_.begin(); next != told_.end();) {
    words.assign({"EVALSHA", hashes_[1], "2", names.own_circuits, names.members, names.lifetime, names.member, names.present});
    for (std::size_t i = 0; i < most_reminders && next != told_.end(); ++i, ++next) {
      words.insert(words.end(), {next->first, next->second.sequence, next->second.json});
    }
    link_->send(words);
    if (++asked == 8 || next == told_.end()) {
      for (; asked != 0; --asked) {
        const redis::reply r = link_->receive();
        if (r.is_error()) throw redis::describe_error(r, "EVALSHA");
      }
    }
  }
}

void redis_publisher::say_alive() {
  const redis_names& names = shared_->names;
  const redis::reply r = link_->ask({"EVAL", redis_scripts::heartbeat(), "3", names.own_circuits, names.members, names.stream,
                                     names.lifetime, names.member, names.withdrawn, names.circuits,
                                     told_.empty() ? "1" : "0"});
  if (r.elements.size() != 2) throw redis::io_error("the server answers what it was not asked");
  shared_->set_position(r.elements[1].text);
  if (static_cast<std::uint64_t>(r.elements[0].integer) < told_.size()) remind();
}

void redis_publisher::send_pending() {
  while (next_ < pending_.size()) {
    shared_->guard.call([this] { send_some(); });
    line_.works();
  }
  pending_.clear();
  next_ = 0;
}

void redis_publisher::send_some() {
  const std::size_t end = std::min(pending_.size(), next_ + most_at_once);
  std::array<bool, 3> known{};
  for (std::size_t i = next_; i < end; ++i) append(pending_[i], known);
  while (next_ < end) {
    const redis::reply r = link_->receive();
    if (r.is_error()) throw redis::describe_error(r, "EVAL");
    confirmed(pending_[next_]);
    ++next_;
  }
}

void redis_publisher::append(const message& m, std::array<bool, 3>& known_scripts) {
  const redis_names& names = shared_->names;
  if (m.is == message::kind::call) {
    link_->send({"PUBLISH", m.channel, m.json});
    return;
  }
  const std::size_t number = m.is == message::kind::transition ? 0 : m.is == message::kind::present ? 1 : 2;
  // With its text the first time, so that a server that forgot its scripts (SCRIPT FLUSH) knows it for those that follow.
  const bool known = std::exchange(known_scripts[number], true);
  const std::string_view how = known ? "EVALSHA" : "EVAL";
  const std::string_view script = known ? hashes_[number] : script_of(number);
  switch (m.is) {
    case message::kind::transition:
      link_->send({how, script, "3", names.own_circuits, names.members, names.stream, names.lifetime, names.member, m.key,
                   m.sequence, m.json, m.channel, names.stream_length});
      break;
    case message::kind::present:
      link_->send({how, script, "2", names.own_circuits, names.members, names.lifetime, names.member, names.present, m.key,
                   m.sequence, m.json});
      break;
    default: link_->send({how, script, "1", names.own_circuits, m.key, names.withdrawn});
  }
}

void redis_publisher::confirmed(message& m) {
  if (m.is == message::kind::withdrawal) {
    told_.erase(m.key);
    return;
  }
  shared_->sent.fetch_add(1);
  if (m.is == message::kind::call) return;
  const auto known = told_.find(m.key);
  if (known == told_.end()) {
    if (told_.size() < most_circuits) told_.emplace(std::move(m.key), told{std::move(m.sequence), std::move(m.json)});
  } else if (is_newer(m.sequence, known->second.sequence)) {
    known->second = {std::move(m.sequence), std::move(m.json)};
  }
}

void redis_publisher::leave() {
  if (!link_ || told_.empty()) return;
  if (shared_->options.queues.keep_present > std::chrono::nanoseconds(0)) return say_alive();  // its time begins now
  const redis_names& names = shared_->names;
  link_->ask({"EVAL", redis_scripts::leave(), "2", names.own_circuits, names.members, names.member, names.withdrawn});
}

void redis_publisher::give_up() {
  link_.reset();
  // What is still in the queue is dropped by it, and counted there.
  std::uint64_t lost = outbox_->clear();
  for (; next_ < pending_.size(); ++next_) {
    if (pending_[next_].is == message::kind::withdrawal) continue;
    shared_->dropped.fetch_add(1);
    ++lost;
  }
  pending_.clear();
  outbox_->wait(batch_);  // it is closed: withdrawals that nobody will hear of
  outbox_->done();
  if (lost != 0) {
    shared_->notices->say(bus_notice::kind::dropped, lost,
                          std::to_string(lost) + " events dropped: the bus was closed before they could be sent");
  }
}

}  // namespace switchgear::inline v1::detail
