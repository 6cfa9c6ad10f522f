// SPDX-License-Identifier: Apache-2.0
#include "effect_core.hpp"
#include "effect_run.hpp"

#include <switchgear/effect_executor.hpp>

#include <shared_mutex>
#include <utility>

namespace switchgear::inline v1 {
namespace {

void add(effect_metrics& total, const effect_metrics& m) noexcept {
  total.executed += m.executed;
  total.committed += m.committed;
  total.rolled_back += m.rolled_back;
  total.rejected += m.rejected;
  total.cancelled += m.cancelled;
  total.retries += m.retries;
  total.rollbacks += m.rollbacks;
  total.undo_failures += m.undo_failures;
}

}  // namespace

effect_executor::effect_executor(effect_executor_options options, clock& source)
    : core_(std::make_unique<detail::effect_core>(std::move(options), nullptr, source)) {}
effect_executor::effect_executor(effect_executor_options options, registry& shared, clock& source)
    : core_(std::make_unique<detail::effect_core>(std::move(options), &shared, source)) {}
effect_executor::~effect_executor() = default;

void effect_executor::define(std::string_view type, effect_options options) {
  options.call = {};
  core_->define(type, std::make_shared<detail::effect_plan>(type, std::move(options), core_->source));
}

effect_options effect_executor::definition(std::string_view type) const {
  const std::shared_lock lock(core_->mutex);
  const auto at = core_->types.find(type);
  return at == core_->types.end() ? effect_options{} : at->second->plan->options;
}

registry& effect_executor::breakers() noexcept { return core_->breakers; }
const std::string& effect_executor::name() const noexcept { return core_->name(); }

effect_metrics effect_executor::metrics() const {
  effect_metrics total = core_->others.metrics();
  const std::shared_lock lock(core_->mutex);
  for (const auto& [type, entry] : core_->types) add(total, entry->metrics());
  return total;
}

effect_metrics effect_executor::metrics(std::string_view type) const {
  const std::shared_lock lock(core_->mutex);
  const auto at = core_->types.find(type);
  return at == core_->types.end() ? effect_metrics{} : at->second->metrics();
}

std::map<std::string, effect_metrics, std::less<>> effect_executor::metrics_by_type() const {
  std::map<std::string, effect_metrics, std::less<>> out;
  if (const effect_metrics m = core_->others.metrics(); m != effect_metrics{}) out.emplace("", m);
  const std::shared_lock lock(core_->mutex);
  for (const auto& [type, entry] : core_->types) out.emplace(type, entry->metrics());
  return out;
}

subscription effect_executor::observe(std::function<void(const policy_event&)> handler) const {
  return core_->observe(std::move(handler));
}

void effect_executor::run(std::string_view type, const effect_options* own, const execution& call,
                          detail::effect_body& body) {
  detail::effect_core::found found = core_->look_up(type);
  if (own != nullptr) found.plan = std::make_shared<detail::effect_plan>(type, *own, core_->source);
  detail::effect_run(*core_, *found.entry, *found.plan, type, call, body).execute();
}

}  // namespace switchgear::inline v1
