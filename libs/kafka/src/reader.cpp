// SPDX-License-Identifier: Apache-2.0
#include "reader.hpp"

#include <algorithm>
#include <utility>

namespace switchgear::inline v1::kafka {
namespace {

int whole_milliseconds(std::chrono::nanoseconds d) {
  return static_cast<int>(std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(d).count(), 0, 3'600'000));
}

struct free_metadata {
  void operator()(const struct rd_kafka_metadata* m) const noexcept { rd_kafka_metadata_destroy(m); }
};

}  // namespace

kafka_properties reading_properties() {
  return {{"queued.min.messages", "1000"},  // what waits here is not yet handled, and the broker keeps it anyway
          {"queued.max.messages.kbytes", "4096"},
          {"fetch.wait.max.ms", "100"},
          {"fetch.error.backoff.ms", "100"}};
}

topic_reader::topic_reader(conf_pointer conf, const kafka_properties& users, const std::string& topic) : users_(users) {
  handle_ = make_handle(RD_KAFKA_CONSUMER, std::move(conf), users_);
  topic_.reset(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr));
  if (!topic_) throw config_error({{"topic", "", "", "not a name for a topic"}});
  queue_.reset(rd_kafka_queue_new(handle_.get()));
  // Errors of the client come where the messages come.
  const queue_pointer client(rd_kafka_queue_get_main(handle_.get()));
  rd_kafka_queue_forward(client.get(), queue_.get());
}

topic_reader::~topic_reader() {
  const queue_pointer client(rd_kafka_queue_get_main(handle_.get()));
  rd_kafka_queue_forward(client.get(), nullptr);
  for (const auto& [number, part] : partitions_) rd_kafka_consume_stop(topic_.get(), number);
}

topic_reader::sight topic_reader::look(begin where, std::int64_t most, std::chrono::nanoseconds limit) {
  const auto judged = [this](int code) {
    error_ = name_of(code);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) return sight::no_topic;
    return judge(code) == verdict::ignored ? sight::refused : sight::unreachable;
  };
  const struct rd_kafka_metadata* raw = nullptr;
  const int wait = whole_milliseconds(limit);
  if (const int code = rd_kafka_metadata(handle_.get(), 0, topic_.get(), &raw, wait); code != 0) return judged(code);
  const std::unique_ptr<const struct rd_kafka_metadata, free_metadata> answer(raw);
  if (answer->topic_cnt != 1) return sight::no_topic;
  const rd_kafka_metadata_topic& found = answer->topics[0];
  if (found.err != 0) return judged(found.err);
  const char* const name = rd_kafka_topic_name(topic_.get());
  for (int i = 0; i < found.partition_cnt; ++i) {
    const std::int32_t number = found.partitions[i].id;
    if (partitions_.contains(number)) continue;
    std::int64_t low = 0, high = 0;
    if (const int code = rd_kafka_query_watermark_offsets(handle_.get(), name, number, &low, &high, wait); code != 0) {
      return judged(code);
    }
    const std::int64_t from = where == begin::last ? high : std::max(low, most < high ? high - most : low);
    if (rd_kafka_consume_start_queue(topic_.get(), number, from, queue_.get()) != 0) return judged(rd_kafka_last_error());
    partitions_[number] = {from, high};
    nudges_ = 3;
  }
  return found.partition_cnt == 0 ? sight::no_topic : sight::all;
}

message_pointer topic_reader::next(std::chrono::nanoseconds wait) {
  if (nudges_ > 0) {
    const auto soon = std::min<std::chrono::nanoseconds>(wait, std::chrono::milliseconds(25));
    message_pointer found(rd_kafka_consume_queue(queue_.get(), whole_milliseconds(soon)));
    if (found) return found;
    if (soon == wait) return nullptr;
    // The thread of librdkafka that fetches may sleep for a second before it looks at a partition that was just begun. Any
    // answer of the broker wakes it.
    --nudges_;
    const struct rd_kafka_metadata* raw = nullptr;
    if (rd_kafka_metadata(handle_.get(), 0, topic_.get(), &raw, 100) == 0) rd_kafka_metadata_destroy(raw);
    return nullptr;
  }
  return message_pointer(rd_kafka_consume_queue(queue_.get(), whole_milliseconds(wait)));
}

