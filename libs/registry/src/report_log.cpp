// SPDX-License-Identifier: Apache-2.0
#include "report_log.hpp"

#include <algorithm>

namespace switchgear::inline v1::detail {

void report_log::add(registry_report report) {
  count_.fetch_add(1, std::memory_order_relaxed);  // a figure, ordered by nothing
  {
    const std::lock_guard lock(mutex_);
    const auto last = std::find_if(kept_.rbegin(), kept_.rend(), [&](const registry_report& r) {
      return r.kind == report.kind && r.name == report.name;
    });
    // Two places that ask for one breaker in two ways do so with every call; it is told once.
    if (last != kept_.rend() && last->message == report.message && last->problems == report.problems) {
      ++last->times;
      return;
    }
    if (kept_.size() == most_) kept_.pop_front();
    kept_.push_back(report);
  }
  if (!on_report_) return;
  try {
    on_report_(report);
  } catch (...) {
    // Whoever caused the report has nothing to do with what its reader thinks of it.
  }
}

std::vector<registry_report> report_log::list() const {
  const std::lock_guard lock(mutex_);
  return {kept_.begin(), kept_.end()};
}

}  // namespace switchgear::inline v1::detail
