// SPDX-License-Identifier: Apache-2.0
#include "listener.hpp"

#include <switchgear/detail/library_thread.hpp>

#include <algorithm>

namespace switchgear::inline v1::kafka {
namespace {

using namespace std::chrono_literals;
using time = std::chrono::steady_clock;

kafka_message read_message(const rd_kafka_message_t& from) {
  kafka_message m;
  m.topic = rd_kafka_topic_name(from.rkt);
  m.partition = from.partition;
  m.offset = from.offset;
  if (from.key != nullptr) m.key.emplace(static_cast<const char*>(from.key), from.key_len);
  if (from.payload != nullptr) m.value.emplace(static_cast<const char*>(from.payload), from.len);
  rd_kafka_timestamp_type_t kind{};
  const std::int64_t at = rd_kafka_message_timestamp(&from, &kind);
  if (kind != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) m.time = std::chrono::system_clock::time_point(std::chrono::milliseconds(at));
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&from, &headers) == 0) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; ++i) {
      m.headers.emplace_back(name, value == nullptr ? std::string() : std::string(static_cast<const char*>(value), size));
    }
  }
  for (const char* wanted : {"x-correlation-id", "correlation_id"}) {  // the second wins
    const auto found = std::ranges::find(m.headers, wanted, [](const auto& h) -> const std::string& { return h.first; });
    if (found != m.headers.end() && !found->second.empty()) m.correlation_id = found->second;
  }
  return m;
}

}  // namespace

listener::listener(settings s, kafka_event_bus::handler h, std::shared_ptr<counters> count)
    : settings_(std::move(s)), handler_(std::move(h)), counters_(std::move(count)) {
  conf_pointer conf = make_conf(settings_.properties, settings_.users, settings_.fixed);
  if (settings_.broadcast) {
    all_ = std::make_unique<topic_reader>(std::move(conf), settings_.users, settings_.topic);
  } else {
    group_ = std::make_unique<group_reader>(std::move(conf), settings_.users, settings_.topic);
  }
  thread_ = std::thread([this] {
    switchgear::detail::own_no_lane();
    thread_id_.store(std::this_thread::get_id());
    if (group_) {
      read_group();
    } else {
      read_all();
    }
    ready_.store(false);
  });
}

void listener::ask_to_stop() noexcept {
  stop_.store(true);
  if (group_) group_->wake();
  if (all_) all_->wake();
}

void listener::stop() noexcept {
  ask_to_stop();
  if (is_here()) return;
  const std::lock_guard one_at_a_time(joining_);
  if (!thread_.joinable()) return;
  thread_.join();
  thread_id_.store(std::thread::id());
}

void listener::tell(const rd_kafka_message_t& message) noexcept {
  counters_->messages.fetch_add(1, std::memory_order_relaxed);
  try {
    handler_(read_message(message));
  } catch (...) {
    counters_->handler_errors.fetch_add(1, std::memory_order_relaxed);
  }
}

void listener::read_group() {
  while (!stop_.load()) {
    const message_pointer message = group_->next(group_->patience());
    ready_.store(group_->ready());
    if (!message || message->err != 0) continue;  // librdkafka gets over its errors itself
    tell(*message);
    group_->done(*message);
  }
  group_->close(settings_.close_limit);
}

void listener::read_all() {
  const auto limit = std::clamp<std::chrono::nanoseconds>(settings_.close_limit / 2, 50ms, 1s);
  auto where = topic_reader::begin::last;
  auto look_again = time::now();
  while (!stop_.load()) {
    if (time::now() >= look_again) {
      const topic_reader::sight seen = all_->look(where, INT64_MAX, limit);
      const bool found = seen == topic_reader::sight::all;
      if (found || seen == topic_reader::sight::no_topic) {
        where = topic_reader::begin::first;  // what appears from now on is new from its first record
        ready_.store(true);
      }
      look_again = time::now() + (found ? settings_.refresh : std::min<std::chrono::nanoseconds>(settings_.refresh, 500ms));
    }
    const message_pointer message = all_->next(std::clamp<std::chrono::nanoseconds>(look_again - time::now(), 0ms, longest_wait));
    if (message && message->err == 0) tell(*message);
  }
}

}  // namespace switchgear::inline v1::kafka
