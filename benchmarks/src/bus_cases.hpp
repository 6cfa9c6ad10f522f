// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace bench {

/// From publish() to the handler, one event at a time, over a redis-server on loopback; nanoseconds.
struct delivery_latency {
  double p50 = 0, p99 = 0;
};
[[nodiscard]] delivery_latency measure_redis_latency();

/// What a breaker of a registry costs more when the registry publishes to a local bus, with 10,000 of them; bytes.
[[nodiscard]] double measure_bytes_of_a_published_breaker();

/// A guarded call's 99th percentile in nanoseconds, its clock reads included: without a bus, and with a Redis bus that is well, whose server
/// hangs (SIGSTOP), whose server was killed.
struct outages {
  double without_bus = 0, with_bus = 0, server_stopped = 0, server_killed = 0;
};
[[nodiscard]] outages measure_outages();

}  // namespace bench
