// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/registry_options.hpp>

#include "layering.hpp"
#include "report_log.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace switchgear::inline v1::detail {

/// PREFIX_ENABLED, read whenever it is asked. Thread safety: every function from any thread.
class environment_switch {
 public:
  /// `fallback` is what a `.env` file says, which counts where the variable is not set.
  environment_switch(const registry_options& options, std::optional<std::string> fallback);

  /// A value that cannot be read counts as not set, and is reported when it is another one than the last such.
  [[nodiscard]] environment_says read(report_log& reports) const;
  /// What it said when it last did not say no, or nothing: as far as anybody has asked.
  [[nodiscard]] environment_says last_permission() const noexcept { return permission_.load(std::memory_order_relaxed); }
  /// What a text says; nothing when it says neither yes nor no.
  [[nodiscard]] environment_says meaning(std::string_view text) const;

 private:
  [[nodiscard]] environment_says look(report_log& reports) const;

  std::string prefix_;
  std::string name_;
  std::function<std::optional<std::string>(std::string_view)> read_;  ///< empty: std::getenv
  std::optional<std::string> fallback_;
  mutable std::mutex mutex_;
  mutable std::optional<std::string> reported_;
  mutable std::atomic<environment_says> permission_{environment_says::nothing};  ///< relaxed: it orders nothing
};

}  // namespace switchgear::inline v1::detail
