// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "shared_file.hpp"

namespace switchgear::inline v1::host {

/// Looks at a file of shared circuits again and again, and says what must not be: within one look, and between one and the
/// next. For tests. Changes nothing.
class shared_checker {
 public:
  /// Everything that is wrong now, in words; empty when all is well. `quiet`: nobody is using the circuits just now, which
  /// allows of stricter checks.
  [[nodiscard]] std::vector<std::string> look(const shared_file& file, bool quiet = false);

  /// What was seen of the circuits so far, to show that something was.
  struct tally {
    std::uint64_t looks = 0, circuits = 0, generations = 0, torn = 0, probes = 0, overrides = 0;
  };
  [[nodiscard]] const tally& seen() const noexcept { return tally_; }

 private:
  struct remembered {
    std::uint64_t incarnation = 0, generation = 0, epoch = 0;
    machine::totals sums;
    std::vector<std::uint64_t> lanes;
  };
  void look_at(const shared_file& file, std::uint32_t circuit, const circuit_name& name, std::uint64_t incarnation, bool quiet,
               std::vector<std::string>& wrong);

  std::map<std::uint32_t, remembered> before_;
  tally tally_;
};

}  // namespace switchgear::inline v1::host
