// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace switchgear::inline v1::postgres {

/// A value of the type bytea.
using bytes = std::vector<std::byte>;

/// A parameter of a statement: `db.query("select $1::int + $2", {1, 2})`. Null (nullptr, nullopt, an empty optional), bool,
/// whole numbers, floating point, text in UTF-8, bytes. Its type in SQL is what the statement makes of it; a cast (`$1::int`)
/// says it where nothing else does. Bytes are `bytea`. A value is never shown by an error.
class value {
 public:
  enum class form : std::uint8_t { null, text, binary };

  value() noexcept = default;
  value(std::nullptr_t) noexcept {}
  value(std::nullopt_t) noexcept {}
  template <std::same_as<bool> B>
  value(B b) : form_(form::text), data_(b ? "t" : "f") {}
  template <std::integral I>
    requires(!std::same_as<I, bool> && !std::same_as<I, char> && !std::same_as<I, wchar_t> && !std::same_as<I, char8_t> &&
             !std::same_as<I, char16_t> && !std::same_as<I, char32_t>)
  value(I number) : form_(form::text), data_(std::to_string(number)) {}
  value(double number);
  value(float number) : value(static_cast<double>(number)) {}
  value(std::string text) noexcept : form_(form::text), data_(std::move(text)) {}
  value(std::string_view text) : form_(form::text), data_(text) {}
  value(const char* text) : form_(text == nullptr ? form::null : form::text), data_(text == nullptr ? "" : text) {}
  value(std::span<const std::byte> data);
  value(const bytes& data) : value(std::span<const std::byte>(data)) {}
  template <class T>
  value(const std::optional<T>& v) : value(v ? value(*v) : value()) {}

  [[nodiscard]] form is() const noexcept { return form_; }
  /// As it goes to the server.
  [[nodiscard]] const std::string& data() const noexcept { return data_; }

 private:
  form form_ = form::null;
  std::string data_;
};

}  // namespace switchgear::inline v1::postgres
