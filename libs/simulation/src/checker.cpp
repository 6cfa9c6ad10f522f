// SPDX-License-Identifier: Apache-2.0
#include "checker.hpp"

#include <switchgear/config.hpp>
#include <switchgear/detail/breaker_access.hpp>

#include <algorithm>
#include <cstring>

namespace switchgear::inline v1::simulation {
namespace {

using access = detail::breaker_access;
using phase = machine::gate_word::phase;

template <std::size_t N>
void copy_into(std::array<char, N>& out, std::size_t& at, std::string_view text) {
  const std::size_t size = std::min(text.size(), N - 1 - at);
  if (size > 0) std::memcpy(out.data() + at, text.data(), size);
  at += size;
  out[at] = '\0';
}

bool ramping(const machine::state_word& w) {
  return w.state() == state::closed && w.cause() == machine::cause::ramping;
}

std::string time_text(std::int64_t d) { return format_duration(std::chrono::nanoseconds(d)); }

}  // namespace

void checker::note(std::string_view instance, std::string_view what, std::string_view more) {
  line& l = lines_[next_line_++ % lines_.size()];
  l.at = now_;
  std::size_t at = 0;
  copy_into(l.who, at, instance);
  at = 0;
  copy_into(l.what, at, what);
  if (!more.empty()) {
    copy_into(l.what, at, " ");
    copy_into(l.what, at, more);
  }
}

void checker::violate(std::string_view rule, std::string what, std::string_view instance) {
  if (found_) return;
  violation v{.rule = std::string(rule),
              .what = std::move(what),
              .instance = std::string(instance),
              .at = std::chrono::nanoseconds(now_),
              .events = {}};
  const std::size_t begin = next_line_ > lines_.size() ? next_line_ - lines_.size() : 0;
  for (std::size_t i = begin; i < next_line_; ++i) {
    const line& l = lines_[i % lines_.size()];
    v.events.push_back(time_text(l.at) + " " + l.who.data() + " " + l.what.data());
  }
  found_ = std::move(v);
}

std::uint32_t checker::probe_leaves(const node& n, std::int64_t ends) {
  // Whoever has stopped believing in his lease has let go of the probe, whether or not it is still on its way.
  std::erase_if(leased_, [](const leased& l) { return l.holder->clock.now().count() >= l.ends; });
  leased_.push_back({++last_number_, &n, ends});
  const auto now = static_cast<std::uint32_t>(leased_.size());
  most_ = std::max(most_, now);
  got_on_ = now_;
  if (now > limit_) {
    std::string holders;
    for (const leased& l : leased_) holders += (holders.empty() ? "" : ", ") + l.holder->name;
    violate("never more probes than the limit", std::to_string(now) + " under leases of the fleet, of " + holders +
                                                    "; the limit is " + std::to_string(limit_), n.name);
  }
  return last_number_;
}

void checker::probe_has_right(const node& n, bool had_right) {
  if (!had_right) violate("no probe without a lease", "a probe left although the fleet gave no right to it", n.name);
}

void checker::probe_ended(std::uint32_t number) {
  std::erase_if(leased_, [&](const leased& l) { return l.number == number; });
  got_on_ = now_;
}

void checker::look(node& n) {
  if (!n.agent) return;
  const fleet::record* const known = n.agent->known(n.breaker->name());
  const std::uint64_t epoch = known == nullptr ? 0 : known->epoch;
  if (epoch < n.epoch) {
    violate("epochs only grow", "epoch " + std::to_string(epoch) + " in force after epoch " + std::to_string(n.epoch), n.name);
  }
  n.epoch = epoch;

  const bool up = n.agent->is_up();
  if (!up && !access::look(*n.breaker).gate.off()) {
    violate("no gate is shut without a link", "the gate is not off although the instance knows that it is alone", n.name);
  }
  if (up && n.cut_since >= 0 && now_ - n.cut_since > bounds_.notices) {
    violate("an isolated instance is on its own in time",
            "out of reach of the store since " + time_text(n.cut_since) + " and has not noticed", n.name);
  }
  const bool ramps = !up && ramping(access::word(*n.breaker));
  if (!ramps) {
    n.ramp_since = -1;
  } else if (n.ramp_since < 0) {
    n.ramp_since = now_;
  } else if (now_ - n.ramp_since > bounds_.ramps) {
    violate("no ramp lasts for ever", "ramping alone since " + time_text(n.ramp_since), n.name);
  }

  if (n.cut_since >= 0 || now_ - std::max(n.clear_since, disturbed_) <= bounds_.agrees) return;
  if (!up) {
    violate("agreement after healing", "nothing between it and the store since " + time_text(n.clear_since) + " and no link",
            n.name);
    return;
  }
  // What the store said `lags` ago has to be known.
  while (truths_.size() > 1 && truths_[1].first <= now_ - bounds_.lags) truths_.pop_front();
  if (!truths_.empty() && truths_.front().first <= now_ - bounds_.lags && epoch < truths_.front().second.epoch) {
    violate("agreement after healing", "knows epoch " + std::to_string(epoch) + ", the store said " +
                                           std::to_string(truths_.front().second.epoch) + " at " +
                                           time_text(truths_.front().first), n.name);
  }
}

void checker::compare(const node& n, bool admitted, bool twin_admitted) {
  if (admitted == twin_admitted) return;
  violate("alone it is as if it had always been alone",
          std::string("a call was ") + (admitted ? "admitted" : "rejected") + ", its twin, which lives alone, " +
              (twin_admitted ? "admitted" : "rejected") + " the same call", n.name);
}

void checker::store_says(const simulated_store::truth& truth) {
  if (!truths_.empty() && truths_.back().second.epoch == truth.epoch) {
    truths_.back().second = truth;
    return;
  }
  truths_.emplace_back(now_, truth);
  last_change_ = now_;
  got_on_ = now_;
}

void checker::progress(bool could_probe) {
  if (!could_probe || now_ - disturbed_ <= bounds_.agrees) got_on_ = now_;
  if (now_ - got_on_ > bounds_.probes_in) {
    violate("a recovery gets on", "the circuit is due, instances call and reach the store, and no probe has left since " +
                                      time_text(got_on_), {});
  }
}

void checker::agree(const node& n, const simulated_store::truth& store, bool alone_may_differ) {
  const fleet::record* const known = n.agent->known(n.breaker->name());
  const std::uint64_t epoch = known == nullptr ? 0 : known->epoch;
  const machine::state_word word = access::word(*n.breaker);
  const auto differs = [&](const std::string& what) { violate("agreement after healing", what, n.name); };
  if (epoch != store.epoch) {
    differs("knows epoch " + std::to_string(epoch) + ", the store has " + std::to_string(store.epoch));
  } else if (store.state == "closed" && word.state() != state::closed && !alone_may_differ) {
    differs("is " + std::string(to_string(word.state())) + ", the fleet is closed");
  } else if (store.state == "open" && word.state() != state::open && word.state() != state::half_open && !alone_may_differ) {
    differs("is " + std::string(to_string(word.state())) + ", the fleet is open");
  } else if ((store.state == "forced_open" || store.state == "disabled") && to_string(word.state()) != store.state) {
    differs("is " + std::string(to_string(word.state())) + ", the fleet is " + store.state);
  }
  if (store.state == "closed" && word.state() == state::closed && !access::look(*n.breaker).gate.off()) {
    differs("is closed like the fleet, and its gate is not off");
  }
}

}  // namespace switchgear::inline v1::simulation
