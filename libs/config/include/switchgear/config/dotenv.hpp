// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "switchgear/config.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1 {

/// One line of a `.env` file.
struct dotenv_entry {
  std::string name;
  std::string value;
  std::size_t line = 0;  ///< from 1
};

/// What a `.env` file says, in its order.
struct dotenv_file {
  std::string file_name;
  std::vector<dotenv_entry> entries;
};

/// A `.env` file that was read, usable only when there are no problems.
struct dotenv_result {
  dotenv_file file;

  /// Keys are `file:line`; no line is ever repeated in them, since it may hold a secret.
  std::vector<problem> problems;
};

/// Reads lines of the form `NAME=value`, `export NAME=value`, `NAME="value"` and `NAME='value'`.
///
/// - Names are letters, digits and `_`, not starting with a digit; white space around name and value does not count.
/// - A line that starts with `#` is a comment; behind a value, a comment is ` #` with white space before it.
/// - Between single quotes everything stands for itself. Between double quotes the escapes are `\n`, `\r`, `\t`, `\"`,
///   `\\` and `\$`. Quoted values may go over several lines. Nothing is ever expanded.
/// - Lines end in LF or CRLF; a byte-order mark is skipped. Reading goes on behind a bad line, so all are reported.
[[nodiscard]] dotenv_result parse_dotenv(std::string_view text, std::string_view file_name = ".env");

/// What a file that does not exist means.
enum class missing_file { is_empty, is_a_problem };

/// Reads the file at `path`.
[[nodiscard]] dotenv_result load_dotenv(const std::string& path, missing_file missing = missing_file::is_a_problem);

}  // namespace switchgear::inline v1
