// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/machine/machine.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace switchgear::inline v1::detail {

/// The last transitions of one breaker, small. Room for the first four is made at the start; it doubles when it is full, up
/// to the limit, so a transition allocates at most a few times in the life of a breaker.
class history {
 public:
  explicit history(std::uint32_t limit) : limit_(limit) { entries_.reserve(limit < 4 ? limit : 4); }

  void add(const machine::transition& t, std::shared_ptr<const std::string> text);
  void set_limit(std::uint32_t limit);

  struct item {
    machine::transition change;
    std::shared_ptr<const std::string> text;
  };
  /// Oldest first, in the order of their generations.
  [[nodiscard]] std::vector<item> list() const;
  /// What the operator said at the transition to `generation`, if that was his.
  [[nodiscard]] std::shared_ptr<const std::string> text_of(std::uint64_t generation) const;

 private:
  struct entry {
    std::uint64_t generation;
    machine::nanos at;
    std::uint32_t observed, limit, calls, failure_count;
    state from, to;
    machine::trigger why;
    std::shared_ptr<const std::string> text;
  };

  mutable std::mutex mutex_;
  std::vector<entry> entries_;  ///< a ring once it holds `limit_`
  std::uint32_t oldest_ = 0;
  std::uint32_t limit_;
};

}  // namespace switchgear::inline v1::detail
