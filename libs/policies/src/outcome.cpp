// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/outcome.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/fallback.hpp>

namespace switchgear::inline v1::detail {

void carried_exception::keep(std::exception_ptr e) noexcept {
  report_ = retry_report_of(e);
  before_fallback_ = failure_before_fallback(e);
  error_ = std::move(e);
}

void carried_exception::leave() {
  if (report_) remember_retry_report(error_, *report_);
  if (before_fallback_) remember_failure_before_fallback(error_, std::exchange(before_fallback_, nullptr));
  std::rethrow_exception(std::exchange(error_, nullptr));
}

bool carried_exception::is_refusal() const noexcept {
  if (!error_) return false;
  try {
    std::rethrow_exception(error_);
  } catch (const rejected_error&) {
    return true;
  } catch (const cancelled_error&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace switchgear::inline v1::detail
