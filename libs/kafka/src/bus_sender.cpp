// SPDX-License-Identifier: Apache-2.0
#include "bus_sender.hpp"

#include <switchgear/detail/library_thread.hpp>

#include <algorithm>

namespace switchgear::inline v1::kafka {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t withdrawn = UINT64_MAX;
/// How many circuits newest_ knows; of more, one that failed is sent again in any case.
constexpr std::size_t most_circuits = 1 << 20;

bool lasting(const event& e) noexcept { return e.present || is_transition(e.kind); }

kafka_properties properties_of(const kafka_bus_options& o) {
  kafka_properties p = connection_properties(o.brokers, o.send_timeout, o.reconnect_backoff, o.max_reconnect_backoff);
  p["linger.ms"] = "2";
  p["message.timeout.ms"] = milliseconds(o.send_timeout);
  p["topic.metadata.propagation.max.ms"] = milliseconds(o.send_timeout / 4);
  p["retry.backoff.ms"] = milliseconds(o.reconnect_backoff);
  p["statistics.interval.ms"] = milliseconds(o.health_interval);
  p["queue.buffering.max.messages"] = std::to_string(o.most_under_way + 1);
  // By the key alone, as every other client does it that compacts or reads by key.
  p["partitioner"] = "murmur2";
  return p;
}

conf_pointer conf_of(const kafka_bus_options& o) {
  return make_conf(properties_of(o), o.client_options, {{"enable.idempotence", "true"}});
}

}  // namespace

bus_sender::bus_sender(const kafka_bus_options& o, std::shared_ptr<detail::notice_board> notices, bus_link& link,
                       std::function<bool()> may_send)
    : options_(o),
      notices_(std::move(notices)),
      link_(link),
      may_send_(std::move(may_send)),
      breaker_("kafka." + o.topic, o.breaker, o.clock == nullptr ? steady_clock() : *o.clock),
      queue_(o.queues.queue_capacity) {
  (void)conf_of(options_);
}

void bus_sender::start() {
  const std::lock_guard lock(mutex_);
  if (!closed_ && !thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void bus_sender::close(std::chrono::nanoseconds limit) noexcept {
  std::thread ending;
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) give_up_at_ = time::now() + limit;
    closed_ = true;
    ending.swap(thread_);
  }
  queue_.close();
  signal_->set();
  if (ending.joinable()) ending.join();
  queue_.clear();  // of a bus that was never started
}

void bus_sender::withdraw(std::string key) {
  queue_.run_in_turn([this, gone = std::move(key)] {
    try {
      auto one = new_item();
      one->key = gone;
      one->tombstone = true;
      hand_over(std::move(one));
    } catch (...) {
      // No memory: it stays known, which costs little.
    }
  });
}

void bus_sender::run() {
  switchgear::detail::own_no_lane();
  detail::event_queue::batch batch;
  (void)is_ready();
  while (queue_.wait(batch)) {
    if (batch.dropped() != 0) {
      notices_->say(bus_notice::kind::dropped, batch.dropped(),
                    std::to_string(batch.dropped()) + " events dropped because the queue to Kafka was full");
    }
    send_again();
    batch.for_each([this](const event& e) { send_event(e); });
    queue_.done();
  }
  drain();
  producer_.reset();  // gives back what was still under way
  link_.sending(false, "closed");
}

void bus_sender::drain() {
  while (!giving_up()) {
    send_again();
    {
      const std::lock_guard lock(mutex_);
      if (under_way_ == 0 && returned_.empty()) return;
    }
    wait_at_most(100ms);
  }
  std::unordered_map<std::string, std::unique_ptr<item>> left;
  {
    const std::lock_guard lock(mutex_);
    left.swap(returned_);
  }
  for (const auto& [key, one] : left) drop(*one, nullptr);
}

void bus_sender::send_event(const event& e) noexcept {
  std::unique_ptr<item> one;
  try {
    one = new_item();
    one->key = detail::circuit_key(e);
    one->what = e;
  } catch (...) {  // no memory
    const std::lock_guard lock(mutex_);
    if (one) {
      is_over(*one, dropped_);
    } else {
      ++dropped_;
    }
    return;
  }
  hand_over(std::move(one));
  send_again();
}

