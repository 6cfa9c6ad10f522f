// SPDX-License-Identifier: Apache-2.0
#include <switchgear/errors.hpp>

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <random>

namespace switchgear::inline v1 {
namespace {

std::string open_text(const circuit_open_error::details& d) {
  std::string text = "circuit " + d.name + " is " + std::string(to_string(d.state)) +
                     " - service temporarily unavailable; ";
  switch (d.reason) {
    case rejection_reason::open: text += "rejected after " + std::to_string(d.failure_count) + " failures"; break;
    case rejection_reason::half_open_limit: text += "its probes are all out"; break;
    case rejection_reason::forced_open: text += "an operator holds it open"; break;
    case rejection_reason::ramp: text += "it has just recovered and admits a share of the calls"; break;
  }
  if (d.retry_after && d.retry_after->count() > 0) text += ", retry after " + format_duration(*d.retry_after);
  if (!d.context.transport.empty()) {
    text += " [" + d.context.transport + " " + d.context.operation + " " + d.context.target + "]";
  }
  return text;
}

circuit_open_error::details completed(circuit_open_error::details d) {
  if (d.correlation_id.empty()) d.correlation_id = make_uuid();
  return d;
}

std::optional<std::chrono::nanoseconds> not_negative(std::optional<std::chrono::nanoseconds> d) {
  return d && d->count() < 0 ? std::chrono::nanoseconds(0) : d;
}

std::string list(const std::vector<problem>& problems) {
  std::string text = "invalid configuration:";
  for (const problem& p : problems) text += "\n  " + to_string(p);
  return text;
}

}  // namespace

circuit_open_error::circuit_open_error(details d)
    : rejected_error(open_text(d), not_negative(d.retry_after)), details_(completed(std::move(d))) {}

call_timeout_error::call_timeout_error(std::string name, std::chrono::nanoseconds limit)
    : error(name + ": the call took longer than " + format_duration(limit)),
      name_(std::move(name)),
      limit_(limit) {}

config_error::config_error(std::vector<problem> problems) : error(list(problems)), problems_(std::move(problems)) {}

connection_error::connection_error(std::string what, error_context context, std::string correlation_id)
    : error(std::move(what)), context_(std::move(context)), correlation_id_(std::move(correlation_id)) {}

std::string make_uuid() {
  // 128 random bits once per process and a counter, mixed by splitmix64 (Steele, Lea, Flood 2014): no system call per id.
  struct seeds {
    std::uint64_t high, low;
    seeds() {
      std::random_device device;
      high = std::uint64_t{device()} << 32 | device();
      low = std::uint64_t{device()} << 32 | device();
    }
  };
  static const seeds seed;
  static std::atomic<std::uint64_t> counter{0};
  // A child process has the same bits and the same count: it goes on somewhere else.
  [[maybe_unused]] static const int at_fork = ::pthread_atfork(
      nullptr, nullptr, [] { counter.fetch_add(static_cast<std::uint64_t>(::getpid()) << 40, std::memory_order_relaxed); });
  const auto mix = [](std::uint64_t x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
  };
  const std::uint64_t n = counter.fetch_add(1, std::memory_order_relaxed) * 0x9e3779b97f4a7c15u;
  const std::uint64_t parts[2] = {(mix(seed.high + n) & 0xffffffffffff0fffu) | 0x4000u,
                                  (mix(seed.low ^ mix(n + seed.high)) & 0x3fffffffffffffffu) | 0x8000000000000000u};
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
    text += digits[parts[i / 16] >> (60 - 4 * (i % 16)) & 15];
  }
  return text;
}

}  // namespace switchgear::inline v1
