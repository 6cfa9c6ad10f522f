// SPDX-License-Identifier: Apache-2.0
#include <switchgear/permit.hpp>

namespace switchgear::inline v1 {

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
  // An exception that says that the call was never made or was given up is ignored, also after the deadline.
  const verdict settled = settle(found.verdict, found.text, true);
  return {settled, settled == verdict::timeout && found.verdict != verdict::timeout};
}

}  // namespace switchgear::inline v1
