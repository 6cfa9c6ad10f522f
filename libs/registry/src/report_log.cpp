// SPDX-License-Identifier: Apache-2.0
#include "report_log.hpp"

namespace switchgear::inline v1::detail {

void report_log::add(registry_report report) {
  count_.fetch_add(1, std::memory_order_relaxed);  // a figure, ordered by nothing
  {
    const std::lock_guard lock(mutex_);
    const auto is_the_same = [&](const registry_report& r) {
      return r.message == report.message && r.problems == report.problems;
    };
    // Places that ask for one breaker in several ways do so with every call: each way is told once. A file is another matter:
    // that one is refused again, for the same reason, after a good one, is news.
    const bool only_newest = report.kind == registry_report_kind::file_refused;
    for (auto r = kept_.rbegin(); r != kept_.rend(); ++r) {
      if (r->kind != report.kind || r->name != report.name) continue;
      if (is_the_same(*r)) {
        ++r->times;
        return;
      }
      if (only_newest) break;
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
