// SPDX-License-Identifier: Apache-2.0
// refused: timeout for each attempt stands outside
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/timeout.hpp>

namespace sg = switchgear;
using namespace std::chrono_literals;

// It would limit all attempts together.
int use() {
#ifdef REFUSED
  const auto guarded = sg::pipeline(sg::timeout(2s).per_attempt(), sg::retry());
#else
  const auto guarded = sg::pipeline(sg::retry(), sg::timeout(2s).per_attempt());
#endif
  return guarded([] { return 2; });
}
