// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/event.hpp>
#include <switchgear/log/log_record.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace switchgear::inline v1::detail {

/// The kinds of events of which an outage makes many.
inline constexpr std::array limited_kinds{event_kind::rejected, event_kind::failure, event_kind::slow};

/// What was left out of one circuit and kind.
struct left_out {
  event_kind kind = event_kind::rejected;
  log_level level = log_level::info;  ///< the highest of them
  std::uint64_t count = 0;
  std::chrono::nanoseconds since{0};  ///< when the first of them came
  std::string service, source, instance;
};

/// Decides which lines are written. Takes the time as an argument, locks nothing and writes nothing.
class line_limit {
 public:
  line_limit(std::uint64_t lines, std::chrono::nanoseconds per, std::size_t max_circuits)
      : lines_(lines), per_(per), max_circuits_(max_circuits) {}

  struct answer {
    bool write = true;
    std::optional<left_out> before;   ///< of this circuit and kind, since its last line
    std::vector<left_out> forgotten;  ///< of a circuit that had to make room
  };
  /// For an event of one of limited_kinds.
  [[nodiscard]] answer ask(const event& e, log_level level, std::chrono::nanoseconds now);
  /// All that was left out of the circuit of an event; it begins anew.
  [[nodiscard]] std::vector<left_out> take(const event& e);
  /// The same of all circuits.
  [[nodiscard]] std::vector<left_out> take_all();

 private:
  struct budget {
    std::optional<std::chrono::nanoseconds> began;
    std::uint64_t lines = 0;
    std::uint64_t left_out = 0;
    std::chrono::nanoseconds since{0};
    log_level level = log_level::info;
  };
  struct circuit {
    std::string key, service, source, instance;
    std::array<budget, limited_kinds.size()> budgets;
  };
  using circuits = std::list<circuit>;  ///< heard of last first; never moves what the keys of known_ refer to

  [[nodiscard]] static std::string key_of(const event& e);
  [[nodiscard]] circuit& known(const event& e, std::vector<left_out>& forgotten);
  static std::optional<left_out> take(circuit& c, std::size_t kind);
  static void take(circuit& c, std::vector<left_out>& out);

  std::uint64_t lines_;
  std::chrono::nanoseconds per_;
  std::size_t max_circuits_;
  circuits circuits_;
  std::unordered_map<std::string_view, circuits::iterator> known_;
};

}  // namespace switchgear::inline v1::detail
