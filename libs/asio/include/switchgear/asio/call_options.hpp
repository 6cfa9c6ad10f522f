// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/errors.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace switchgear::inline v1::asio {

/// What one call may tell besides its function.
///
///     co_await sg::asio::call(guarded, {.correlation_id = order.id}, charge, asio::use_awaitable);
struct call_options {
  static constexpr std::chrono::nanoseconds default_abandon_after = std::chrono::milliseconds(100);

  /// For the errors and events of this call; a rejection without one gets a fresh UUID.
  std::string correlation_id{};

  /// What is called, for the errors of breakers.
  std::optional<error_context> context{};

  /// How long an operation that was cancelled because its time was up, or because another attempt of a hedge won, may take to
  /// end before it is left behind; 0 = not at all, nanoseconds::max() = as long as it takes. An operation that has no
  /// cancellation handler is left behind at once. The call completes only when its operations have ended or are left behind,
  /// so that buffers may live where the call is awaited, as with any operation; what is left behind outlives the call and
  /// must own what it uses. Raise it for operations that say goodbye to the other side when they are cancelled.
  std::chrono::nanoseconds abandon_after = default_abandon_after;
};

}  // namespace switchgear::inline v1::asio
