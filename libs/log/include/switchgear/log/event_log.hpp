// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/clock.hpp>
#include <switchgear/config.hpp>
#include <switchgear/event.hpp>
#include <switchgear/log/log_record.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

/// How an event_log writes.
struct event_log_options {
  /// Nothing that matters less is written.
  log_level least = log_level::info;

  /// Of each circuit, and of rejected, failure and slow each, at most this many lines are written in any `per`; 1 … 1,000,000.
  /// Transitions are always written.
  std::int64_t lines_per_circuit = 1;
  std::chrono::nanoseconds per = std::chrono::seconds(10);  ///< 1 ms … 24 h

  /// How many circuits the limit remembers, 1 … 1,000,000 (some hundred bytes each). The one that was heard of longest ago is
  /// forgotten first, after what was left out of it has been told.
  std::int64_t max_circuits = 10'000;

  /// Every problem at once; empty when the options are good.
  [[nodiscard]] std::vector<problem> validate() const;
};

/// What an event_log has done so far.
struct event_log_metrics {
  std::uint64_t lines = 0;     ///< given to the sink
  std::uint64_t left_out = 0;  ///< by the limit
  std::uint64_t failed = 0;    ///< of those lines, by a sink that threw
};

namespace detail {
class event_log_state;
}

/// Makes lines of a log from the events of circuits.
///
///     sg::event_log log{sg::json_lines(std::clog)};
///     auto listening = circuits.observe(log.handler(), sg::event_filter::problems);
///
/// Each transition is one line. An outage makes many rejections, failures and slow calls: of these few are written. The next line
/// of that kind tells how many were left out, `… and 4711 more in the last 10 s`, with the number as the field `left_out`; where
/// the next transition of the circuit comes first, a line before it does.
///
/// Thread safety: every function, and the handlers, from any thread at any time. The sink is called outside every lock, on the
/// thread that brings the event, so by several at a time where there are several sources. One that throws is counted and changes
/// nothing else. Handlers keep what they need and may outlive the log; the clock outlives both.
class event_log {
 public:
  /// What observe() and subscribe() take.
  class handler_type {
   public:
    void operator()(const event& e) const noexcept;
    void operator()(std::string_view topic, const event& e) const noexcept;

   private:
    friend event_log;
    explicit handler_type(std::shared_ptr<detail::event_log_state> state) : state_(std::move(state)) {}
    std::shared_ptr<detail::event_log_state> state_;
  };

  /// Throws config_error with every problem of the options, and for an empty sink.
  explicit event_log(log_sink sink, event_log_options options = {}, clock& source = steady_clock());

  [[nodiscard]] handler_type handler() const { return handler_type(state_); }
  /// Tells now what was left out so far: for programs that end.
  void flush() noexcept;
  [[nodiscard]] event_log_metrics metrics() const noexcept;

 private:
  std::shared_ptr<detail::event_log_state> state_;
};

}  // namespace switchgear::inline v1
