// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/fleet/instance_view.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::fleet {

// What goes to the store and comes back. Everything is text; whole numbers are decimal, without sign, spaces or leading zeros
// (but for the -1 that stands for "no end"). What comes from outside is read strictly: understood as a whole, or not at all.

/// The arguments of one operation of the script, from its name on.
struct request {
  std::uint64_t id = 0;
  std::vector<std::string> arguments;
};
using reply = std::vector<std::string>;

/// What the fleet says of a circuit.
enum class fleet_state : std::uint8_t { closed, open, forced_open, disabled };
/// Why.
enum class fleet_cause : std::uint8_t { none, rule, manual, probe, recovered, operated, evidence };

[[nodiscard]] std::string_view to_string(fleet_state s) noexcept;
/// `operated` is `operator` on the wire, which is no name in C++.
[[nodiscard]] std::string_view to_string(fleet_cause c) noexcept;
[[nodiscard]] std::string_view to_string(link l) noexcept;
[[nodiscard]] bool is_override(fleet_state s) noexcept;

inline constexpr std::size_t record_fields = 12;
inline constexpr std::size_t longest_text = 200;  ///< bytes of names, reasons, owners, instances
inline constexpr std::uint64_t most_number = (std::uint64_t{1} << 53) - 1;             ///< what a number of Lua holds exactly
inline constexpr std::chrono::milliseconds most_time = std::chrono::hours(24 * 3650);  ///< ten years, as the script has it

/// The truth about one circuit, as the store has it. One that nobody decided about has epoch 0 and is closed.
struct record {
  std::string name;
  std::uint64_t epoch = 0;
  fleet_state state = fleet_state::closed;
  std::chrono::milliseconds remaining{-1};  ///< open: until half-open, 0 = due · override: until its end, -1 = none · closed: -1
  std::uint32_t attempt = 0;
  std::uint32_t failure_count = 0;
  std::uint32_t successes = 0;
  fleet_cause cause = fleet_cause::none;
  std::string reason;
  std::string owner;
  std::string by;
  std::uint64_t version = 0;

  friend bool operator==(const record&, const record&) = default;
};

void write(const record& r, std::vector<std::string>& out);
/// Exactly record_fields texts.
[[nodiscard]] std::optional<record> read_record(std::span<const std::string> fields);

/// A message of the channel.
struct news_item {
  std::string incarnation;
  record what;
};
[[nodiscard]] std::optional<news_item> read_news(std::string_view message);

/// Why the fleet decided so, for histories and events: `fleet: web-3 opened: 5 consecutive failures (threshold 5)`.
[[nodiscard]] std::string decision_text(const record& r);
/// One line of at most longest_text bytes: control characters become spaces, and a character is not cut in two. What is no
/// UTF-8 becomes `?`.
[[nodiscard]] std::string one_line(std::string_view text);

/// What all replies begin with.
enum class status : std::uint8_t { ok, more, all, done, voted, granted, busy, stale, lost };
struct reply_head {
  fleet::status status = fleet::status::ok;
  std::string incarnation;
  std::uint64_t version = 0;
};

/// Reads a reply from front to back; after the first thing that is not what was asked for, everything fails.
class reply_reader {
 public:
  explicit reply_reader(std::span<const std::string> texts) noexcept : rest_(texts) {}

  [[nodiscard]] std::optional<reply_head> head();
  [[nodiscard]] std::optional<std::uint64_t> number(std::uint64_t most = most_number);
  [[nodiscard]] std::optional<std::string> line();
  [[nodiscard]] std::optional<record> next_record();
  /// Whether all was read and understood.
  [[nodiscard]] bool complete() const noexcept { return good_ && rest_.empty(); }

 private:
  [[nodiscard]] const std::string* take() noexcept;
  std::span<const std::string> rest_;
  bool good_ = true;
};

[[nodiscard]] std::optional<std::uint64_t> read_number(std::string_view text, std::uint64_t most = most_number) noexcept;

/// What an instance tells of a circuit, one line of JSON: {"state":"open","since_ms":1500,"calls":7,"failures":5,"rejections":1,
/// "link":"shared"}. The instance is the key it is stored under. Members that are not known are skipped.
[[nodiscard]] std::string view_text(const instance_view& v);
[[nodiscard]] std::optional<instance_view> read_view(std::string_view instance, std::string_view json);

}  // namespace switchgear::inline v1::fleet
