// SPDX-License-Identifier: Apache-2.0
#include <switchgear/permit.hpp>

namespace switchgear::inline v1 {
namespace {

/// Whether the exception that is being handled is a cancelled_error.
bool is_cancellation() {
#if SWITCHGEAR_HAS_EXCEPTIONS
  try {
    throw;
  } catch (const cancelled_error&) {
    return true;
  } catch (...) {
  }
#endif
  return false;
}

}  // namespace

permit::judgement permit::judge_exception() {
  if (grant_.is == machine::grant::kind::none) return {verdict::abandoned, false};
  if (is_pass_through()) return {settle(verdict::failure, {}, false), false};
  classifier::exception_verdict found;
#if SWITCHGEAR_HAS_EXCEPTIONS
  try {
    found = issuer_->rules().of_current_exception();
  } catch (...) {
    settle(verdict::failure, "the classifier threw");
    throw;
  }
#endif
  // Whoever gave up because the deadline asked for it did not give up on his own account.
  if (asked_to_stop_ && is_cancellation()) return {settle(verdict::timeout, found.text, false), true};
  // Another exception that says that the call was never made or was given up is ignored, also after the deadline.
  const verdict settled = settle(found.verdict, found.text, true);
  return {settled, settled == verdict::timeout && found.verdict != verdict::timeout};
}

}  // namespace switchgear::inline v1
