// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace switchgear::inline v1 {

/// The name of the breaker of an operation, `{type}:{function}`: `operation_key("storage", "save_task")` is
/// `storage:save_task`.
///
/// Different pairs never give the same key: in `type`, `:` is written `%3A`; in both, `%` and `~` are written `%25` and `%7E`,
/// and so are control characters and bytes that are not UTF-8. A key is always a valid name: of one that would be longer than
/// 200 bytes the first 167 stay, or up to three fewer, so that no character is cut, followed by `~` and 32 digits of a hash
/// (SipHash-2-4, 128 bits) of the whole.
[[nodiscard]] std::string operation_key(std::string_view type, std::string_view function);

/// The same for a function of a scope (namespace, class, module), `{type}:{scope}::{function}`: `worker:jobs::save`. In
/// `function`, `:` is written `%3A`, so `a`, `b::c` is another function than `a::b`, `c`. An empty scope is the global one,
/// `{type}:::{function}`. It is the key of the qualified name: `operation_key("worker", "jobs::save")` gives it too.
[[nodiscard]] std::string operation_key(std::string_view type, std::string_view scope, std::string_view function);

/// A place in the program, in the shape of std::source_location, which some compilers in use do not have yet. The column is 0:
/// unknown.
class code_location {
 public:
  [[nodiscard]] static constexpr code_location current(const char* file = __builtin_FILE(),
                                                       const char* function = __builtin_FUNCTION(),
                                                       std::uint_least32_t line = __builtin_LINE()) noexcept {
    code_location out;
    out.file_ = file;
    out.function_ = function;
    out.line_ = line;
    return out;
  }
  [[nodiscard]] constexpr const char* file_name() const noexcept { return file_; }
  [[nodiscard]] constexpr const char* function_name() const noexcept { return function_; }
  [[nodiscard]] constexpr std::uint_least32_t line() const noexcept { return line_; }
  [[nodiscard]] constexpr std::uint_least32_t column() const noexcept { return 0; }

 private:
  const char* file_ = "";
  const char* function_ = "";
  std::uint_least32_t line_ = 0;
};

namespace detail {
[[nodiscard]] std::string place_key(std::string_view type, std::string_view function, std::string_view file,
                                    std::uint_least32_t line, std::uint_least32_t column);
}

/// The same for a place in the program, `{type}:{function}@{file}:{line}`, and `:{column}` where that is known, as the compiler
/// names them: what stands on two lines, overloads, lambdas and functions of one name in unnamed namespaces included, has two
/// keys. In `file`, `:` is written `%3A`. The key changes when the code moves, so let files match it by its beginning. `where`
/// is a code_location or a std::source_location.
///
///     auto breaker = circuits.get(sg::operation_key("worker", sg::code_location::current()));
template <class Location>
  requires requires(const Location& w) {
    { w.function_name() } -> std::convertible_to<std::string_view>;
    { w.file_name() } -> std::convertible_to<std::string_view>;
    { w.line() } -> std::convertible_to<std::uint_least32_t>;
    { w.column() } -> std::convertible_to<std::uint_least32_t>;
  }
[[nodiscard]] std::string operation_key(std::string_view type, const Location& where) {
  return detail::place_key(type, where.function_name(), where.file_name(), where.line(), where.column());
}

/// The name of an agent's breaker, `agent.{name}`.
[[nodiscard]] std::string agent_key(std::string_view name);

}  // namespace switchgear::inline v1
