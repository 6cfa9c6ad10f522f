// SPDX-License-Identifier: Apache-2.0
// refused: so what it returns has to be movable
#include <switchgear/time_limiter.hpp>
#include <switchgear/timeout.hpp>

#include <atomic>

namespace sg = switchgear;
using namespace std::chrono_literals;

// The result is made on another thread and has to come over.
int use() {
  const auto immovable = [] { return std::atomic<int>(2); };
#ifdef REFUSED
  return sg::time_limiter({.limit = 2s}).call(immovable).load();
#else
  return sg::timeout(2s).call(immovable).load();
#endif
}
