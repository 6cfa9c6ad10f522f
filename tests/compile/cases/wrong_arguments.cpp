// SPDX-License-Identifier: Apache-2.0
// refused: cannot be called with these arguments
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>

namespace sg = switchgear;
using namespace std::chrono_literals;

// Said at once, not from the depth of a template.
int use() {
  const auto guarded = sg::pipeline(sg::retry());
#ifdef REFUSED
  return guarded([](int x) { return x; }, "three");
#else
  return guarded([](int x) { return x; }, 3);
#endif
}
