// SPDX-License-Identifier: Apache-2.0
#include <switchgear/http/message.hpp>

#include "text.hpp"

namespace switchgear::inline v1::http {

std::optional<std::string_view> response::find_header(std::string_view name) const noexcept {
  for (const auto& [key, value] : headers) {
    if (detail::same_name(key, name)) return value;
  }
  return std::nullopt;
}

}  // namespace switchgear::inline v1::http
