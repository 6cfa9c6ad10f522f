// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/permit.hpp>
#include <switchgear/snapshot.hpp>

#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>

namespace switchgear::inline v1 {

/// What every breaker offers, wherever its state lives: circuit_breaker in this process, others shared by processes or
/// hosts. One machine decides for all of them, so all promise the same.
template <class B>
concept breaker = requires(B& b, const B& seen, std::string text, std::optional<std::chrono::nanoseconds> ttl) {
  { seen.name() } -> std::convertible_to<std::string_view>;
  { b.try_acquire() } noexcept -> std::same_as<permit>;
  { seen.state() } -> std::same_as<state>;
  { seen.snapshot() } -> std::same_as<snapshot>;
  b.trip(text);
  b.force_open(text, text, ttl);
  b.disable(text, text, ttl);
  b.release(text);
  b.reset(text);
  b.reset_metrics();
};

}  // namespace switchgear::inline v1
