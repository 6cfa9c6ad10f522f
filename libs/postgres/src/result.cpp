// SPDX-License-Identifier: Apache-2.0
#include <switchgear/postgres/result.hpp>

#include <libpq-fe.h>

#include <cstring>
#include <stdexcept>

namespace switchgear::inline v1::postgres {

result::result(std::shared_ptr<const pg_result> data) noexcept
    : data_(std::move(data)),
      rows_(static_cast<std::size_t>(PQntuples(data_.get()))),
      columns_(static_cast<std::size_t>(PQnfields(data_.get()))) {}

std::string_view result::column_name(std::size_t column) const {
  if (column >= columns_) throw std::out_of_range("there is no column " + std::to_string(column));
  return PQfname(data_.get(), static_cast<int>(column));
}

std::size_t result::column(std::string_view name) const {
  for (std::size_t i = 0; i < columns_; ++i) {
    if (name == PQfname(data_.get(), static_cast<int>(i))) return i;
  }
  throw std::out_of_range("there is no column " + std::string(name));
}

std::uint64_t result::affected_rows() const {
  if (!data_) return 0;
  // Only reads it; its parameter is older than const.
  const std::string_view text = PQcmdTuples(const_cast<PGresult*>(data_.get()));
  std::uint64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

row result::operator[](std::size_t index) const {
  if (index >= rows_) throw std::out_of_range("there is no row " + std::to_string(index));
  return {*this, index};
}

std::optional<std::string_view> result::text(std::size_t index, std::size_t column) const {
  if (index >= rows_) throw std::out_of_range("there is no row " + std::to_string(index));
  if (column >= columns_) throw std::out_of_range("there is no column " + std::to_string(column));
  const int r = static_cast<int>(index), c = static_cast<int>(column);
  if (PQgetisnull(data_.get(), r, c) != 0) return std::nullopt;
  return std::string_view(PQgetvalue(data_.get(), r, c), static_cast<std::size_t>(PQgetlength(data_.get(), r, c)));
}

void row::not_a(const char* type, std::size_t column) const {
  throw conversion_error("column " + std::string(of_->column_name(column)) + " is no " + type);
}

std::optional<bytes> row::to_bytes(std::string_view text) {
  std::size_t size = 0;
  const std::string terminated(text);
  const std::unique_ptr<unsigned char, void (*)(void*)> raw(
      PQunescapeBytea(reinterpret_cast<const unsigned char*>(terminated.c_str()), &size), &PQfreemem);
  if (!raw) return std::nullopt;
  bytes data(size);
  if (size != 0) std::memcpy(data.data(), raw.get(), size);
  return data;
}

}  // namespace switchgear::inline v1::postgres
