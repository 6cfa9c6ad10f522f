// SPDX-License-Identifier: Apache-2.0
#include "effect_core.hpp"

#include <switchgear/detail/validation.hpp>
#include <switchgear/errors.hpp>

#include <mutex>
#include <shared_mutex>
#include <utility>

namespace switchgear::inline v1::detail {
namespace {

std::optional<switchgear::retry> make_retry(std::string_view type, const effect_options& o, clock& source) {
  if (!o.retry) return std::nullopt;
  retry_options r = *o.retry;
  if (r.name == retry_options{}.name) r.name = type;
  if (r.when.is_empty()) r.when = o.when;
  // The attempt has judged its value already, since the transaction depends on it; the retry policy is told the outcome.
  r.when.judge_value<attempt_end>(
      [](const attempt_end& end) { return std::optional(end.repeatable_failure ? verdict::failure : verdict::success); });
  return switchgear::retry(std::move(r), source);
}

effect_options checked(std::string_view type, effect_options o) {
  std::vector<problem> problems = o.validate();
  if (std::optional<problem> p = validate_name(type)) problems.push_back(std::move(*p));
  require_no(std::move(problems));
  return o;
}

effect_executor_options checked(effect_executor_options o) {
  require_no(o.validate());
  return o;
}

}  // namespace

effect_plan::effect_plan(std::string_view type, effect_options o, clock& source)
    : options(checked(type, std::move(o))), retry(make_retry(type, options, source)) {}

effect_metrics effect_entry::metrics() const noexcept {
  const auto sum = [this](effect_counter c) { return counts.sum(static_cast<std::size_t>(c)); };
  return {sum(effect_counter::executed),  sum(effect_counter::committed), sum(effect_counter::rolled_back),
          sum(effect_counter::rejected),  sum(effect_counter::cancelled), sum(effect_counter::retries),
          sum(effect_counter::rollbacks), sum(effect_counter::undo_failures)};
}

effect_core::effect_core(effect_executor_options o, registry* shared, clock& c)
    : policy_state("effect", o.name),
      options(checked(std::move(o))),
      source(c),
      owned(shared == nullptr ? std::make_unique<registry>(options.breakers, c) : nullptr),
      breakers(shared == nullptr ? *owned : *shared),
      undefined(std::make_shared<effect_plan>("undefined", effect_options{}, c)),
      others(undefined) {}

effect_core::found effect_core::look_up(std::string_view type) {
  bool full = false;
  {
    const std::shared_lock lock(mutex);
    if (const auto at = types.find(type); at != types.end()) return {at->second.get(), at->second->plan};
    full = types.size() >= options.max_types;
  }
  if (std::optional<problem> p = validate_name(type)) throw config_error({std::move(*p)});
  if (full) return {&others, undefined};  // it never gets smaller
  auto made = std::make_unique<effect_entry>(undefined);
  const std::lock_guard lock(mutex);
  auto at = types.find(type);
  if (at == types.end()) {
    if (types.size() >= options.max_types) return {&others, undefined};
    at = types.emplace(std::string(type), std::move(made)).first;
  }
  return {at->second.get(), at->second->plan};
}

void effect_core::define(std::string_view type, std::shared_ptr<const effect_plan> plan) {
  const std::lock_guard lock(mutex);
  const auto at = types.find(type);
  if (at != types.end()) {
    at->second->plan.swap(plan);
    return;
  }
  if (types.size() >= options.max_types) {
    throw config_error({{"max_types", std::to_string(options.max_types), "1 … 1000000",
                         "as many types of effects are known already, so \"" + std::string(type) + "\" cannot be defined"}});
  }
  types.emplace(std::string(type), std::make_unique<effect_entry>(std::move(plan)));
}

void effect_core::tell_of(const undo_report& report) const noexcept {
  try {
    if (options.on_undo_failure) options.on_undo_failure(report);
  } catch (...) {
    // A reporter that throws changes nothing.
  }
  if (!is_observed()) return;
  try {
    for (const undo_failure& f : report.failures) {
      tell({.kind = policy_event_kind::undo_failed,
            .reason = report.effect + ": " + f.name + ": " + f.what,
            .attempt = report.attempt,
            .correlation_id = report.correlation_id});
    }
  } catch (...) {
    // No memory for the text: the call goes on.
  }
}

}  // namespace switchgear::inline v1::detail
