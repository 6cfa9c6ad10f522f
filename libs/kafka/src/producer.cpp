// SPDX-License-Identifier: Apache-2.0
#include "producer.hpp"

#include <nlohmann/json.hpp>

#include <array>

namespace switchgear::inline v1::kafka {

producer::producer(conf_pointer conf, const kafka_properties& users, owner& told) : users_(users), owner_(told) {
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_dr_msg_cb(conf.get(), &on_delivery);
  rd_kafka_conf_set_error_cb(conf.get(), &on_error);
  rd_kafka_conf_set_stats_cb(conf.get(), &on_statistics);
  handle_ = make_handle(RD_KAFKA_PRODUCER, std::move(conf), users_);
  events_.reset(rd_kafka_queue_get_main(handle_.get()));
  thread_ = std::thread([this] {
    while (!stop_.load()) rd_kafka_poll(handle_.get(), 100);
  });
}

producer::~producer() {
  rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  stop_.store(true);
  rd_kafka_queue_yield(events_.get());
  thread_.join();
  while (queued() > 0) rd_kafka_poll(handle_.get(), 10);
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
  waiting_.fetch_add(1, std::memory_order_relaxed);
  rd_kafka_error_t* const error = rd_kafka_produceva(handle_.get(), parts.data(), n);
  if (error == nullptr) return 0;
  waiting_.fetch_sub(1, std::memory_order_relaxed);
  const int code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  if (code == RD_KAFKA_RESP_ERR__FATAL) broken_.store(true);
  return code;
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
  if (connected_.exchange(now) != now) owner_.connection_changed(now, why);
}

void producer::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  auto& me = *static_cast<producer*>(self);
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    me.set_connected(true, {});
  } else if (me.stop_.load() == false) {
    me.note_error(message->err, rd_kafka_err2str(message->err));
  }
  me.waiting_.fetch_sub(1, std::memory_order_relaxed);
  me.owner_.delivered(message->_private, message->err);
}

void producer::on_error(rd_kafka_t* handle, int code, const char* reason, void* self) {
  auto& me = *static_cast<producer*>(self);
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
  }
}

int producer::on_statistics(rd_kafka_t*, char* json, std::size_t length, void* self) {
  auto& me = *static_cast<producer*>(self);
  const auto read = nlohmann::json::parse(json, json + length, nullptr, false);
  if (!read.is_object() || !read.contains("brokers")) return 0;
  int up = 0;
  for (const auto& broker : read["brokers"]) {
    // The coordinators are named besides, as brokers of their own.
    if (broker.value("state", "") == "UP" && broker.value("source", "") != "logical") ++up;
  }
  me.brokers_up_.store(up, std::memory_order_relaxed);
  me.set_connected(up > 0, "no broker is connected");
  return 0;
}

}  // namespace switchgear::inline v1::kafka
