// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>
#include <switchgear/errors.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1 {

/// What a registry has to tell that is nobody's exception.
enum class registry_report_kind : std::uint8_t {
  different_configuration,  ///< a breaker was asked for again, with another configuration; the existing one was given
  file_refused,             ///< the file could not be taken up; what was in force stays
  reconfigure_refused,      ///< one breaker could not take up what a good file says; it keeps what it has
  environment_unreadable,   ///< PREFIX_ENABLED says neither yes nor no; it counts as not set
  full,                     ///< no room for another name; an unguarded pass-through was given
  not_watching,             ///< the system does not tell of changes of the file, so it is polled
  file_hidden               ///< the file has a table for a breaker that was given a whole configuration, which hides it
};

/// The lower-case name, `file_refused`.
[[nodiscard]] std::string_view to_string(registry_report_kind k) noexcept;

/// One report. One that is kept already is not kept twice but counted; a refused file, when nothing else was refused since.
struct registry_report {
  registry_report_kind kind = registry_report_kind::different_configuration;
  std::string name;               ///< of the breaker; empty when it concerns none or all
  std::string message;            ///< one sentence; may show names that come from outside, as they are
  std::vector<problem> problems;  ///< of a refusal
  std::uint64_t times = 1;
};

/// `file_refused: circuits.toml: …`, one line, with the problems in it.
[[nodiscard]] std::string to_string(const registry_report& r);

/// A registry has no room for another name: it is full, and no breaker that may go was found, see registry.
class registry_full_error : public error {
 public:
  registry_full_error(std::string name, std::size_t limit);
  [[nodiscard]] const std::string& name() const noexcept { return name_; }    ///< that was asked for
  [[nodiscard]] std::size_t limit() const noexcept { return limit_; }         ///< registry_options::max_breakers

 private:
  std::string name_;
  std::size_t limit_;
};

}  // namespace switchgear::inline v1
