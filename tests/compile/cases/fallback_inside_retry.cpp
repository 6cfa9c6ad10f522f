// SPDX-License-Identifier: Apache-2.0
// refused: fallback inside a retry hides every failure
#include <switchgear/fallback.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>

namespace sg = switchgear;
using namespace std::chrono_literals;

// Nothing would ever be retried.
int use() {
#ifdef REFUSED
  const auto guarded = sg::pipeline(sg::retry(), sg::fallback(1));
#else
  const auto guarded = sg::pipeline(sg::fallback(1), sg::retry());
#endif
  return guarded([] { return 2; });
}
