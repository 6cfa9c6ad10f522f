// SPDX-License-Identifier: Apache-2.0
// refused: marked non_idempotent
#include <switchgear/hedge.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/retry.hpp>

namespace sg = switchgear;
using namespace std::chrono_literals;

// Two transfers where one was meant.
int use(sg::executor& pool) {
  const auto transfer = [] { return 2; };
#ifdef REFUSED
  return sg::pipeline(sg::hedge({.delay = 1s, .executor = &pool}))(sg::non_idempotent(transfer));
#else
  (void)pool;
  return sg::pipeline(sg::retry())(sg::non_idempotent(transfer));
#endif
}
