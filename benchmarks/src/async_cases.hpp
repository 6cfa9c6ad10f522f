// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace bench {

/// Bytes of memory that a guarded asynchronous call takes while it is in flight, beyond those of the operation itself: with
/// ten thousand in flight through a breaker alone, and through fallback, retry and breaker.
struct bytes_in_flight {
  double breaker = 0;
  double pipeline_3 = 0;
};
[[nodiscard]] bytes_in_flight measure_bytes_in_flight();

}  // namespace bench
