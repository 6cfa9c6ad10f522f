// SPDX-License-Identifier: Apache-2.0
// refused: consumes one of them
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>

#include <memory>

namespace sg = switchgear;
using namespace std::chrono_literals;

// The second attempt would get an argument that is gone.
int use() {
  const auto guarded = sg::pipeline(sg::retry());
#ifdef REFUSED
  return guarded([](std::unique_ptr<int> x) { return *x; }, std::make_unique<int>(3));
#else
  return guarded([](const std::unique_ptr<int>& x) { return *x; }, std::make_unique<int>(3));
#endif
}
