// SPDX-License-Identifier: Apache-2.0
#include "bus_receiver.hpp"

#include <switchgear/detail/library_thread.hpp>

#include <switchgear/event_reader.hpp>

#include <algorithm>

namespace switchgear::inline v1::kafka {
namespace {

using namespace std::chrono_literals;
using time = std::chrono::steady_clock;

/// While the past of a partition cannot be read, because its leader is away for instance, so much of the others may wait for it.
constexpr std::size_t most_live = 1 << 16;

conf_pointer conf_of(const kafka_bus_options& o) {
  kafka_properties p = connection_properties(o.brokers, o.send_timeout, o.reconnect_backoff, o.max_reconnect_backoff);
  p.merge(reading_properties());
  p["auto.offset.reset"] = "earliest";
  p["topic.metadata.refresh.interval.ms"] = milliseconds(o.refresh_interval, 10);
  kafka_properties fixed{{"enable.auto.offset.store", "false"}};
  if (o.group.empty()) {
    fixed["enable.partition.eof"] = "true";
    fixed["enable.auto.commit"] = "false";
  } else {
    fixed["group.id"] = o.group;
    p["auto.commit.interval.ms"] = "1000";
  }
  return make_conf(p, o.client_options, fixed);
}

bool is_present(const rd_kafka_message_t& message) {
  rd_kafka_headers_t* headers = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  return rd_kafka_message_headers(&message, &headers) == 0 &&
         rd_kafka_header_get_last(headers, "switchgear-present", &value, &size) == 0 && size == 1 &&
         *static_cast<const char*>(value) == '1';
}

}  // namespace

bus_receiver::bus_receiver(const kafka_bus_options& o, std::shared_ptr<detail::notice_board> notices,
                           std::shared_ptr<detail::dispatcher> dispatcher, bus_link& link, std::function<void()> changed)
    : options_(o),
      notices_(std::move(notices)),
      dispatcher_(std::move(dispatcher)),
      link_(link),
      changed_(std::move(changed)) {
  (void)conf_of(options_);
}

void bus_receiver::start() {
  const std::lock_guard lock(mutex_);
  if (stop_.load() || thread_.joinable()) return;
  may_send_.store(false);
  link_.wants_reading();
  thread_ = std::thread([this] { run(); });
}

void bus_receiver::ask_to_stop() noexcept {
  const std::lock_guard lock(mutex_);
  stop_.store(true);
  if (wake_) wake_();
}

void bus_receiver::close() noexcept {
  ask_to_stop();
  std::thread ending;
  {
    const std::lock_guard lock(mutex_);
    ending.swap(thread_);
  }
  if (ending.joinable()) ending.join();
}

void bus_receiver::set_may_send() noexcept {
  if (!may_send_.exchange(true)) changed_();
}

void bus_receiver::run() {
  switchgear::detail::own_no_lane();
  try {
    if (options_.group.empty()) {
      read_all();
    } else {
      read_group();
    }
  } catch (const std::exception& e) {
    link_.reading(false, e.what());
    notices_->say(bus_notice::kind::disconnected, 1, e.what());
  }
  set_may_send();
}

bus_receiver::waker::waker(bus_receiver& of, std::function<void()> wake) : of_(of) {
  const std::lock_guard lock(of_.mutex_);
  of_.wake_ = std::move(wake);
}

bus_receiver::waker::~waker() {
  const std::lock_guard lock(of_.mutex_);
  of_.wake_ = nullptr;
}

void bus_receiver::read_all() {
  topic_reader reader(conf_of(options_), options_.client_options, options_.topic);
  const waker before_the_reader_goes(*this, [&reader] { reader.wake(); });
  const auto limit = std::clamp<std::chrono::nanoseconds>(options_.close_timeout / 2, 50ms, 1s);
  auto look_again = time::now();
  while (!stop_.load()) {
    if (time::now() >= look_again) {
      const auto most = found_all_ ? INT64_MAX : options_.most_history;
      const topic_reader::sight seen = reader.look(topic_reader::begin::first, most, limit);
      looked(reader, seen);
      const bool found = seen == topic_reader::sight::all;
      const auto soon = std::min<std::chrono::nanoseconds>(options_.refresh_interval, 500ms);
      look_again = time::now() + (found ? options_.refresh_interval : soon);
    }
    const std::chrono::nanoseconds wait = look_again - time::now();
    const message_pointer message = reader.next(std::clamp<std::chrono::nanoseconds>(wait, 0ms, longest_wait));
    if (!message) continue;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      caught_up(message->partition);
    } else if (message->err == 0) {
      take(*message, reader);
    }
  }
}

