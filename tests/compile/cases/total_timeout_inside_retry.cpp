// SPDX-License-Identifier: Apache-2.0
// refused: timeout for all attempts stands inside
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/timeout.hpp>

namespace sg = switchgear;
using namespace std::chrono_literals;

// Each attempt would get it anew.
int use() {
#ifdef REFUSED
  const auto guarded = sg::pipeline(sg::retry(), sg::timeout(2s).total());
#else
  const auto guarded = sg::pipeline(sg::timeout(2s).total(), sg::retry());
#endif
  return guarded([] { return 2; });
}
