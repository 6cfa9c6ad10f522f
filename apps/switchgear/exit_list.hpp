// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <string_view>

/// A set of exit statuses, written `1,2,64-78`.
class exit_list {
 public:
  exit_list() = default;
  /// Throws usage_error that names `option` and what it could not read.
  exit_list(std::string_view text, std::string_view option);

  [[nodiscard]] bool empty() const noexcept { return statuses_.none(); }
  [[nodiscard]] bool has(int status) const noexcept {
    return status >= 0 && status < 256 && statuses_[static_cast<std::size_t>(status)];
  }

 private:
  std::bitset<256> statuses_;
};
