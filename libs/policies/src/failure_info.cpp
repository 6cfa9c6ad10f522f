// SPDX-License-Identifier: Apache-2.0
#include <switchgear/failure_info.hpp>

namespace switchgear::inline v1 {

std::string_view to_string(failure_kind k) noexcept {
  switch (k) {
    case failure_kind::rejection: return "rejection";
    case failure_kind::exception: return "exception";
    case failure_kind::bad_result: return "bad_result";
  }
  return "exception";
}

failure_info failure_info::of_current_exception() {
  failure_info f;
  f.error_ = std::current_exception();
  try {
    throw;
  } catch (const rejected_error& r) {
    f.kind_ = failure_kind::rejection;
    f.retry_after_ = r.retry_after();
    f.what_ = r.what();
    f.circuit_ = dynamic_cast<const circuit_open_error*>(&r);
  } catch (const std::exception& e) {
    f.what_ = e.what();
  } catch (...) {
    // The text of the default says it.
  }
  return f;
}

namespace detail {

std::optional<failure_info> failure_of_current_exception(const classifier& when, bool only_rejections, const execution& e) {
  if (e.stop.stop_requested()) return std::nullopt;
  bool counts = !only_rejections;
  try {
    throw;
  } catch (const rejected_error&) {
    counts = true;
  } catch (const cancelled_error&) {
    counts = false;
  } catch (...) {
    if (counts && !when.is_empty()) counts = is_failure(when.of_current_exception().verdict);
  }
  if (!counts) return std::nullopt;
  return failure_info::of_current_exception();
}

}  // namespace detail
}  // namespace switchgear::inline v1
