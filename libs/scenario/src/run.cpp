// SPDX-License-Identifier: Apache-2.0
#include "facts.hpp"
#include "text.hpp"
#include <switchgear/machine/storage.hpp>
#include <switchgear/scenario/run.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace switchgear::inline v1::scenario {
namespace {

using machine::nanos;
using std::chrono::nanoseconds;

constexpr std::uint64_t jitter_seed = 20;
constexpr double rate_tolerance = 1e-9;
constexpr std::size_t most_transitions_shown = 40;

/// Leaves the run; caught in run().
struct stopped {
  std::string step;
  std::string text;
};

std::string show(maybe_duration d) { return d ? format_duration(*d) : "null"; }
std::string show(switchgear::state s) { return std::string(to_string(s)); }
std::string show(std::uint64_t n) { return std::to_string(n); }
std::string show(double v) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, v).ptr};
}
std::string show(const std::vector<one_transition>& all) {
  std::string text = "[";
  for (std::size_t i = 0; i < all.size() && i < most_transitions_shown; ++i) {
    text += (i == 0 ? "" : ", ") + show(all[i].from) + ">" + show(all[i].to);
  }
  if (all.size() > most_transitions_shown) text += ", … " + std::to_string(all.size()) + " in all";
  return text + "]";
}
std::string show(const std::vector<std::string>& keys) {
  std::string text = "[";
  for (std::size_t i = 0; i < keys.size(); ++i) text += (i == 0 ? "" : ", ") + keys[i];
  return text + "]";
}

maybe_duration of_machine(nanos d) { return d < 0 ? maybe_duration() : nanoseconds(d); }
double quotient(std::uint64_t part, std::uint64_t whole, double otherwise) {
  return whole == 0 ? otherwise : static_cast<double>(part) / static_cast<double>(whole);
}

class runner {
 public:
  explicit runner(const program& p)
      : program_(p),
        config_(p.config),
        storage_(machine::resolve(p.config), 1, jitter_seed),
        permits_(p.names.size()) {}

  void run(const std::vector<step>& steps) {
    for (const step& s : steps) {
      step_ = &s;
      std::visit([this](const auto& action) { act(action); }, s.action);
    }
  }

 private:
  struct held_permit {
    machine::grant grant;
    bool settled = true;
  };

  [[noreturn]] void stop(std::string expected, std::string seen) const {
    throw stopped{step_->path, "expected " + expected + ", seen " + seen};
  }
  [[nodiscard]] auto breaker() const { return storage_.machine(); }

  void note(const machine::transitions& changes) {
    for (const machine::transition& t : changes) {
      if (t.changes_state()) transitions_.push_back({t.from, t.to});
      if (t.to == state::open) check_open_period(t);
    }
  }

  /// Jitter is random, so what a file states about the time of opening is its lower bound: section 5 lets the period be
  /// longer by up to `jitter` of it. The period itself has to keep within these bounds.
  void check_open_period(const machine::transition& t) {
    const machine::settings& s = storage_.in_force();
    slack_ = 0;
    if (s.jitter == 0) return;
    const std::uint32_t attempt = breaker().observe(now_).facts.attempt;
    const nanos least = machine::open_duration(s, attempt, 0);
    machine::settings plain = s;
    plain.jitter = 0;
    plain.min_reset_interval = 0;
    const nanos base = machine::open_duration(plain, attempt, 0);
    const auto extra = static_cast<nanos>(static_cast<long double>(base) * s.jitter / 1'000'000);
    const nanos most = std::max(least, base + extra);
    slack_ = most - least;
    const nanos seen = t.until - t.at;
    if (seen < least || seen > most) {
      stop("an open duration from " + show(of_machine(least)) + " to " + show(of_machine(most)),
           show(of_machine(seen)));
    }
  }

  [[nodiscard]] bool same(maybe_duration expected, maybe_duration seen, bool open) const {
    if (expected == seen) return true;
    if (!expected || !seen || !open) return false;
    return *seen > *expected && *seen - *expected <= nanoseconds(slack_);
  }

