// SPDX-License-Identifier: Apache-2.0
// refused: last_known_good inside a retry or a hedge hides failures
#include <switchgear/last_known_good.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>

namespace sg = switchgear;

// Nothing would ever be retried.
int use() {
  const sg::last_known_good<int> remembered;
#ifdef REFUSED
  const auto guarded = sg::pipeline(sg::retry(), remembered);
#else
  const auto guarded = sg::pipeline(remembered, sg::retry());
#endif
  return guarded([] { return 2; });
}
