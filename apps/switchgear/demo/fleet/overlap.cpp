// SPDX-License-Identifier: Apache-2.0
#include "overlap.hpp"

#include <algorithm>
#include <cctype>

namespace switchgear::demo::fleet {
namespace {

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

}  // namespace

std::string_view to_string(probe_kind k) noexcept {
  switch (k) {
    case probe_kind::none: return "none";
    case probe_kind::fleet: return "fleet";
    case probe_kind::local: return "local";
  }
  return "none";
}

std::optional<probe_kind> probe_kind_of(std::string_view text) noexcept {
  for (const probe_kind k : {probe_kind::none, probe_kind::fleet, probe_kind::local}) {
    if (to_string(k) == text) return k;
  }
  return std::nullopt;
}

std::optional<std::string> header_of(std::string_view head, std::string_view name) {
  // The first line is the request's.
  for (auto end = head.find("\r\n"); end != head.npos; end = head.find("\r\n")) {
    head.remove_prefix(end + 2);
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const auto colon = line.find(':');
    if (colon == line.npos || !same(line.substr(0, colon), name)) continue;
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
    return std::string(value);
  }
  return std::nullopt;
}

void overlap::begin(std::uint64_t id, probe_kind kind, int instance) {
  if (kind == probe_kind::none || !there_.emplace(id, probe{kind, instance}).second) return;
  kind == probe_kind::fleet ? ++fleet_ : ++local_[instance];
}

bool overlap::end(std::uint64_t id) {
  const auto found = there_.find(id);
  if (found == there_.end()) return false;
  found->second.kind == probe_kind::fleet ? --fleet_ : --local_[found->second.instance];
  there_.erase(found);
  return true;
}

int overlap::local() const noexcept {
  int sum = 0;
  for (const auto& [instance, count] : local_) sum += count;
  return sum;
}

int overlap::local_of(int instance) const noexcept {
  const auto found = local_.find(instance);
  return found == local_.end() ? 0 : found->second;
}

}  // namespace switchgear::demo::fleet
