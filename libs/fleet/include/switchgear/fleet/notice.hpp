// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace switchgear::inline v1::fleet {

/// How an instance stands to its fleet.
enum class link : std::uint8_t {
  connecting,  ///< has not reached the store yet: every circuit decides alone
  shared,      ///< decides with the others
  local,       ///< lost the store: every circuit decides alone until it is back
};

/// Something an operator may want to read, told once.
struct notice {
  enum class kind : std::uint8_t {
    shared,      ///< the circuits are shared from now on
    local_mode,  ///< the store is out of reach; each circuit goes on alone
    store_lost,  ///< the store had lost the fleet's records and gets them back from the instances
  };
  kind is = kind::shared;
  std::string text;  ///< one line, without credentials
};

}  // namespace switchgear::inline v1::fleet