group_reader::group_reader(conf_pointer conf, const kafka_properties& users, const std::string& topic) {
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_rebalance_cb(conf.get(), &on_rebalance);
  handle_ = make_handle(RD_KAFKA_CONSUMER, std::move(conf), users);
  rd_kafka_poll_set_consumer(handle_.get());
  queue_.reset(rd_kafka_queue_get_consumer(handle_.get()));
  const list_pointer topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  if (const int code = rd_kafka_subscribe(handle_.get(), topics.get()); code != 0) {
    throw config_error({{"topic", "", "", "cannot be subscribed to: " + name_of(code)}});
  }
}

group_reader::~group_reader() { queue_.reset(); }

message_pointer group_reader::next(std::chrono::nanoseconds wait) {
  message_pointer found(rd_kafka_consumer_poll(handle_.get(), whole_milliseconds(wait)));
  if (!found) commit();  // while there is time; under load librdkafka does it by its interval
  return found;
}

void group_reader::commit() noexcept {
  if (std::exchange(uncommitted_, false)) rd_kafka_commit(handle_.get(), nullptr, 1);
}

void group_reader::done(const rd_kafka_message_t& message) noexcept {
  // Fails when the partition has been taken away meanwhile; its next owner is told the record again.
  rd_kafka_offset_store(message.rkt, message.partition, message.offset);
  uncommitted_ = true;
}

void group_reader::on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions,
                                void* self) {
  const bool given = what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  if (std::string_view(rd_kafka_rebalance_protocol(handle)) == "COOPERATIVE") {
    rd_kafka_error_t* const error = given ? rd_kafka_incremental_assign(handle, partitions)
                                          : rd_kafka_incremental_unassign(handle, partitions);
    if (error != nullptr) rd_kafka_error_destroy(error);
  } else {
    rd_kafka_assign(handle, given ? partitions : nullptr);
  }
  static_cast<group_reader*>(self)->ready_ = given;
  rd_kafka_yield(handle);  // ends the wait, so that it is noticed
}

void group_reader::close(std::chrono::nanoseconds limit) noexcept {
  const auto begun = std::chrono::steady_clock::now();
  const auto until = begun + limit;
  if (std::exchange(uncommitted_, false)) {
    // Waited for: a group that is without this member already would not take it.
    const queue_pointer answers(rd_kafka_queue_new(handle_.get()));
    if (rd_kafka_commit_queue(handle_.get(), nullptr, answers.get(), nullptr, nullptr) == 0) {
      rd_kafka_event_t* const answer = rd_kafka_queue_poll(answers.get(), milliseconds_until(begun + limit / 2));
      if (answer != nullptr) rd_kafka_event_destroy(answer);
    }
  }
  // A queue of its own: the consumer's would be forwarded to itself.
  const queue_pointer last(rd_kafka_queue_new(handle_.get()));
  if (rd_kafka_error_t* const error = rd_kafka_consumer_close_queue(handle_.get(), last.get()); error != nullptr) {
    rd_kafka_error_destroy(error);
    return;
  }
  while (rd_kafka_consumer_closed(handle_.get()) == 0 && std::chrono::steady_clock::now() < until) {
    rd_kafka_event_t* const event = rd_kafka_queue_poll(last.get(), std::min(20, milliseconds_until(until)));
    if (event == nullptr) continue;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE) {
      on_rebalance(handle_.get(), rd_kafka_event_error(event), rd_kafka_event_topic_partition_list(event), this);
    }
    rd_kafka_event_destroy(event);
  }
}

}  // namespace switchgear::inline v1::kafka
