// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/machine/machine.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace switchgear::inline v1::detail {

/// The last transitions of one breaker, small. Room for the first three (one whole circle) is made at the start; it doubles
/// when it is full, up to the limit, so a transition allocates at most a few times in the life of a breaker. Not
/// thread-safe: its breaker sees to that.
class history {
 public:
  explicit history(std::uint32_t limit) : limit_(limit) { entries_.reserve(limit < 3 ? limit : 3); }

  void add(const machine::transition& t, const std::string* text);
  void set_limit(std::uint32_t limit);

  struct item {
    machine::transition change;
    std::string text;
  };
  /// Oldest first, in the order of their generations.
  [[nodiscard]] std::vector<item> list() const;
 private:
  struct entry {
    machine::nanos at;
    std::uint64_t generation : 40;
    std::uint64_t from : 4, to : 4, why : 8;  ///< state, state, machine::trigger
    std::uint32_t observed, limit, calls, failure_count;
    std::unique_ptr<const std::string> text;
  };

  std::vector<entry> entries_;  ///< a ring once it holds `limit_`
  std::uint32_t oldest_ = 0;
  std::uint32_t limit_;
};

}  // namespace switchgear::inline v1::detail
