// SPDX-License-Identifier: Apache-2.0
#include "parse.hpp"
#include "text.hpp"
#include <switchgear/machine/block.hpp>

#include <limits>

namespace switchgear::inline v1::scenario {
namespace {

constexpr std::uint64_t reconfiguration_cost = 1'000;

std::uint64_t add(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t sum = a + b;
  return sum < a ? std::numeric_limits<std::uint64_t>::max() : sum;
}

std::uint64_t multiply(std::uint64_t a, std::uint64_t b) {
  if (a == 0 || b == 0) return 0;
  return a > std::numeric_limits<std::uint64_t>::max() / b ? std::numeric_limits<std::uint64_t>::max() : a * b;
}

/// What a step costs: machine steps, and time on the virtual clock.
struct cost {
  std::uint64_t steps = 0;
  std::uint64_t time = 0;
};

cost operator+(cost a, cost b) { return {add(a.steps, b.steps), add(a.time, b.time)}; }
cost operator*(cost a, std::uint64_t times) { return {multiply(a.steps, times), multiply(a.time, times)}; }

class meter {
 public:
  explicit meter(const limits& most) : most_(most) {}

  cost of(const std::vector<step>& steps) const {
    cost sum;
    for (const step& s : steps) {
      sum = sum + of(s);
      if (sum.steps > most_.steps) {
        refuse(s.path, "more than " + std::to_string(most_.steps) + " machine steps in all; repeat less");
      }
      if (sum.time > static_cast<std::uint64_t>(machine::latest)) {
        refuse(s.path, "the clock would run past 18 years, which is as far as a breaker's clock goes");
      }
    }
    return sum;
  }

 private:
  cost of(const step& s) const {
    if (const auto* a = std::get_if<advance_clock>(&s.action)) return {1, static_cast<std::uint64_t>(a->by.count())};
    if (const auto* a = std::get_if<acquire_permits>(&s.action)) return {a->names.size(), 0};
    if (const auto* a = std::get_if<settle_permits>(&s.action)) return {a->names.size(), 0};
    if (const auto* a = std::get_if<call_dependency>(&s.action)) {
      return cost{1, a->admitted ? static_cast<std::uint64_t>(a->took.count()) : 0} * a->times + cost{1, 0};
    }
    if (const auto* a = std::get_if<reconfigure_breaker>(&s.action)) {
      return {reconfiguration_cost * (1 + a->patch.entries.size()), 0};
    }
    if (const auto* a = std::get_if<repeat_steps>(&s.action)) {
      return (of(a->steps) + cost{1, 0}) * a->times + cost{1, 0};
    }
    return {1, 0};
  }

  const limits& most_;
};

/// Follows what each name stands for. Every step but `acquire … rejected` leaves the names it touches in a condition
/// that does not depend on the one before, so two rounds of a repetition show all that a million would.
class follower {
 public:
  explicit follower(const program& p) : program_(p), held_(p.names.size(), standing::nothing) {}

  void follow(const std::vector<step>& steps, bool first_round) {
    for (const step& s : steps) {
      if (const auto* a = std::get_if<acquire_permits>(&s.action)) acquire(s, *a);
      if (const auto* a = std::get_if<settle_permits>(&s.action)) settle(s, *a);
      const auto* a = std::get_if<repeat_steps>(&s.action);
      if (a == nullptr || a->times == 0) continue;
      follow(a->steps, first_round);
      if (first_round && a->times > 1) follow(a->steps, false);
    }
  }

 private:
  enum class standing : std::uint8_t { nothing, out, settled };

  void acquire(const step& s, const acquire_permits& a) {
    for (const name_id name : a.names) {
      if (held_[name] == standing::out) {
        refuse(s.path, "the name " + in_quotes(program_.names[name]) + " is used again before its permit is settled");
      }
      if (a.admitted) held_[name] = standing::out;
    }
  }
  void settle(const step& s, const settle_permits& a) {
    for (const name_id name : a.names) {
      if (held_[name] == standing::nothing) {
        refuse(s.path, "unknown permit " + in_quotes(program_.names[name]) + ": no step before acquired it");
      }
      held_[name] = standing::settled;
    }
  }

  const program& program_;
  std::vector<standing> held_;
};

}  // namespace

void check(const program& p, const limits& most) {
  follower(p).follow(p.steps, true);
  meter(most).of(p.steps);
}

}  // namespace switchgear::inline v1::scenario
