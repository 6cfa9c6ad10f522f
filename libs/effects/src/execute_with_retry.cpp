// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/validation.hpp>
#include <switchgear/execute_with_retry.hpp>

#include "find_breaker.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace switchgear::inline v1 {

using std::chrono::nanoseconds;

std::vector<problem> execute_with_retry_options::validate() const {
  detail::validation v;
  v.in_range("max_attempts", max_attempts, 1, 1000);
  v.in_range("min_wait", min_wait, nanoseconds(0), detail::a_day);
  v.in_range("max_wait", max_wait, std::clamp(min_wait, nanoseconds(0), detail::a_day), detail::a_day);
  std::vector<problem> all = v.take();
  // Waits grow from the least one, and nothing grows from zero.
  if (min_wait.count() == 0 && max_wait.count() > 0) {
    all.push_back({"min_wait", "0s", "more than 0, or max_wait 0 too for no waits at all",
                   "waits that begin at zero never grow, so max_wait would mean nothing"});
  }
  if (!operation_name.empty()) {
    if (std::optional<problem> p = validate_name(operation_name)) {
      p->key = "operation_name";
      all.push_back(std::move(*p));
    }
  }
  return all;
}

retry detail::make_retry(const execute_with_retry_options& options) {
  require_no(options.validate());
  // With jitter between the least wait and the grown one, growth starts at twice the least, or the first wait would always be
  // the same.
  const backoff grown = exponential(std::min(2 * options.min_wait, options.max_wait))
                            .at_least(options.min_wait)
                            .up_to(options.max_wait)
                            .with_jitter();
  return retry({.name = options.operation_name.empty() ? retry_options{}.name : options.operation_name,
                .max_attempts = options.max_attempts,
                .backoff = grown,
                .when = options.when},
               options.clock == nullptr ? steady_clock() : *options.clock);
}

breaker_handle detail::find_breaker(const execute_with_retry_options& options) {
  if (options.operation_name.empty()) return {};
  registry& breakers = options.breakers == nullptr ? default_registry() : *options.breakers;
  if (!breakers.enabled()) return {};
  return find_breaker(breakers, options.operation_name, {std::nullopt, config_patch{}, options.when});
}

}  // namespace switchgear::inline v1
