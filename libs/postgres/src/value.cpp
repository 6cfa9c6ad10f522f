// SPDX-License-Identifier: Apache-2.0
#include <switchgear/postgres/value.hpp>

#include <charconv>
#include <cmath>

namespace switchgear::inline v1::postgres {

value::value(double number) : form_(form::text) {
  if (std::isnan(number)) {
    data_ = "NaN";
  } else if (std::isinf(number)) {
    data_ = number < 0 ? "-Infinity" : "Infinity";
  } else {
    char text[32];  // the shortest that reads back as the same number has at most 24 characters
    data_.assign(text, std::to_chars(text, text + sizeof text, number).ptr);
  }
}

value::value(std::span<const std::byte> data) : form_(form::binary), data_(data.size(), '\0') {
  if (!data.empty()) std::memcpy(data_.data(), data.data(), data.size());
}

}  // namespace switchgear::inline v1::postgres