void bus_receiver::looked(topic_reader& from, topic_reader::sight seen) {
  using sight = topic_reader::sight;
  if (!found_all_) {
    for (const auto& [number, part] : from.partitions()) {
      if (past_.try_emplace(number, part.high).second && part.from < part.high) behind_[number] = part.high;
    }
  }
  if (seen == sight::all || seen == sight::no_topic) {
    found_all_ = true;
    last_error_.clear();
    link_.reading(true, {});
    complete_if_caught_up();
  } else if (seen == sight::unreachable) {
    link_.reading(false, from.error());
  } else if (last_error_ != from.error()) {
    last_error_ = from.error();
    notices_->say(bus_notice::kind::disconnected, 1, "the topic " + options_.topic + " cannot be read: " + last_error_);
  }
  set_may_send();  // also when nobody answered: then nothing is sent either, and the breaker learns of it
}

void bus_receiver::caught_up(std::int32_t partition) {
  behind_.erase(partition);
  complete_if_caught_up();
}

void bus_receiver::complete_if_caught_up() {
  if (!complete_ && found_all_ && behind_.empty()) complete();
}

void bus_receiver::complete() {
  complete_ = true;
  for (auto& [key, e] : states_) {
    e.present = true;
    dispatcher_->deliver(e);
  }
  states_.clear();
  dispatcher_->complete();
  for (news& n : live_) tell(std::move(n));
  live_.clear();
  live_.shrink_to_fit();
}

void bus_receiver::take(const rd_kafka_message_t& message, const topic_reader&) {
  const auto past = past_.find(message.partition);
  const bool of_the_past = past != past_.end() && message.offset < past->second;
  if (std::optional<news> n = understand(message)) {
    if (of_the_past && !complete_) {
      fold(*std::move(n));
    } else if (of_the_past) {
      tell_late(*std::move(n));
    } else if (complete_) {
      tell(*std::move(n));
    } else {
      live_.push_back(*std::move(n));
      if (live_.size() >= most_live) complete();
    }
  }
  if (past != past_.end() && message.offset + 1 >= past->second && !complete_) caught_up(message.partition);
}

std::optional<bus_receiver::news> bus_receiver::understand(const rd_kafka_message_t& message) {
  news n;
  if (message.key != nullptr) n.key.assign(static_cast<const char*>(message.key), message.key_len);
  if (message.payload == nullptr) {
    if (message.key != nullptr) return n;
    refused_.fetch_add(1, std::memory_order_relaxed);
    notices_->say(bus_notice::kind::refused, 1, "a record without key and value");
    return std::nullopt;
  }
  event_reading read = read_event({static_cast<const char*>(message.payload), message.len});
  if (!read) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    notices_->say(bus_notice::kind::refused, 1,
                  "record " + std::to_string(message.offset) + " of partition " + std::to_string(message.partition) + ": " +
                      read.error);
    return std::nullopt;
  }
  n.what = std::move(read.value);
  n.what->present = is_present(message);
  return n;
}

void bus_receiver::fold(news n) {
  if (!n.what) {
    states_.erase(n.key);
  } else if (n.what->present || is_transition(n.what->kind)) {
    const auto [place, fresh] = states_.try_emplace(n.key, *n.what);
    if (!fresh && n.what->sequence >= place->second.sequence) place->second = *std::move(n.what);
  }
}

void bus_receiver::tell_late(news n) {
  if (!n.what) {
    tell(std::move(n));
  } else if (n.what->present || is_transition(n.what->kind)) {
    n.what->present = true;
    tell(std::move(n));
  }
}

void bus_receiver::tell(news n) {
  if (n.what) {
    dispatcher_->deliver(*n.what);
  } else {
    dispatcher_->forget(std::move(n.key));
  }
}

void bus_receiver::read_group() {
  group_reader reader(conf_of(options_), options_.client_options, options_.topic);
  const waker before_the_reader_goes(*this, [&reader] { reader.wake(); });
  set_may_send();  // a group begins where it left off
  dispatcher_->complete();
  std::vector<message_pointer> told;  // not committed before the handlers had them
  const auto commit = [&] {
    if (told.empty() || !dispatcher_->flush(1s)) return;
    for (const message_pointer& message : told) reader.done(*message);
    told.clear();
  };
  while (!stop_.load()) {
    message_pointer message = reader.next(told.empty() ? reader.patience() : 20ms);
    if (reader.ready()) link_.reading(true, {});
    if (!message || told.size() >= 256) commit();
    if (!message || message->err != 0) continue;
    if (std::optional<news> n = understand(*message)) tell(*std::move(n));
    told.push_back(std::move(message));
  }
  commit();
  told.clear();
  reader.close(options_.close_timeout);
}

}  // namespace switchgear::inline v1::kafka
