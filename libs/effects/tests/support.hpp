// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/registry.hpp>
#include <switchgear/testing/skipping_clock.hpp>

#include <atomic>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace effects_tests {

namespace sg = switchgear;

struct outage : std::runtime_error {
  using runtime_error::runtime_error;
};
struct bad_query : std::runtime_error {
  using runtime_error::runtime_error;
};

/// Throws an outage until it has been called often enough.
struct flaky {
  int failures = 0;
  int calls = 0;
  int operator()() {
    if (++calls <= failures) throw outage("attempt " + std::to_string(calls));
    return calls;
  }
};

/// The variable that switches breakers on and off, shared with registries that are made from options().
struct environment_switch {
  std::atomic<int> value{-1};  ///< -1: not set

  /// Of a registry that sees this variable and nothing of the process.
  sg::registry_options options() {
    return {.environment = sg::variables{}, .read_variable = [this](std::string_view) -> std::optional<std::string> {
              const int v = value.load();
              if (v < 0) return std::nullopt;
              return std::string(v == 0 ? "false" : "true");
            }};
  }
};

/// Of a registry that sees nothing of the process.
inline sg::registry_options hermetic() { return {.environment = sg::variables{}}; }

/// Two failures open, 30 s later a probe may pass, one success closes.
inline sg::config small() {
  return {.failure_threshold = 2, .open_duration = std::chrono::seconds(30), .success_threshold = 1};
}

/// What happened, in order.
struct diary {
  std::vector<std::string> lines;
  auto note(std::string line) {
    return [this, line = std::move(line)] { lines.push_back(line); };
  }
  auto note_and_throw(std::string line) {
    return [this, line = std::move(line)] {
      lines.push_back(line);
      throw outage(line);
    };
  }
};

/// The text of what `f` throws, empty when it returns.
template <class F>
std::string thrown_by(F&& f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

}  // namespace effects_tests
