// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace switchgear::demo::fleet {

/// What a request is to the one who sent it, as its header says.
enum class probe_kind : std::uint8_t {
  none,   ///< an ordinary call
  fleet,  ///< a probe under a lease of the fleet
  local,  ///< a probe of an instance that is on its own
};
inline constexpr std::string_view probe_header = "X-Switchgear-Probe";        ///< `fleet`, `local` or `none`
inline constexpr std::string_view instance_header = "X-Switchgear-Instance";  ///< the number of the process

[[nodiscard]] std::string_view to_string(probe_kind k) noexcept;
[[nodiscard]] std::optional<probe_kind> probe_kind_of(std::string_view text) noexcept;

/// The value of a header in the head of an HTTP request, whatever the case of its name; nothing when it is not there.
[[nodiscard]] std::optional<std::string> header_of(std::string_view head, std::string_view name);

/// Counts how many probes are at the upstream at a time. A probe is there from the moment its request is read until its
/// answer is about to be sent, or its connection is gone.
class overlap {
 public:
  /// `id` is the caller's name for this one request; not one that is there already.
  void begin(std::uint64_t id, probe_kind kind, int instance);
  /// Whether it was there.
  bool end(std::uint64_t id);

  [[nodiscard]] int fleet() const noexcept { return fleet_; }
  [[nodiscard]] int local() const noexcept;
  [[nodiscard]] int local_of(int instance) const noexcept;

 private:
  struct probe {
    probe_kind kind;
    int instance;
  };
  std::map<std::uint64_t, probe> there_;
  int fleet_ = 0;
  std::map<int, int> local_;
};

}  // namespace switchgear::demo::fleet
