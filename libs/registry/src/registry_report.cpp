// SPDX-License-Identifier: Apache-2.0
#include <switchgear/registry_report.hpp>

#include <utility>

namespace switchgear::inline v1 {

std::string_view to_string(registry_report_kind k) noexcept {
  switch (k) {
    case registry_report_kind::different_configuration: return "different_configuration";
    case registry_report_kind::file_refused: return "file_refused";
    case registry_report_kind::reconfigure_refused: return "reconfigure_refused";
    case registry_report_kind::environment_unreadable: return "environment_unreadable";
    case registry_report_kind::full: return "full";
    case registry_report_kind::not_watching: return "not_watching";
    case registry_report_kind::file_hidden: return "file_hidden";
  }
  return "unknown";
}

std::string to_string(const registry_report& r) {
  std::string out(to_string(r.kind));
  out += ": ";
  if (!r.name.empty()) out += r.name + ": ";
  out += r.message;
  for (const problem& p : r.problems) out += "; " + to_string(p);
  if (r.times > 1) out += " (" + std::to_string(r.times) + " times)";
  return out;
}

registry_full_error::registry_full_error(std::string name, std::size_t limit)
    : error("no room for a breaker named " + name + ": the registry holds " + std::to_string(limit) +
            ", its limit, and none was found that may go (they are held, observed, not closed, changed by hand, or have failures "
            "in their windows); raise registry_options::max_breakers, remove what is not needed, or do not make names from data"),
      name_(std::move(name)),
      limit_(limit) {}

}  // namespace switchgear::inline v1
