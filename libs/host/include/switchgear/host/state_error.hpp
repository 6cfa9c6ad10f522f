// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/errors.hpp>

#include <string>

namespace switchgear::inline v1::host {

/// A state folder or state file that cannot be used. The text names it, says what is wrong and what to do.
class state_error : public error {
 public:
  enum class kind {
    missing,  ///< there is no circuit of that name
    refused,  ///< it is there, but it is damaged, foreign, of another version, or not private; it was left as it is
    system,   ///< the system refused an operation on it
    busy,     ///< another process holds what is needed, and did not let go in time; a later try may succeed
    full      ///< it has no place left
  };

  state_error(kind k, const std::string& text) : error(text), kind_(k) {}

  [[nodiscard]] kind what_kind() const noexcept { return kind_; }

 private:
  kind kind_;
};

}  // namespace switchgear::inline v1::host
