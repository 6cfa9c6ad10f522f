// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <stop_token>

namespace switchgear::inline v1::asio::detail {

/// What a call that its caller cancelled completes with: boost::system::system_error(operation_aborted), with `cause` nested
/// in it unless that is null.
[[nodiscard]] std::exception_ptr aborted_error(const std::exception_ptr& cause = nullptr);

/// Whether it is the rejection of a policy: the function was not called.
[[nodiscard]] bool is_rejection(const std::exception_ptr& e) noexcept;
/// Whether somebody gave up: cancelled_error.
[[nodiscard]] bool is_cancellation(const std::exception_ptr& e) noexcept;
/// Whether it is the end of a time limit of ours.
[[nodiscard]] bool is_call_timeout(const std::exception_ptr& e) noexcept;

/// A token whose stop has been requested: what a policy is shown once its call is cancelled.
[[nodiscard]] const std::stop_token& stopped() noexcept;

}  // namespace switchgear::inline v1::asio::detail