std::unique_ptr<bus_sender::item> bus_sender::new_item() {
  auto one = std::make_unique<item>();
  const std::lock_guard lock(mutex_);
  outstanding_.insert(last_number_ + 1);
  one->number = ++last_number_;
  return one;
}

void bus_sender::is_over(const item& one, std::uint64_t& counter) noexcept {
  outstanding_.erase(one.number);
  if (!one.tombstone) ++counter;
  settled_.notify_all();
}

void bus_sender::send_again() {
  std::unordered_map<std::string, std::unique_ptr<item>> again;
  {
    const std::lock_guard lock(mutex_);
    if (returned_.empty()) return;
    again.swap(returned_);
  }
  for (auto& [key, one] : again) {
    if (is_outdated(*one)) {
      drop(*one, nullptr);
    } else {
      hand_over(std::move(one));
    }
  }
}

bool bus_sender::is_ready() {
  if (producer_ && !producer_->broken()) return true;
  producer_.reset();
  try {
    producer_ = std::make_unique<producer>(conf_of(options_), options_.client_options, *this);
    no_producer_.clear();
    return true;
  } catch (const std::exception& e) {
    if (std::exchange(no_producer_, e.what()) != e.what()) notices_->say(bus_notice::kind::disconnected, 1, e.what());
    return false;
  }
}

void bus_sender::hand_over(std::unique_ptr<item> one) noexcept {
  try {
    try_to_hand_over(one);
  } catch (...) {  // no memory
    if (one) drop(*one, nullptr);
  }
}

void bus_sender::try_to_hand_over(std::unique_ptr<item>& one) {
  for (;;) {
    if (giving_up()) {
      drop(*one, nullptr);
      return;
    }
    if (!is_ready()) {
      wait_at_most(1s);
    } else if (!may_send_() || !has_room()) {
      wait_at_most(1s);  // is woken
    } else if (permit p = breaker_.try_acquire(); !p) {
      wait_for_permit(p.rejection());
    } else {
      one->allowed = std::move(p);
      const int code = give(one);
      if (code == 0) return;
      const verdict found = judge(code);
      one->allowed.settle(found, name_of(code));
      if (producer_->broken()) continue;  // with a new one; what was wrong is told of those that were under way
      if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        wait_at_most(10ms);
      } else if (found == verdict::ignored) {
        drop(*one, name_of(code).c_str());
        return;
      }
    }
  }
}

int bus_sender::give(std::unique_ptr<item>& one) {
  const std::string value = one->tombstone ? std::string() : to_json(one->what);
  record r{.topic = options_.topic.c_str(), .key = one->key};
  if (!one->tombstone) {
    r.value = value;
    r.headers.emplace_back("content-type", "application/cloudevents+json");
    if (!one->what.correlation_id.empty()) r.headers.emplace_back("correlation_id", one->what.correlation_id);
    if (one->what.present) r.headers.emplace_back("switchgear-present", "1");
  }
  {
    const std::lock_guard lock(mutex_);
    note_newest(*one);
    ++under_way_;
  }
  const int code = producer_->send(r, one.get());
  if (code == 0) {
    (void)one.release();  // comes back in delivered(), perhaps has already
  } else {
    const std::lock_guard lock(mutex_);
    --under_way_;
  }
  return code;
}

void bus_sender::note_newest(const item& one) {
  if (one.tombstone) {
    if (const auto known = newest_.find(one.key); known != newest_.end()) known->second = withdrawn;
  } else if (lasting(one.what) && (newest_.size() < most_circuits || newest_.contains(one.key))) {
    std::uint64_t& newest = newest_[one.key];
    newest = newest == withdrawn ? one.what.sequence : std::max(newest, one.what.sequence);
  }
}

