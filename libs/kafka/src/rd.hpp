// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/kafka_error.hpp>

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace switchgear::inline v1::kafka {

template <auto Free>
struct free_with {
  template <class T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};
using conf_pointer = std::unique_ptr<rd_kafka_conf_t, free_with<&rd_kafka_conf_destroy>>;
using topic_pointer = std::unique_ptr<rd_kafka_topic_t, free_with<&rd_kafka_topic_destroy>>;
using queue_pointer = std::unique_ptr<rd_kafka_queue_t, free_with<&rd_kafka_queue_destroy>>;
using list_pointer = std::unique_ptr<rd_kafka_topic_partition_list_t, free_with<&rd_kafka_topic_partition_list_destroy>>;
using message_pointer = std::unique_ptr<rd_kafka_message_t, free_with<&rd_kafka_message_destroy>>;
/// A consumer is closed in good time by who owns it, so that destroying it waits for nobody.
struct free_handle {
  void operator()(rd_kafka_t* handle) const noexcept { rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); }
};
using handle_pointer = std::unique_ptr<rd_kafka_t, free_handle>;

/// `ours` first, then `users` over them, then `fixed`, which nobody changes. Silent: librdkafka prints nothing. Throws
/// config_error
/// that names the option but shows no value.
[[nodiscard]] conf_pointer make_conf(const kafka_properties& ours, const kafka_properties& users, const kafka_properties& fixed);

/// Throws config_error. Values of `users` that may be secret do not appear in it.
[[nodiscard]] handle_pointer make_handle(rd_kafka_type_t type, conf_pointer conf, const kafka_properties& users);

/// `text` without the values of secret options.
[[nodiscard]] std::string hide_secrets(std::string text, const kafka_properties& users);

/// Whole milliseconds as librdkafka wants them, at least `least`.
[[nodiscard]] std::string milliseconds(std::chrono::nanoseconds d, int least = 1);
[[nodiscard]] int milliseconds_until(std::chrono::steady_clock::time_point when) noexcept;

/// How fast the client comes back to a broker that was away, and how it talks to it. Of every handle.
[[nodiscard]] kafka_properties connection_properties(const std::string& brokers, std::chrono::nanoseconds connect_timeout,
                                                     std::chrono::nanoseconds reconnect_backoff,
                                                     std::chrono::nanoseconds most_reconnect_backoff);

}  // namespace switchgear::inline v1::kafka
