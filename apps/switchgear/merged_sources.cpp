// SPDX-License-Identifier: Apache-2.0
#include "merged_sources.hpp"

#include <iterator>

using switchgear::action_outcome;

std::vector<switchgear::circuit_reading> merged_sources::read() {
  std::vector<switchgear::circuit_reading> out;
  std::map<identity, std::size_t> origins;
  for (std::size_t i = 0; i < all_.size(); ++i) {
    for (switchgear::circuit_reading& reading : all_[i]->read()) {
      if (origins.try_emplace({reading.now.name, reading.instance}, i).second) out.push_back(std::move(reading));
    }
  }
  const std::lock_guard lock(mutex_);
  origins_.swap(origins);
  return out;
}

std::vector<std::shared_ptr<switchgear::circuit_source>> merged_sources::asked_for(identity circuit) const {
  const std::lock_guard lock(mutex_);
  const auto found = origins_.find(circuit);
  if (found == origins_.end()) return all_;
  return {all_[found->second]};
}

std::optional<switchgear::circuit_detail> merged_sources::detail(std::string_view name, std::string_view instance) {
  for (const auto& source : asked_for({std::string(name), std::string(instance)})) {
    if (auto found = source->detail(name, instance)) return found;
  }
  return std::nullopt;
}

action_outcome merged_sources::act(const switchgear::circuit_action& action) {
  using kind = action_outcome::kind;
  action_outcome last{kind::unknown, "there is no such circuit"};
  for (const auto& source : asked_for({action.name, action.instance})) {
    action_outcome said = source->act(action);
    if (said.what != kind::unknown && said.what != kind::refused) return said;
    // One that refuses everything does not speak for the others.
    if (last.what == kind::unknown) last = std::move(said);
  }
  return last;
}

switchgear::subscription merged_sources::observe(std::function<void(const switchgear::event&)> handler) {
  auto subscriptions = std::make_shared<std::vector<switchgear::subscription>>();
  for (const auto& source : all_) subscriptions->push_back(source->observe(handler));
  return switchgear::subscription([subscriptions] { subscriptions->clear(); });
}

std::vector<std::string> merged_sources::problems() {
  std::vector<std::string> out;
  for (const auto& source : all_) {
    auto more = source->problems();
    out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  return out;
}
