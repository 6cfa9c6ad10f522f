// SPDX-License-Identifier: Apache-2.0
// Part of the agent: what goes along with every exchange, evidence for the fleet and views for dashboards.
#include "agent.hpp"

#include <algorithm>
#include <utility>

namespace switchgear::inline v1::fleet {
namespace {

using namespace std::chrono_literals;
using access = switchgear::detail::breaker_access;

constexpr std::size_t views_a_sync = 200;
constexpr std::size_t evidence_a_sync = 2000;
/// How old the time in a view may become before it is told again.
constexpr std::chrono::nanoseconds tell_again = 10s;

}  // namespace

/// {name epoch calls failures slow} of the circuits with something against them; `asked` is who the others are asked about.
void agent::add_evidence(std::vector<std::string>& arguments, std::vector<std::string>& asked, std::size_t& count) const {
  if (options_.opening != sharing::evidence || joining_) return;
  for (const auto& c : circuits_) {
    const auto word = access::word(*c->breaker);
    if (word.state() != state::closed || word.clean() || c->known.state != fleet_state::closed) continue;
    if (count == evidence_a_sync) return;
    const auto held = access::window(*c->breaker);
    if (held.failures == 0 && held.slow == 0) continue;
    const std::string epoch = std::to_string(c->known.epoch);
    arguments.insert(arguments.end(),
                     {c->name, epoch, std::to_string(held.calls), std::to_string(held.failures), std::to_string(held.slow)});
    asked.insert(asked.end(), {c->name, epoch});
    ++count;
  }
}

/// The number of views and {name json}. Those that changed come first, then the next few of all the others.
void agent::add_sights(std::vector<std::string>& arguments) {
  std::vector<std::string> told;
  std::size_t count = 0;
  std::size_t looked = 0;
  for (; !gone_views_.empty() && count < views_a_sync; ++count, gone_views_.pop_back()) {
    told.insert(told.end(), {std::move(gone_views_.back()), ""});
  }
  const auto look = [&](member_circuit& c) {
    ++looked;
    const auto figures = c.breaker->figures();
    instance_view v;
    v.instance = instance_;
    v.state = figures.state;
    v.since = std::chrono::duration_cast<std::chrono::milliseconds>(figures.time_in_state);
    v.calls = figures.metrics.total_calls();
    v.failures = figures.metrics.failures;
    v.rejections = figures.metrics.rejections;
    v.link = figures_.now;
    instance_view before = c.told.value_or(instance_view{});
    before.since = v.since;
    if (c.told && !c.view_changed && before == v && now_ - c.told_at < tell_again) return;
    told.insert(told.end(), {c.name, view_text(v)});
    ++count;
    c.told = std::move(v);
    c.told_at = now_;
    c.view_changed = false;
  };
  for (const auto& c : circuits_) {
    if (count >= views_a_sync) break;
    if (c->view_changed) look(*c);
  }
  const std::size_t all = circuits_.size();
  for (std::size_t i = 0; i < all && looked < views_a_sync && count < views_a_sync; ++i) {
    next_view_ = (next_view_ + 1) % all;
    look(*circuits_[next_view_]);
  }
  arguments.push_back(std::to_string(count));
  arguments.insert(arguments.end(), std::make_move_iterator(told.begin()), std::make_move_iterator(told.end()));
}

}  // namespace switchgear::inline v1::fleet
