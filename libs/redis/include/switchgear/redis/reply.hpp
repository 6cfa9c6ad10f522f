// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace switchgear::inline v1::redis {

/// One value of the protocol, owned.
struct reply {
  enum class kind : std::uint8_t {
    nil,      ///< there is none
    text,     ///< bytes, any
    status,   ///< `OK`, `QUEUED`, `PONG`
    integer,
    error,    ///< the words of the server; they may quote arguments of the command, so they do not belong into a log
    array,
  };
  kind is = kind::nil;
  std::string text{};           ///< of text, status and error
  std::int64_t integer = 0;     ///< of integer
  std::vector<reply> elements{};  ///< of array; any of them may be an error (EXEC)

  [[nodiscard]] bool is_nil() const noexcept { return is == kind::nil; }
  [[nodiscard]] bool is_error() const noexcept { return is == kind::error; }
  /// Of an error its first word: `WRONGTYPE`; `ERR` when that is none. Else empty.
  [[nodiscard]] std::string error_code() const;

  friend bool operator==(const reply&, const reply&) = default;
};

}  // namespace switchgear::inline v1::redis
