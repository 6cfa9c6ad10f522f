// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the log have in common.

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/log.hpp>
#include <switchgear/testing/breakers.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace logs {

namespace sg = switchgear;
using namespace std::chrono_literals;
using sg::event_kind;
using sg::log_level;

/// Keeps every line.
class kept_lines {
 public:
  [[nodiscard]] sg::log_sink sink() {
    return [this](const sg::log_record& r) {
      const std::lock_guard lock(mutex_);
      records_.push_back(r);
    };
  }
  [[nodiscard]] std::vector<sg::log_record> records() const {
    const std::lock_guard lock(mutex_);
    return records_;
  }
  [[nodiscard]] std::vector<std::string> messages() const {
    std::vector<std::string> out;
    for (const sg::log_record& r : records()) out.push_back(r.message);
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<sg::log_record> records_;
};

[[nodiscard]] inline std::optional<sg::log_value> field(const sg::log_record& r, std::string_view key) {
  const auto found = std::find_if(r.fields.begin(), r.fields.end(), [&](const sg::log_field& f) { return f.key == key; });
  return found == r.fields.end() ? std::nullopt : std::optional(found->value);
}
[[nodiscard]] inline sg::log_value text(std::string_view value) { return std::string(value); }
[[nodiscard]] inline sg::log_value number(std::int64_t value) { return value; }

/// An event of `payments`.
[[nodiscard]] inline sg::event told(event_kind kind, std::string reason = {}, std::string service = "payments") {
  sg::event e;
  e.kind = kind;
  e.service = std::move(service);
  e.reason = std::move(reason);
  e.instance = "0123456789abcdef";
  if (kind == event_kind::opened || kind == event_kind::rejected) e.state = sg::state::open;
  if (kind == event_kind::rejected) e.previous_state = sg::state::open;
  return e;
}

}  // namespace logs
