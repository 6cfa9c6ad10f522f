// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/simulation/report.hpp>

#include <cstdint>
#include <vector>

#include "upstream.hpp"

namespace switchgear::inline v1::simulation {

/// Counts what happens to calls, in parts of half a second, and makes the figures of the report from it.
class figures {
 public:
  static constexpr std::int64_t part = 500'000'000;

  struct bucket {
    std::uint32_t asked = 0;     ///< calls that instances wanted to make
    std::uint32_t reached = 0;   ///< … that reached the upstream
    std::uint32_t good = 0;      ///< of these, those that succeeded
    double capacity = 0;         ///< calls that it could work off
    std::uint32_t open = 0;      ///< at the end
    std::uint32_t probes = 0;    ///< most in flight at a time
  };

  void trouble_begins(std::int64_t now, std::uint32_t present);
  void trouble_ends(std::int64_t now);
  [[nodiscard]] bool in_trouble() const noexcept { return in_trouble_; }

  void asked(bool admitted);
  void reached(const upstream::answer& a, bool in_trouble, bool probe);
  void probe_ended() { --probes_now_; }
  void one_knows(std::int64_t now, std::uint32_t present);
  /// The circuit of one instance is not closed any more, or closed again, or gone.
  void one_opened(bool open) { open_now_ += open ? 1 : -1; }
  /// The part that ends now; `capacity` in calls a second at this moment.
  void end_part(double capacity);
  /// Whether this is the first trouble, the one that times to detect count from.
  [[nodiscard]] bool detecting() const noexcept { return in_trouble_ && troubles_ == 1; }

  void put_into(report& r) const;

 private:
  std::vector<bucket> parts_;
  bucket now_;
  double capacity_before_ = -1;
  std::int64_t trouble_at_ = -1, revived_at_ = -1;
  std::uint32_t troubles_ = 0;
  bool in_trouble_ = false;
  std::uint32_t know_ = 0;
  std::int64_t open_now_ = 0;
  std::uint32_t probes_now_ = 0, probes_most_ = 0;
  std::uint64_t calls_ = 0, admitted_ = 0, wasted_ = 0, probes_ = 0, failed_after_ = 0;
  std::int64_t first_ = -1, half_ = -1, most_ = -1;
};

}  // namespace switchgear::inline v1::simulation
