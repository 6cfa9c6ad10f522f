// SPDX-License-Identifier: Apache-2.0
#include "producer.hpp"

#include <switchgear/detail/library_thread.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace switchgear::inline v1::kafka {
namespace {

using namespace std::chrono_literals;
using time = std::chrono::steady_clock;

constexpr int until_woken = 60'000;  // milliseconds
/// Longer than this nobody waits to learn whether a topic is refused.
constexpr std::chrono::nanoseconds longest_question = 250ms;
constexpr std::chrono::nanoseconds answer_lasts = 1s;

struct free_metadata {
  void operator()(const struct rd_kafka_metadata* m) const noexcept { rd_kafka_metadata_destroy(m); }
};

}  // namespace

producer::producer(conf_pointer conf, const kafka_properties& users, owner& told) : users_(users), owner_(told) {
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_dr_msg_cb(conf.get(), &on_delivery);
  rd_kafka_conf_set_error_cb(conf.get(), &on_error);
  rd_kafka_conf_set_stats_cb(conf.get(), &on_statistics);
  handle_ = make_handle(RD_KAFKA_PRODUCER, std::move(conf), users_);
  events_.reset(rd_kafka_queue_get_main(handle_.get()));
  thread_ = std::thread([this] { serve(); });
}

void producer::serve() noexcept {
  switchgear::detail::own_no_lane();
  while (!stop_.load()) {
    if (queued() == 0) {
      rd_kafka_poll(handle_.get(), until_woken);  // send() wakes it, as the end does
      continue;
    }
    const std::uint64_t before = deliveries_;
    rd_kafka_poll(handle_.get(), 50);
    // A thread of librdkafka that was just told where a partition is may sleep for a second over the record that waits for it.
    // This wakes them all.
    if (deliveries_ == before && queued() != 0) rd_kafka_flush(handle_.get(), 0);
  }
}

producer::~producer() {
  stop_.store(true);
  rd_kafka_queue_yield(events_.get());
  thread_.join();
  while (queued() > 0) {
    // Again and again: a record that is just on its way from one queue of librdkafka to the next is overlooked.
    rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_poll(handle_.get(), 10);
  }
  events_.reset();
}

int producer::send(const record& r, void* what) noexcept {
  constexpr std::size_t most = 40;  // of headers and of what comes with them
  std::array<rd_kafka_vu_t, most> parts{};
  std::size_t n = 0;
  const auto next = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
    parts[n].vtype = type;
    return parts[n++];
  };
  if (r.headers.size() + 5 > most) return RD_KAFKA_RESP_ERR__INVALID_ARG;
  next(RD_KAFKA_VTYPE_TOPIC).u.cstr = r.topic;
  next(RD_KAFKA_VTYPE_MSGFLAGS).u.i = RD_KAFKA_MSG_F_COPY;
  next(RD_KAFKA_VTYPE_OPAQUE).u.ptr = what;
  const auto bytes = [](std::string_view text) { return const_cast<char*>(text.data() == nullptr ? "" : text.data()); };
  if (r.key) {
    auto& part = next(RD_KAFKA_VTYPE_KEY);
    part.u.mem.ptr = bytes(*r.key);
    part.u.mem.size = r.key->size();
  }
  if (r.value) {
    auto& part = next(RD_KAFKA_VTYPE_VALUE);
    part.u.mem.ptr = bytes(*r.value);
    part.u.mem.size = r.value->size();
  }
  std::array<std::string, most> names;
  for (const auto& [name, value] : r.headers) {
    names[n] = name;  // librdkafka wants an end
    auto& part = next(RD_KAFKA_VTYPE_HEADER);
    part.u.header.name = names[n - 1].c_str();
    part.u.header.val = bytes(value);
    part.u.header.size = static_cast<ssize_t>(value.size());
  }
  if (waiting_.fetch_add(1, std::memory_order_relaxed) == 0) rd_kafka_queue_yield(events_.get());
  rd_kafka_error_t* const error = rd_kafka_produceva(handle_.get(), parts.data(), n);
  if (error == nullptr) return 0;
  waiting_.fetch_sub(1, std::memory_order_relaxed);
  const int code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  if (rd_kafka_fatal_error(handle_.get(), nullptr, 0) != 0) broken_.store(true);
  return code;
}

