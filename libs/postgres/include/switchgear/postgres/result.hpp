// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/postgres/errors.hpp>
#include <switchgear/postgres/value.hpp>

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

struct pg_result;  // of libpq

namespace switchgear::inline v1::postgres {

class row;

/// What a statement brought, all of it in memory. A handle: copies share the rows, which live as long as one of them.
///
///     for (const sg::postgres::row r : db.query("select id, name from users"))
///       greet(*r.get<int>("id"), r.get<std::string>("name").value_or("you"));
///
/// Thread safety: a result may be read from several threads.
class result {
 public:
  result() noexcept = default;
  explicit result(std::shared_ptr<const pg_result> data) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return rows_; }  ///< rows
  [[nodiscard]] bool empty() const noexcept { return rows_ == 0; }
  [[nodiscard]] std::size_t columns() const noexcept { return columns_; }
  /// Throws std::out_of_range.
  [[nodiscard]] std::string_view column_name(std::size_t column) const;
  /// The first column of that name. Throws std::out_of_range when there is none.
  [[nodiscard]] std::size_t column(std::string_view name) const;
  /// How many rows were inserted, changed, deleted or, for a query, found.
  [[nodiscard]] std::uint64_t affected_rows() const;

  /// Throws std::out_of_range.
  [[nodiscard]] row operator[](std::size_t index) const;
  /// The text of a field as the server wrote it, nothing when it is null. Lives as long as the result. Throws
  /// std::out_of_range.
  [[nodiscard]] std::optional<std::string_view> text(std::size_t index, std::size_t column) const;

  class iterator;
  [[nodiscard]] iterator begin() const noexcept;
  [[nodiscard]] iterator end() const noexcept;

 private:
  std::shared_ptr<const pg_result> data_;
  std::size_t rows_ = 0, columns_ = 0;
};

/// One row; lives as long as its result.
class row {
 public:
  row(const result& of, std::size_t index) noexcept : of_(&of), index_(index) {}

  /// A field as std::string, std::string_view, bool, a whole number, floating point or bytes; nothing when it is null. Throws
  /// std::out_of_range for a column that does not exist and conversion_error for a text that is no T.
  template <class T>
  [[nodiscard]] std::optional<T> get(std::size_t column) const;
  template <class T>
  [[nodiscard]] std::optional<T> get(std::string_view name) const {
    return get<T>(of_->column(name));
  }
  template <class T>
  [[nodiscard]] std::optional<T> get(const char* name) const {
    return get<T>(std::string_view(name));
  }
  template <class T>
  [[nodiscard]] std::optional<T> get(int column) const {
    return get<T>(static_cast<std::size_t>(column));
  }
  [[nodiscard]] bool is_null(std::size_t column) const { return !of_->text(index_, column); }

 private:
  [[noreturn]] void not_a(const char* type, std::size_t column) const;
  [[nodiscard]] static std::optional<bytes> to_bytes(std::string_view text);

  const result* of_;
  std::size_t index_;
};

/// Goes over the rows, in order. Valid as long as the result.
class result::iterator {
 public:
  using value_type = row;
  using difference_type = std::ptrdiff_t;
  iterator(const result& of, std::size_t index) noexcept : of_(&of), index_(index) {}
  [[nodiscard]] row operator*() const noexcept { return {*of_, index_}; }
  iterator& operator++() noexcept {
    ++index_;
    return *this;
  }
  friend bool operator==(const iterator&, const iterator&) = default;

 private:
  const result* of_;
  std::size_t index_;
};

/// @cond
inline result::iterator result::begin() const noexcept { return {*this, 0}; }
inline result::iterator result::end() const noexcept { return {*this, rows_}; }
/// @endcond

template <class T>
std::optional<T> row::get(std::size_t column) const {
  const std::optional<std::string_view> text = of_->text(index_, column);
  if (!text) return std::nullopt;
  if constexpr (std::same_as<T, std::string_view>) {
    return text;
  } else if constexpr (std::same_as<T, std::string>) {
    return std::string(*text);
  } else if constexpr (std::same_as<T, bool>) {
    if (*text == "t" || *text == "f") return *text == "t";
    not_a("bool", column);
  } else if constexpr (std::same_as<T, bytes>) {
    if (std::optional<bytes> data = to_bytes(*text)) return data;
    not_a("bytea", column);
  } else {
    static_assert(std::is_arithmetic_v<T>, "A field is a text, a number, a bool or bytes.");
    T number{};
    const char* const end = text->data() + text->size();
    const std::from_chars_result read = std::from_chars(text->data(), end, number);
    if (read.ec == std::errc() && read.ptr == end) return number;
    not_a("number of that kind", column);
  }
}

}  // namespace switchgear::inline v1::postgres
