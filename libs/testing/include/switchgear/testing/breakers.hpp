// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/breaker.hpp>
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace switchgear::inline v1::testing {

/// A configuration for tests: 2 failures open, 30 s later a probe may pass, 1 success closes.
[[nodiscard]] inline config small_config() {
  return {.failure_threshold = 2, .open_duration = std::chrono::seconds(30), .success_threshold = 1};
}

/// A fresh breaker on `clock`, shared with nobody: each test makes its own, so that none sees what another left behind.
[[nodiscard]] inline std::unique_ptr<circuit_breaker> make_breaker(
    manual_clock& clock, const config& c = small_config(), std::string name = "test") {
  return std::make_unique<circuit_breaker>(std::move(name), c, clock);
}

/// Makes `n` calls that end with `v`. Returns how many of them were admitted.
template <breaker B>
std::size_t settle_times(B& b, std::size_t n, verdict v) {
  std::size_t admitted = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (permit p = b.try_acquire()) {
      ++admitted;
      p.settle(v, v == verdict::failure ? "scripted failure" : "");
    }
  }
  return admitted;
}

/// `n` calls that fail. Returns how many were admitted: those after the circuit opened are not.
template <breaker B>
std::size_t fail_times(B& b, std::size_t n) {
  return settle_times(b, n, verdict::failure);
}

/// `n` calls that succeed. Returns how many were admitted.
template <breaker B>
std::size_t succeed_times(B& b, std::size_t n) {
  return settle_times(b, n, verdict::success);
}

}  // namespace switchgear::inline v1::testing