int producer::refusal_of(const char* topic, std::chrono::nanoseconds limit) noexcept {
  if (!connected()) {
    if (const int why = not_let_in_.load(); why != 0) return why;
  }
  try {
    {
      const std::lock_guard lock(mutex_);
      const auto known = answers_.find(std::string_view(topic));
      if (known != answers_.end() && time::now() - known->second.at < answer_lasts) return known->second.code;
    }
    const int code = look_up(topic, std::min(limit, longest_question));
    const std::lock_guard lock(mutex_);
    if (answers_.size() >= 1000) answers_.clear();
    answers_[topic] = {code, time::now()};
    return code;
  } catch (...) {  // no memory
    return 0;
  }
}

int producer::look_up(const char* topic, std::chrono::nanoseconds limit) {
  const topic_pointer asked(rd_kafka_topic_new(handle_.get(), topic, nullptr));
  if (!asked) return 0;
  const struct rd_kafka_metadata* raw = nullptr;
  const auto wait = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(limit).count());
  if (rd_kafka_metadata(handle_.get(), 0, asked.get(), &raw, wait) != 0) return 0;  // no news of the topic
  const std::unique_ptr<const struct rd_kafka_metadata, free_metadata> found(raw);
  if (found->topic_cnt != 1) return 0;
  const int code = found->topics[0].err;
  return judge(code) == verdict::ignored ? code : 0;
}

std::string producer::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

void producer::note_error(int code, std::string text) {
  const std::lock_guard lock(mutex_);
  last_error_ = name_of(code) + ": " + hide_secrets(std::move(text), users_);
}

void producer::set_connected(bool now, const std::string& why) noexcept {
  if (now) not_let_in_.store(0);
  if (connected_.exchange(now) != now) owner_.connection_changed(now, why);
}

void producer::on_delivery(rd_kafka_t* handle, const rd_kafka_message_t* message, void* self) {
  auto& me = *static_cast<producer*>(self);
  int code = message->err;
  if (code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT) {
    // librdkafka gives everything up when it can go on no more: this is why.
    if (const int fatal = rd_kafka_fatal_error(handle, nullptr, 0); fatal != 0) {
      code = fatal;
      me.broken_.store(true);  // the error itself may come only after this report
    }
  } else if (code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT && !me.stop_.load() && (me.connected() || me.not_let_in_.load() != 0)) {
    if (const int refusal = me.refusal_of(rd_kafka_topic_name(message->rkt), longest_question); refusal != 0) code = refusal;
  }
  ++me.deliveries_;
  try {
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      me.set_connected(true, {});
    } else if (!me.stop_.load()) {
      me.note_error(code, rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(code)));
    }
  } catch (...) {
    // No memory for the text.
  }
  me.waiting_.fetch_sub(1, std::memory_order_relaxed);
  me.owner_.delivered(message->_private, code);
}

void producer::on_error(rd_kafka_t* handle, int code, const char* reason, void* self) {
  auto& me = *static_cast<producer*>(self);
  try {
    std::string text = reason == nullptr ? "" : reason;
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
      std::array<char, 512> why{};
      code = rd_kafka_fatal_error(handle, why.data(), why.size());
      text = why.data();
      me.broken_.store(true);
    }
    me.note_error(code, text);
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
      me.brokers_up_.store(0, std::memory_order_relaxed);
      me.set_connected(false, hide_secrets(text, me.users_));
    } else {
      me.not_let_in_.store(judge(code) == verdict::ignored ? code : 0);
    }
  } catch (...) {
    // No memory: what it was about will be told again.
  }
}

int producer::on_statistics(rd_kafka_t*, char* json, std::size_t length, void* self) {
  auto& me = *static_cast<producer*>(self);
  try {
    const auto read = nlohmann::json::parse(json, json + length, nullptr, false);
    if (!read.is_object() || !read.contains("brokers")) return 0;
    int up = 0;
    for (const auto& broker : read["brokers"]) {
      // The coordinators are named besides, as brokers of their own.
      if (broker.value("state", "") == "UP" && broker.value("source", "") != "logical") ++up;
    }
    me.brokers_up_.store(up, std::memory_order_relaxed);
    me.set_connected(up > 0, "no broker is connected");
  } catch (...) {
    // No memory, or statistics of another shape: the next delivery or error tells.
  }
  return 0;
}

}  // namespace switchgear::inline v1::kafka
