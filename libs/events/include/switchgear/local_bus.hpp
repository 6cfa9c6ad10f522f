// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/event_bus.hpp>

#include <memory>

namespace switchgear::inline v1 {

namespace detail {
class dispatcher;
}

/// The bus within one process. Thread safety: as event_bus has it.
///
///     sg::local_bus bus;
///     sg::registry circuits{{.bus = &bus}};
///     auto subscription = bus.subscribe(sg::topics::state, [](std::string_view topic, const sg::event& e) { … });
class local_bus final : public event_bus {
 public:
  /// Throws config_error.
  explicit local_bus(event_bus_options options = {});
  ~local_bus() override;

  void start() override;
  void close() noexcept override;
  void publish(const event& e) noexcept override;
  void withdraw(std::string_view service, std::string_view instance) noexcept override;
  subscription subscribe(std::string_view pattern, handler h, subscribe_options how = {}) override;
  bool flush(std::chrono::nanoseconds limit) override;
  [[nodiscard]] bus_metrics metrics() const override;

 private:
  std::shared_ptr<detail::dispatcher> dispatcher_;
};

/// One bus for those who want to share one; made at first use and closed at the end of the program, after whatever was
/// made later.
[[nodiscard]] event_bus& default_bus();

}  // namespace switchgear::inline v1
