// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace switchgear::inline v1::simulation {

/// What a command of the store answers, as RESP 2 knows it.
struct store_value {
  enum class kind : std::uint8_t { nil, integer, text, status, error, array };

  kind is = kind::nil;
  std::int64_t number = 0;
  std::string text;
  std::vector<store_value> items;

  [[nodiscard]] static store_value of(std::int64_t n) { return {kind::integer, n, {}, {}}; }
  [[nodiscard]] static store_value of(std::string s) { return {kind::text, 0, std::move(s), {}}; }
  [[nodiscard]] static store_value ok() { return {kind::status, 0, "OK", {}}; }
  [[nodiscard]] static store_value problem(std::string s) { return {kind::error, 0, std::move(s), {}}; }
  [[nodiscard]] static store_value list() { return {kind::array, 0, {}, {}}; }

  friend bool operator==(const store_value&, const store_value&) = default;
};

}  // namespace switchgear::inline v1::simulation