  static std::string show_rejection(const machine::refusal& r) {
    return "a rejection (" + std::string(to_string(r.reason)) + ", retry_after " + show(of_machine(r.retry_after)) +
           ")";
  }

  void act(const advance_clock& a) { now_ += a.by.count(); }

  void act(const acquire_permits& a) {
    for (const name_id name : a.names) {
      const machine::acquired got = breaker().acquire(now_, only_lane);
      note(got.changes);
      const bool admitted = got.permit.is != machine::grant::kind::none;
      const std::string who = in_quotes(program_.names[name]);
      if (a.admitted && !admitted) stop(who + " admitted", show_rejection(got.rejection));
      if (!a.admitted && admitted) stop(who + " rejected", "it admitted");
      if (admitted) {
        permits_[name] = {got.permit, false};
        continue;
      }
      const bool open = got.rejection.reason == rejection_reason::open;
      if (a.reason && *a.reason != got.rejection.reason) {
        stop("reason " + std::string(to_string(*a.reason)), std::string(to_string(got.rejection.reason)));
      }
      const maybe_duration after = of_machine(got.rejection.retry_after);
      if (a.retry_after && !same(*a.retry_after, after, open)) stop("retry_after " + show(*a.retry_after), show(after));
    }
  }

  void act(const settle_permits& a) {
    for (const name_id name : a.names) {
      held_permit& permit = permits_[name];
      if (permit.settled) continue;
      permit.settled = true;
      note(breaker().settle(permit.grant, a.verdict, now_, only_lane).changes);
    }
  }

  void act(const call_dependency& a) {
    for (std::uint64_t i = 0; i < a.times; ++i) {
      const machine::acquired got = breaker().acquire(now_, only_lane);
      note(got.changes);
      const bool admitted = got.permit.is != machine::grant::kind::none;
      if (admitted != a.admitted) {
        const std::string which =
            a.times == 1 ? "the call" : "call " + std::to_string(i + 1) + " of " + std::to_string(a.times);
        stop(which + (a.admitted ? " admitted" : " rejected"),
             admitted ? "it admitted" : show_rejection(got.rejection));
      }
      if (!admitted) continue;
      now_ += a.took.count();
      note(breaker().settle(got.permit, a.verdict, now_, only_lane).changes);
    }
  }

  void act(const check_facts& a) {
    const machine::observation seen = breaker().observe(now_);
    const machine::totals sums = breaker().metrics();
    for (const expectation& e : a.expected) {
      const expected_value actual = value_of(e.what, seen, sums);
      bool equal = e.value == actual;
      if (kind_of(e.what) == fact_kind::rate) {
        equal = std::fabs(std::get<double>(e.value) - std::get<double>(actual)) <= rate_tolerance;
      } else if (e.what == fact::retry_after) {
        equal = same(std::get<maybe_duration>(e.value), std::get<maybe_duration>(actual), seen.state == state::open);
      }
      if (equal) continue;
      const auto text = [](const expected_value& v) { return std::visit([](const auto& x) { return show(x); }, v); };
      stop(std::string(to_string(e.what)) + " " + text(e.value), text(actual));
    }
  }

  void act(const check_transitions& a) {
    if (a.expected != transitions_) stop("transitions " + show(a.expected), show(transitions_));
  }

  void act(const trip_by_hand&) { note(breaker().trip(now_)); }
  void act(const override_state& a) {
    bool renewed = false;
    const nanos end = a.time_to_live ? machine::later(now_, a.time_to_live->count()) : -1;
    note(breaker().override_with(a.to, end, now_, renewed));
  }
  void act(const release_override&) { note(breaker().release(now_)); }
  void act(const reset_breaker&) { note(breaker().reset(now_)); }
  void act(const reset_metrics&) {
    note(breaker().advance(now_));  // as every operator action
    breaker().reset_metrics();
  }
  void act(const reconfigure_breaker& a) {
    config_result next = apply(a.patch, config_);
    if (a.refused && next) stop("the reconfiguration refused", "it accepted");
    if (!a.refused && !next)
      stop("the reconfiguration accepted", "it refused: " + printable(to_string(next.problems.front())));
    if (!next) return;
    note(breaker().advance(now_));  // as every operator action
    config_ = std::move(next.value);
    storage_.reconfigure(machine::resolve(config_));
  }
  void act(const repeat_steps& a) {
    for (std::uint64_t i = 0; i < a.times; ++i) run(a.steps);
  }

