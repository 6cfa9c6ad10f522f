// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/circuit_file.hpp"

#include <algorithm>

namespace switchgear::inline v1 {

bool matches_pattern(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  // After a star, only the latest one can need to swallow more: what earlier stars took may stay as it is.
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

const circuit_file::table* circuit_file::table_for(std::string_view name) const {
  const table* best = nullptr;
  const auto literal = [](const table& t) { return std::min(t.pattern.find('*'), t.pattern.size()); };
  for (const table& t : breakers) {
    if (t.pattern == name) return &t;
    if (!matches_pattern(t.pattern, name)) continue;
    const bool longer = best == nullptr || t.pattern.size() > best->pattern.size() ||
                        (t.pattern.size() == best->pattern.size() && literal(t) > literal(*best));
    if (longer) best = &t;
  }
  return best;
}

std::vector<config_patch> circuit_file::layers_for(std::string_view name) const {
  std::vector<config_patch> layers = defaults.patches;
  if (const table* own = table_for(name)) layers.insert(layers.end(), own->patches.begin(), own->patches.end());
  return layers;
}

config_result circuit_file::config_for(std::string_view name) const { return apply_layers(layers_for(name), config{}); }

}  // namespace switchgear::inline v1
