// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::detail {

/// Collects the problems of one set of options, each with its key, the value and the allowed range.
class validation {
 public:
  void name(std::string_view value);
  template <std::integral T>
  void in_range(std::string_view key, T value, std::int64_t least, std::int64_t most) {
    whole_in_range(key, static_cast<std::int64_t>(value), least, most);
  }
  void in_range(std::string_view key, double value, double least, double most);
  void in_range(std::string_view key, std::chrono::nanoseconds value, std::chrono::nanoseconds least,
                std::chrono::nanoseconds most);
  /// `good` or one problem.
  void expect(bool good, std::string_view key, std::string value, std::string allowed, std::string message);

  [[nodiscard]] std::vector<problem> take() { return std::move(problems_); }

 private:
  void whole_in_range(std::string_view key, std::int64_t value, std::int64_t least, std::int64_t most);
  std::vector<problem> problems_;
};

/// Throws config_error unless there are none.
void require_no(std::vector<problem> problems);

/// The longest duration that policies take.
inline constexpr std::chrono::nanoseconds a_day = std::chrono::hours(24);

}  // namespace switchgear::inline v1::detail
