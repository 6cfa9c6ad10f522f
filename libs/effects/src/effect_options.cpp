// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/validation.hpp>
#include <switchgear/effect_options.hpp>

#include "find_breaker.hpp"

#include <utility>

namespace switchgear::inline v1 {
namespace {

void append(std::vector<problem>& all, std::vector<problem> more, std::string_view prefix) {
  for (problem& p : more) {
    p.key = std::string(prefix) + "." + p.key;
    all.push_back(std::move(p));
  }
}

}  // namespace

std::vector<problem> effect_options::validate() const {
  std::vector<problem> all;
  if (retry) append(all, retry->validate(), "retry");
  if (breaker) append(all, breaker->validate(), "breaker");
  if (breaker && !breaker_keys.empty()) all.push_back(detail::two_configurations());
  return all;
}

std::vector<problem> effect_executor_options::validate() const {
  detail::validation v;
  v.name(name);
  v.in_range("max_types", max_types, 1, 1'000'000);
  std::vector<problem> all = v.take();
  append(all, breakers.validate(), "breakers");
  return all;
}

}  // namespace switchgear::inline v1
