// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/simulation/report.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node.hpp"
#include "simulated_store.hpp"

namespace switchgear::inline v1::simulation {

/// How long what may last at most.
struct bounds {
  std::int64_t notices = 0;    ///< from the loss of the store until an instance is on its own
  std::int64_t agrees = 0;     ///< from the end of all faults until an instance has the link again and knows everything
  std::int64_t lags = 0;       ///< how old what an undisturbed instance knows may be
  std::int64_t ramps = 0;      ///< a whole ramp
  std::int64_t probes_in = 0;  ///< in a fleet that could probe, from one sign of life of its recovery to the next
};

/// Looks at everything that happens, and says when something happened that must not. The first violation is kept.
class checker {
 public:
  checker(const bounds& b, std::uint32_t limit, const std::int64_t& now) : bounds_(b), limit_(limit), now_(now) {}

  // --- what happens, for the trace ---
  void note(std::string_view instance, std::string_view what, std::string_view more = {});

  // --- the rules ---

  /// A probe leaves under a lease of the fleet, which its holder believes in until `ends` of its own clock. A number for
  /// probe_ended(), not 0.
  std::uint32_t probe_leaves(const node& n, std::int64_t ends);
  void probe_ended(std::uint32_t number);
  /// The instance has done something. Everything that can be said of it at any moment.
  void look(node& n);
  /// A call of an instance that lives alone: what its twin would have done.
  void compare(const node& n, bool admitted, bool twin_admitted);
  /// The store decided something.
  void store_says(const simulated_store::truth& truth);
  /// The store forgot, or there was a fault from which everything may lag anew.
  void disturbed() {
    truths_.clear();
    disturbed_ = last_change_ = now_;
  }
  /// A probe of an instance that has a link, to a circuit that the fleet holds open.
  void probe_has_right(const node& n, bool had_right);
  /// Now and then: whether a fleet whose circuit is due gets on.
  void progress(bool could_probe);
  /// At the end of a run, when faults and their consequences are over: `store` is what the store says.
  void agree(const node& n, const simulated_store::truth& store, bool alone_may_differ);

  void violate(std::string_view rule, std::string what, std::string_view instance);
  [[nodiscard]] const std::optional<violation>& found() const noexcept { return found_; }
  [[nodiscard]] std::uint32_t probes_at_once() const noexcept { return most_; }
  [[nodiscard]] std::int64_t last_change() const noexcept { return last_change_; }

 private:
  struct line {
    std::int64_t at = 0;
    std::array<char, 24> who{};
    std::array<char, 72> what{};
  };
  struct leased {
    std::uint32_t number;
    const node* holder;
    std::int64_t ends;
  };

  bounds bounds_;
  std::uint32_t limit_;
  const std::int64_t& now_;
  std::vector<leased> leased_;
  std::uint32_t last_number_ = 0;
  std::uint32_t most_ = 0;
  std::deque<std::pair<std::int64_t, simulated_store::truth>> truths_;
  std::int64_t got_on_ = 0;
  std::int64_t disturbed_ = 0;
  std::int64_t last_change_ = 0;
  std::array<line, 64> lines_;
  std::size_t next_line_ = 0;
  std::optional<violation> found_;
};

}  // namespace switchgear::inline v1::simulation
