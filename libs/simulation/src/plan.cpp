// SPDX-License-Identifier: Apache-2.0
#include "plan.hpp"

#include <algorithm>

#include "random.hpp"

namespace switchgear::inline v1::simulation {
namespace {

using kind = action::kind;

constexpr std::int64_t second = 1'000'000'000;

class maker {
 public:
  explicit maker(const settings& s) : length_(s.duration.count()), random_(s.seed, 0x706c616e) {}

  void at(double part, kind what, double share = 0, double lasts = 0) {
    out_.push_back({static_cast<std::int64_t>(part * static_cast<double>(length_)), what, share,
                    static_cast<std::int64_t>(lasts * static_cast<double>(length_))});
  }
  void at(double part, std::int64_t later, kind what, double share = 0, std::int64_t lasts = 0) {
    out_.push_back({static_cast<std::int64_t>(part * static_cast<double>(length_)) + later, what, share, lasts});
  }

  void outage() {
    at(1.0 / 6, kind::upstream_fails);
    at(0.5, kind::upstream_revives);
  }

  void churn() {
    constexpr kind all[] = {kind::join, kind::leave, kind::restart, kind::join, kind::crash};
    int turn = 0;
    for (double part = 0.05; part < 0.72; part += 1.0 / 60) at(part + random_.share() / 100, all[turn++ % 5], 0.05);
  }

  void chaos() {
    // The upstream fails one to three times, and is back in time.
    const auto outages = 1 + random_.below(3);
    for (std::uint64_t i = 0; i < outages; ++i) {
      const double begin = 0.05 + 0.6 * (static_cast<double>(i) + 0.3 * random_.share()) / static_cast<double>(outages);
      at(begin, random_.happens(0.2) ? kind::upstream_slows : kind::upstream_fails);
      at(begin + (0.1 + 0.35 * random_.share()) / static_cast<double>(outages), kind::upstream_revives);
    }
    const auto faults = 4 + random_.below(12);
    for (std::uint64_t i = 0; i < faults; ++i) fault(0.02 + 0.65 * random_.share());
  }

  [[nodiscard]] std::vector<action> take() {
    const auto end = static_cast<std::int64_t>(0.74 * static_cast<double>(length_));
    for (action& a : out_) {
      a.at = std::min(a.at, end);
      a.lasts = std::min(a.lasts, end - a.at + 1);
    }
    std::stable_sort(out_.begin(), out_.end(), [](const action& a, const action& b) { return a.at < b.at; });
    return std::move(out_);
  }

 private:
  void fault(double part) {
    const std::int64_t lasts = random_.between(second / 20, 10 * second);
    switch (random_.below(13)) {
      case 0:
      case 1: at(part, 0, kind::isolate, 0.05 + 0.6 * random_.share(), lasts); break;
      case 2: at(part, 0, kind::isolate, 0.02, lasts); break;
      case 3: at(part, 0, kind::store_down, 0, lasts / 2); break;
      case 4: at(part, 0, kind::store_hangs, 0, lasts / 3); break;
      case 5: at(part, 0, kind::store_emptied); break;
      case 6:
        at(part, 0, kind::store_remembers);
        at(part, random_.between(second / 10, 5 * second), kind::store_goes_back);
        break;
      case 7: at(part, 0, kind::join, 0.3 * random_.share()); break;
      case 8: at(part, 0, random_.happens(0.5) ? kind::leave : kind::crash, 0.3 * random_.share()); break;
      case 9: at(part, 0, kind::restart, 0.3 * random_.share()); break;
      case 10: at(part, 0, kind::bad_network, 0.3 * random_.share(), lasts); break;
      case 11:
        at(part, 0, kind::force_open, 0, random_.happens(0.5) ? lasts : 0);
        at(part, lasts, kind::release);
        break;
      default: at(part, 0, random_.happens(0.5) ? kind::trip : kind::reset); break;
    }
  }

  std::int64_t length_;
  random_stream random_;
  std::vector<action> out_;
};

}  // namespace

const std::vector<plan_name>& plan_names() {
  static const std::vector<plan_name> all = {
      {"calm", "nothing goes wrong"},
      {"outage", "the upstream is dead from a sixth to the half of the run"},
      {"slow", "the same, but it is slow instead of dead"},
      {"flapping", "the upstream dies and comes back five times"},
      {"partition", "the outage, while three of ten instances cannot reach the store, at its begin and at its end"},
      {"store-down", "the outage, while the store cannot be reached for some seconds, at its begin and at its end"},
      {"store-hangs", "the outage, while the store hangs again and again"},
      {"store-lost", "the outage, while the store restarts empty, in the middle and while the fleet recovers"},
      {"store-old", "the outage, while an old replica takes over, in the middle and while the fleet recovers"},
      {"churn", "the outage, while instances join, leave, crash and restart"},
      {"operator", "the outage, and operators who open, release, trip and reset"},
      {"chaos", "all of these, drawn from the seed"},
  };
  return all;
}

std::vector<action> make_plan(const settings& s) {
  maker m(s);
  const std::string& name = s.plan;
  if (name == "chaos") {
    m.chaos();
  } else if (name == "slow") {
    m.at(1.0 / 6, kind::upstream_slows);
    m.at(0.5, kind::upstream_revives);
  } else if (name == "flapping") {
    for (int i = 0; i < 5; ++i) {
      m.at(0.1 + 0.12 * i, kind::upstream_fails);
      m.at(0.15 + 0.12 * i, kind::upstream_revives);
    }
  } else if (name != "calm") {
    m.outage();
  }
  if (name == "partition") {
    m.at(0.16, kind::isolate, 0.3, 0.1);
    m.at(0.45, kind::isolate, 0.3, 0.1);
  } else if (name == "store-down") {
    m.at(1.0 / 6, second / 2, kind::store_down, 0, 5 * second);
    m.at(0.5, -second, kind::store_down, 0, 10 * second);
  } else if (name == "store-hangs") {
    for (int i = 0; i < 12; ++i) m.at(0.16 + 0.04 * i, kind::store_hangs, 0, 0.01);
  } else if (name == "store-lost") {
    m.at(1.0 / 6, 2 * second, kind::store_emptied);
    m.at(0.35, kind::store_emptied);
    m.at(0.5, second, kind::store_emptied);
    m.at(0.5, 8 * second, kind::store_emptied);
  } else if (name == "store-old") {
    m.at(1.0 / 6, -second, kind::store_remembers);
    m.at(1.0 / 6, 4 * second, kind::store_goes_back);
    m.at(0.4, kind::store_remembers);
    m.at(0.5, 3 * second, kind::store_goes_back);
  } else if (name == "churn") {
    m.churn();
  } else if (name == "operator") {
    m.at(0.08, kind::force_open, 0, 0.04);
    m.at(0.14, kind::trip);
    m.at(0.25, kind::reset);
    m.at(0.3, kind::force_open);
    m.at(0.55, kind::release);
    m.at(0.65, kind::force_open, 0, 0.03);
    m.at(0.7, kind::reset);
  }
  return m.take();
}

}  // namespace switchgear::inline v1::simulation