bool bus_sender::is_outdated(const item& one) const {
  const std::lock_guard lock(mutex_);
  const auto newest = newest_.find(one.key);
  if (newest == newest_.end()) return false;
  return one.tombstone ? newest->second != withdrawn : newest->second > one.what.sequence;
}

void bus_sender::wait_for_permit(const rejection& why) {
  switchgear::clock& clock = options_.clock == nullptr ? steady_clock() : *options_.clock;
  const bool known = why.retry_after && why.retry_after->count() > 0;
  switchgear::clock::timer timer{};
  if (known) timer = clock.call_at(clock.now() + *why.retry_after, [s = signal_] { s->set(); });
  // Looks again without a call too: an operator may have closed the circuit.
  wait_at_most(500ms);
  if (known) clock.cancel(timer);
}

void bus_sender::wait_at_most(std::chrono::nanoseconds limit) {
  time::time_point until = time::now() + std::chrono::duration_cast<time::duration>(limit);
  {
    const std::lock_guard lock(mutex_);
    until = std::min(until, give_up_at_);
  }
  signal_->wait_until(until);
}

bool bus_sender::giving_up() const {
  const std::lock_guard lock(mutex_);
  return closed_ && time::now() >= give_up_at_;
}

bool bus_sender::has_room() const {
  const std::lock_guard lock(mutex_);
  return under_way_ < options_.most_under_way;
}

void bus_sender::drop(const item& one, const char* why) noexcept {
  {
    const std::lock_guard lock(mutex_);
    is_over(one, dropped_);
  }
  if (one.tombstone) return;
  if (why != nullptr) notices_->say(bus_notice::kind::dropped, 1, "an event was refused: " + std::string(why));
}

void bus_sender::delivered(void* what, int code) noexcept {
  std::unique_ptr<item> one(static_cast<item*>(what));
  const verdict found = judge(code);
  one->allowed.settle(found, found == verdict::success ? std::string_view() : std::string_view(name_of(code)));
  one->allowed = permit();
  if (code == 0) {
    const std::lock_guard lock(mutex_);
    if (one->tombstone) {
      const auto known = newest_.find(one->key);
      if (known != newest_.end() && known->second == withdrawn) newest_.erase(known);
    }
    --under_way_;
    is_over(*one, sent_);
  } else {
    come_back(std::move(one), code);
  }
  signal_->set();
  if (code != 0) queue_.wake();
}

void bus_sender::come_back(std::unique_ptr<item> one, int code) {
  const bool ours = code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
  const bool over = giving_up();
  const bool lost = over || (judge(code) == verdict::ignored && !ours) || !(one->tombstone || lasting(one->what));
  std::unique_ptr<item> superseded;
  {
    const std::lock_guard lock(mutex_);
    --under_way_;
    const auto newest = newest_.find(one->key);
    const bool old = !one->tombstone && newest != newest_.end() && newest->second > one->what.sequence;
    if (lost || old) {
      superseded = std::move(one);
    } else {
      auto& place = returned_[one->key];
      superseded = std::exchange(place, std::move(one));
    }
    if (superseded) is_over(*superseded, dropped_);
  }
  if (superseded && lost && !over && !superseded->tombstone) {
    notices_->say(bus_notice::kind::dropped, 1, "an event was refused: " + name_of(code));
  }
}

bool bus_sender::flush(std::chrono::nanoseconds limit) {
  const auto until = time::now() + std::chrono::duration_cast<time::duration>(std::min<std::chrono::nanoseconds>(limit, 24h));
  if (!queue_.flush(limit)) return false;
  std::unique_lock lock(mutex_);
  const std::uint64_t last = last_number_;
  return settled_.wait_until(lock, until, [&] { return outstanding_.empty() || *outstanding_.begin() > last; });
}

void bus_sender::add_to(bus_metrics& m) const {
  // The parts before the whole, so that they never add up to more.
  {
    const std::lock_guard lock(mutex_);
    m.sent = sent_;
    m.dropped = dropped_;
  }
  m.dropped += queue_.dropped();
  m.published = queue_.pushed();
}

}  // namespace switchgear::inline v1::kafka