  static expected_value value_of(fact what, const machine::observation& o, const machine::totals& m) {
    const std::uint64_t judged = m.successes + m.failures;
    const std::uint64_t total = judged + m.ignored + m.abandoned + m.rejections;
    switch (what) {
      case fact::state:
        return o.state;
      case fact::generation:
        return o.generation;
      case fact::consecutive_failures:
        return std::uint64_t{o.consecutive_failures};
      case fact::half_open_successes:
        return std::uint64_t{o.half_open_successes};
      case fact::probes_in_flight:
        return std::uint64_t{o.probes_in_flight};
      case fact::retry_after:
        return of_machine(o.retry_after);
      case fact::total_calls:
        return total;
      case fact::successes:
        return m.successes;
      case fact::failures:
        return m.failures;
      case fact::timeouts:
        return m.timeouts;
      case fact::ignored:
        return m.ignored;
      case fact::abandoned:
        return m.abandoned;
      case fact::slow_calls:
        return m.slow_calls;
      case fact::rejections:
        return m.rejections;
      case fact::would_reject:
        return m.would_reject;
      case fact::late_results:
        return m.late_results;
      case fact::expired_probes:
        return m.expired_probes;
      case fact::transitions:
        return m.transitions;
      case fact::failure_rate:
        return quotient(m.failures, judged, 0);
      case fact::success_rate:
        return quotient(m.successes, judged, 1);
      case fact::rejection_rate:
        return quotient(m.rejections, total, 0);
      case fact::window_calls:
        return o.window.calls;
      case fact::window_failures:
        return o.window.failures;
      case fact::window_slow:
        return o.window.slow;
      case fact::window_failure_rate:
        return quotient(o.window.failures, o.window.calls, 0);
      case fact::window_slow_rate:
        return quotient(o.window.slow, o.window.calls, 0);
    }
    std::abort();
  }

  static constexpr machine::lane_choice only_lane{0, true};

  const program& program_;
  switchgear::config config_;
  machine::basic_storage<std::atomic> storage_;
  std::vector<held_permit> permits_;
  std::vector<one_transition> transitions_;
  const step* step_ = nullptr;
  nanos now_ = 0;
  nanos slack_ = 0;  ///< how much longer than stated the present open period may last
};

outcome run_invalid(const program& p) {
  std::vector<std::string> seen;
  for (const problem& found : p.invalid->found) seen.push_back(found.key);
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  if (seen == p.invalid->expected && !seen.empty()) return {result::passed, p.name, {}, {}};
  const std::string actual = seen.empty() ? "a valid configuration" : "problems of " + printable(show(seen));
  return {result::failed, p.name, "1",
          "expected problems of " + printable(show(p.invalid->expected)) + ", seen " + actual};
}

}  // namespace

outcome run(const program& p) {
  if (p.invalid) return run_invalid(p);
  try {
    runner(p).run(p.steps);
  } catch (stopped& s) {
    return {result::failed, p.name, std::move(s.step), std::move(s.text)};
  }
  return {result::passed, p.name, {}, {}};
}

outcome run_text(std::string_view text, const limits& most) {
  parsed read = parse(text, most);
  if (!read.value) {
    return {result::not_a_scenario, std::move(read.name), std::move(read.wrong.step), std::move(read.wrong.why)};
  }
  return run(*read.value);
}

}  // namespace switchgear::inline v1::scenario
