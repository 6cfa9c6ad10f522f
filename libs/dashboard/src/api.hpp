// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit_log.hpp"
#include "board.hpp"
#include "feed.hpp"
#include "web/message.hpp"

#include <switchgear/circuit_source.hpp>
#include <switchgear/clock.hpp>
#include <switchgear/dashboard.hpp>
#include <switchgear/prometheus_collector.hpp>
#include <switchgear/subscription.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace switchgear::inline v1::detail {

/// Everything that the dashboard answers besides the page: the JSON of version 1, the stream, `/metrics`, `/healthz` and
/// `/readyz`. Who may ask has been judged before; actions look at web_request::may_act once more.
///
/// Thread safety: every function from any thread.
class api final : public web_handler {
 public:
  /// `time` measures rates and the steps of series; what people see is wall time. It outlives the api.
  api(std::shared_ptr<circuit_source> source, const dashboard_options& options, switchgear::clock& time = steady_clock());
  ~api() override;

  /// Reads the circuits and tells all streams what changed. To be called once before the first request and then every
  /// dashboard_options::refresh.
  void refresh();

  [[nodiscard]] web_answer answer(const web_request& request) override;
  [[nodiscard]] std::shared_ptr<void> open_stream(stream_writer write) override;

  /// How many actions were done.
  [[nodiscard]] std::uint64_t actions() const noexcept { return actions_.load(std::memory_order_relaxed); }
  /// How many streams are open.
  [[nodiscard]] std::size_t watching() const { return feed_.size(); }

 private:
  [[nodiscard]] web_answer look(const web_request& request);
  [[nodiscard]] web_answer act(const web_request& request, circuit_action::kind what);
  [[nodiscard]] web_answer act_on(circuit_action action, const web_request& request);
  [[nodiscard]] web_answer session(const web_request& request) const;
  [[nodiscard]] web_answer circuit(const web_request& request);
  [[nodiscard]] web_answer ready(const web_request& request);
  [[nodiscard]] web_answer metrics();
  void listen();
  void notice(std::string_view text) const noexcept;

  const std::shared_ptr<circuit_source> source_;
  const dashboard_options options_;
  board board_;
  audit_log audit_;
  feed feed_;
  prometheus_collector collector_;
  std::atomic<std::uint64_t> actions_{0};
  std::mutex reading_;         ///< one refresh at a time
  std::mutex acting_;          ///< one action at a time, so that the lines of one stand together
  std::mutex telling_;         ///< so that a stream begins between two refreshes, not within one
  std::string not_heard_;      ///< with `reading_` held: why the source cannot be heard
  std::optional<subscription> heard_;  ///< with `reading_` held; the last member, so that it ends first
};

}  // namespace switchgear::inline v1::detail
