// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/adapter.hpp>
#include <switchgear/classifier.hpp>
#include <switchgear/errors.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace switchgear::inline v1::postgres {

/// Whose doing an error of the server is.
enum class blame : std::uint8_t {
  caller,      ///< bad SQL, bad values, a constraint, no permission: refused_error, no evidence
  contention,  ///< two transactions in each other's way: conflict_error, no evidence, worth another attempt
  server,      ///< the server is ill or cannot be reached: evidence
};
/// The name, `contention`.
[[nodiscard]] std::string_view to_string(blame b) noexcept;

/// What a code of the server stands for.
struct sqlstate_meaning {
  std::string_view name;  ///< of the condition or, if we have no name for that, of its class: `unique_violation`
  postgres::blame blame = blame::caller;
};

/// What an SQLSTATE means. The most specific row decides:
///
///     server       08 connection · 53 out of resources · 57 operator, shutdown, statement timeout · 58 system · F0 ·
///                  XX internal · 40003
///     contention   40 serialization failure, deadlock · 72
///     caller       22 data · 23 constraint · 28 password · 3D no such database · 40002 · 42 syntax, permission · 55 locked ·
///                  57P04 database dropped · P0 raised by a function · every other class, those of users too
[[nodiscard]] sqlstate_meaning meaning_of(std::string_view sqlstate) noexcept;

/// The server has a problem of its own, or cannot be reached: nested in the connection_error that a caller gets. Within a
/// transaction the function meets it bare.
class server_error : public error {
 public:
  server_error(std::string what, std::string code) : error(std::move(what)), code_(std::move(code)) {}
  /// The SQLSTATE; 08001 and 08006 also when the connection could not be made or was lost without a word of the server.
  [[nodiscard]] const std::string& code() const noexcept { return code_; }

 private:
  std::string code_;
};

/// Two transactions got into each other's way and this one was rolled back: the way of things, no evidence, and worth another
/// attempt of the whole transaction.
class conflict_error : public refused_error {
 public:
  using refused_error::refused_error;
};

/// The connection was lost, or the time was up, after COMMIT had been sent: the transaction may have been committed or rolled
/// back, and only the database knows. A failure of the server, never repeated. The cause is nested.
class commit_unknown_error : public connection_error {
 public:
  using connection_error::connection_error;
};

/// A field is not what it was asked for as. Names the column and never the value.
class conversion_error : public error {
 public:
  using error::error;
};

/// What is evidence against a server, for a breaker that is shared: everything but refused_error (conflicts too) and what a
/// transaction's function throws on its own account.
[[nodiscard]] classifier rules();

}  // namespace switchgear::inline v1::postgres
