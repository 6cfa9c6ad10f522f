// SPDX-License-Identifier: Apache-2.0
#include <switchgear/state.hpp>

#include <ostream>

namespace switchgear::inline v1 {

std::string_view to_string(state s) noexcept {
  switch (s) {
    case state::closed: return "closed";
    case state::open: return "open";
    case state::half_open: return "half_open";
    case state::forced_open: return "forced_open";
    case state::disabled: return "disabled";
  }
  return "unknown";
}

std::string_view to_string(verdict v) noexcept {
  switch (v) {
    case verdict::success: return "success";
    case verdict::failure: return "failure";
    case verdict::timeout: return "timeout";
    case verdict::ignored: return "ignored";
    case verdict::abandoned: return "abandoned";
  }
  return "unknown";
}

std::string_view to_string(rejection_reason r) noexcept {
  switch (r) {
    case rejection_reason::open: return "open";
    case rejection_reason::half_open_limit: return "half_open_limit";
    case rejection_reason::forced_open: return "forced_open";
    case rejection_reason::ramp: return "ramp";
  }
  return "unknown";
}

std::ostream& operator<<(std::ostream& out, state s) { return out << to_string(s); }
std::ostream& operator<<(std::ostream& out, verdict v) { return out << to_string(v); }
std::ostream& operator<<(std::ostream& out, rejection_reason r) { return out << to_string(r); }

}  // namespace switchgear::inline v1
