// SPDX-License-Identifier: Apache-2.0
// refused: fallback inside a hedge answers for the first attempt
#include <switchgear/fallback.hpp>
#include <switchgear/hedge.hpp>
#include <switchgear/pipeline.hpp>

namespace sg = switchgear;

// The first attempt would win with the stand-in, whatever the others bring.
int use(sg::executor& pool) {
#ifdef REFUSED
  const auto guarded = sg::pipeline(sg::hedge({.executor = &pool}), sg::fallback(1));
#else
  const auto guarded = sg::pipeline(sg::fallback(1), sg::hedge({.executor = &pool}));
#endif
  return guarded([] { return 2; });
}
