// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../process.hpp"

#include <string>
#include <vector>

namespace switchgear::demo::fleet {

/// A port that the upstream may listen on again and again, though it is refused to everybody else also while the upstream is
/// dead: kept by a socket that is bound to it and does not listen. Calls to it are refused then.
class kept_port {
 public:
  /// Any free port of 127.0.0.1.
  kept_port();
  /// The same port on one more address of ours. Throws std::system_error.
  void keep_on(const std::string& address);
  [[nodiscard]] int number() const noexcept { return number_; }
  /// `127.0.0.1:PORT` and the others.
  [[nodiscard]] const std::vector<std::string>& addresses() const noexcept { return addresses_; }

 private:
  int number_ = 0;
  std::vector<descriptor> sockets_;
  std::vector<std::string> addresses_;
};

/// The process of the upstream, listening on each ADDRESS:PORT. Says `ready` on the descriptor `first_inherited`, then a line
/// of JSON for each probe that comes or goes, as the headers of overlap.hpp name it. On the next descriptor it is told `sick`
/// (answers 503) or `well`; it ends when that is closed at the other end. Probes take 30 to 80 ms, other calls 1 to 3 ms. The
/// exit status.
int run_fleet_upstream(const std::vector<std::string>& addresses);

}  // namespace switchgear::demo::fleet
