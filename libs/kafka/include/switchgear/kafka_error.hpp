// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/errors.hpp>
#include <switchgear/state.hpp>

#include <map>
#include <string>

namespace switchgear::inline v1 {

/// Options of librdkafka by their names: `security.protocol`, `sasl.username`, `ssl.ca.location`, … Values are never shown.
using kafka_properties = std::map<std::string, std::string>;

/// What librdkafka or a broker said instead of yes. Stands nested in the connection_error that an operation throws.
class kafka_error : public error {
 public:
  kafka_error(std::string what, int code) : error(std::move(what)), code_(code) {}
  /// A number of rd_kafka_resp_err_t: negative ones are librdkafka's own, positive ones the protocol's.
  [[nodiscard]] int code() const noexcept { return code_; }

 private:
  int code_;
};

namespace kafka {

/// What an error code (rd_kafka_resp_err_t) says of the brokers:
///
/// | verdict | which |
/// |---|---|
/// | success | `NO_ERROR` |
/// | timeout (a failure) | `_MSG_TIMED_OUT`, `_TIMED_OUT`, `_TIMED_OUT_QUEUE`, `REQUEST_TIMED_OUT` |
/// | ignored | see below |
/// | failure | everything else |
///
/// Ignored, because it is the caller's doing or the way things are: an unknown topic or partition; a name, size, key or argument
/// that is not allowed; no permission or wrong credentials; a configuration, version or feature that the broker does not have;
/// purged by ourselves; our own queue full. Among the failures: no transport, all brokers down, name not found, TLS broken;
/// leader, coordinator, replicas or storage not there; errors nobody foresaw.
///
/// A pure function. Any thread.
[[nodiscard]] verdict judge(int code) noexcept;

/// `UNKNOWN_TOPIC_OR_PART`, `_TRANSPORT`; `ERR_4711` for what this librdkafka does not know.
[[nodiscard]] std::string name_of(int code);

}  // namespace kafka
}  // namespace switchgear::inline v1
