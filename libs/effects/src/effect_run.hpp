// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "effect_core.hpp"

#include <switchgear/breaker_handle.hpp>
#include <switchgear/detail/effect_body.hpp>
#include <switchgear/transaction.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <stop_token>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::detail {

/// One call of an effect executor: the breaker around the retry around the attempts.
///
/// Invariant: when an attempt has ended, its transaction is committed or rolled back, and `verdict_` is a success (or
/// ignored) in the first case only. The breaker is told `verdict_` itself and does not judge values, so that the two agree
/// whoever made the breaker and with whatever rules.
class effect_run {
 public:
  effect_run(effect_core& core, effect_entry& entry, const effect_plan& plan, std::string_view type, const execution& call,
             effect_body& body) noexcept
      : core_(core), entry_(entry), plan_(plan), type_(type), call_(call), body_(body) {}
  effect_run(const effect_run&) = delete;
  effect_run& operator=(const effect_run&) = delete;

  /// Throws what is to pass to the caller; else the body has the result.
  void execute();

 private:
  struct next_attempt;

  void run_guarded();
  void run_attempts(const execution& e);
  attempt_end run_attempt(const execution& e);
  [[nodiscard]] verdict judge() const;
  /// Runs the attempts under the call_timeout of the breaker, whose stop token this is.
  void run_until(const std::stop_token& limit);
  /// Settles by what left, where the classifier of the breaker cannot know. Inside a catch clause; may throw something else.
  void settle_exception(permit& p);
  [[nodiscard]] bool limit_has_passed() const noexcept;
  /// Sees to it that no other attempt follows, and throws call_timeout_error.
  [[noreturn]] void refuse_late();
  void refuse_what_nobody_waits_for();
  /// Whether all undos succeeded.
  bool tell_of_undos(const transaction& t) noexcept;
  [[nodiscard]] breaker_handle find_breaker() const;

  effect_core& core_;
  effect_entry& entry_;
  const effect_plan& plan_;
  const std::string_view type_;
  const execution& call_;
  effect_body& body_;

  breaker_handle breaker_;
  std::stop_token limit_;               ///< of the breaker's call_timeout
  std::chrono::nanoseconds limit_length_{0};
  std::optional<std::chrono::nanoseconds> deadline_;
  std::stop_source no_more_attempts_{std::nostopstate};
  bool refused_late_ = false;           ///< what leaves is the call_timeout_error of refuse_late()
  int attempts_ = 0;
  bool committed_ = false;
  verdict verdict_ = verdict::failure;  ///< of the last attempt, when it returned
  std::exception_ptr unrepeatable_;     ///< of an attempt that could not be undone
  std::vector<undo_failure> left_behind_;
};

}  // namespace switchgear::inline v1::detail
