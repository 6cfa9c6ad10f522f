// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/registry_report.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

namespace switchgear::inline v1::detail {

/// The last reports of a registry. Thread safety: every function from any thread; the callback runs outside the lock.
class report_log {
 public:
  report_log(std::size_t most, std::function<void(const registry_report&)> on_report)
      : most_(most), on_report_(std::move(on_report)) {}

  void add(registry_report report);
  [[nodiscard]] std::vector<registry_report> list() const;
  [[nodiscard]] std::uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  const std::size_t most_;
  const std::function<void(const registry_report&)> on_report_;
  std::atomic<std::uint64_t> count_{0};
  mutable std::mutex mutex_;
  std::deque<registry_report> kept_;
};

}  // namespace switchgear::inline v1::detail
