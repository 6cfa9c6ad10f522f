// SPDX-License-Identifier: Apache-2.0
// Every interleaving of small concurrent cases, on the machine itself: operators against calls.
#include "support/room.hpp"

#include <vector>

namespace {

using namespace switchgear::testing;
using sg::state;
using sg::verdict;

void new_generation_is_clean(const shared_room& r, m::nanos now) {
  r->quiet(now);
  const auto at = r->observe(now);
  if (at.state == state::closed && at.generation == r->steps && r->made[r->steps].trigger == m::trigger::reset) {
    require_equal(at.probes_in_flight, 0, "slots after the reset");
    require_equal(at.facts.attempt, 0, "attempt after the reset");
    require(at.facts.closed_at == -1, "the last closing is forgotten");
  }
}

TEST_F(machine_interleavings, a_reset_beside_a_verdict_starts_clean) {
  for (const verdict v : {verdict::success, verdict::failure}) {
    explore([v](scenario& s) {
      const auto r = make(s, counting(2, 2));
      r->call(verdict::failure, 0);
      const m::grant g = r->acquire(0).permit;
      s.thread([r, g, v] { r->settle(g, v, 5, 0); });
      s.thread([r] {
        r->note(r->block.machine().reset(6));
        const m::grant fresh = r->acquire(6, 1).permit;
        if (fresh.is != m::grant::kind::call) return;
        r->settle(fresh, verdict::failure, 6, 1);
      });
      s.finally([r] {
        new_generation_is_clean(r, 6);
        const auto at = r->observe(6);
        require(at.state == state::closed, "closed after the reset: one failure is not enough");
        require_equal(at.window.calls, 1, "the window holds what came after the reset");
        require_equal(at.window.failures, 1, "failures after the reset");
        require_equal(at.consecutive_failures, 1, "consecutive failures after the reset");
      });
    });
  }
}

TEST_F(machine_interleavings, a_reset_beside_probes_leaves_no_slot_taken) {
  for (const verdict v : {verdict::success, verdict::failure, verdict::ignored}) {
    explore([v](scenario& s) {
      const auto r = make(s, probing(1, 1));
      r->call(verdict::failure, 0);
      const m::grant g = r->acquire(second).permit;
      s.thread([r, g, v] { r->settle(g, v, second + 5, 0); });
      s.thread([r] { r->note(r->block.machine().reset(second + 6)); });
      s.finally([r] {
        new_generation_is_clean(r, second + 6);
        require(r->word().state() == state::closed, "closed after the reset");
        // It opens and half-opens again with its own deadline and every slot.
        r->call(verdict::failure, 2 * second);
        require(r->observe(2 * second).facts.until == 3 * second, "the next deadline");
        require(r->acquire(3 * second).permit.is == m::grant::kind::probe, "the next probe");
      });
    });
  }
}

TEST_F(machine_interleavings, a_reset_beside_acquires_leaves_no_slot_taken) {
  explore([](scenario& s) {
    const auto r = make(s, probing(1, 1));
    r->call(verdict::failure, 0);
    for (std::uint32_t t = 0; t < 2; ++t) s.thread([r, t] { r->acquire(second, t); });
    s.thread([r] { r->note(r->block.machine().reset(second + 1)); });
    s.finally([r] {
      r->quiet(second + 1);
      require(r->word().state() == state::closed, "closed after the reset");
      r->call(verdict::failure, 2 * second);
      require(r->acquire(3 * second).permit.is == m::grant::kind::probe, "the next probe");
    });
  });
}

TEST_F(machine_interleavings, a_deadline_is_not_moved_by_a_thread_from_before_the_reset) {
  explore([](scenario& s) {
    const auto r = make(s, consecutive(1));
    const m::grant a = r->acquire(0).permit;
    s.thread([r, a] { r->settle(a, verdict::failure, 5, 0); });
    s.thread([r] {
      r->note(r->block.machine().reset(6));
      const m::grant b = r->acquire(7, 1).permit;
      if (b.is == m::grant::kind::call) r->settle(b, verdict::failure, 7, 1);
    });
    s.finally([r] {
      r->quiet(7);
      require(r->word().state() == state::open && r->observe(7).facts.until == 7 + second,
              "the deadline of the second trip");
    });
  });
}

TEST_F(machine_interleavings, an_override_keeps_its_end_whatever_calls_do_beside_it) {
  for (const state kind : {state::forced_open, state::disabled}) {
    explore([kind](scenario& s) {
      const auto r = make(s, consecutive(1));
      r->apart = 1;
      const m::grant g = r->acquire(0).permit;
      s.thread([r, kind] {
        bool renewed = false;
        r->note(r->block.machine().override_with(kind, 100, 5, renewed));
        require(!renewed, "there was nothing to renew");
      });
      s.thread([r, g] {
        r->settle(g, verdict::failure, 6, 1);
        r->acquire(6, 1);
      });
      s.finally([r, kind] {
        r->quiet(7);
        require(r->word().state() == kind, "the override is in force");
        require(r->observe(7).facts.until == 100, "the end of the override");
        r->note(r->block.machine().advance(100));
        require(r->word().state() == state::closed, "the override ends");
      });
    });
  }
}

TEST_F(machine_interleavings, a_release_beside_a_verdict_and_an_acquire) {
  explore([](scenario& s) {
    const auto r = make(s, consecutive(1));
    const m::grant old = r->acquire(0).permit;
    bool renewed = false;
    r->note(r->block.machine().override_with(state::disabled, -1, 1, renewed));
    const m::grant during = r->acquire(1).permit;
    s.thread([r, old, during] {
      require(r->settle(old, verdict::failure, 5, 0).late, "a permit from before the override is late");
      r->settle(during, verdict::failure, 5, 0);
    });
    s.thread([r] { r->note(r->block.machine().release(6)); });
    s.finally([r] {
      r->quiet(6);
      require(r->word().state() == state::closed && r->word().count() == 0,
              "closed, and nothing of before is evidence");
    });
  });
}

TEST_F(machine_interleavings, the_end_of_an_override_is_made_once) {
  explore([](scenario& s) {
    const auto r = make(s, consecutive(1));
    bool renewed = false;
    r->note(r->block.machine().override_with(state::forced_open, 10, 1, renewed));
    for (std::uint32_t t = 0; t < 2; ++t) {
      s.thread([r, t] { require(r->acquire(10, t).permit.is == m::grant::kind::call, "admitted"); });
    }
    s.thread([r] { r->note(r->block.machine().advance(10)); });
    s.finally([r] {
      r->quiet(10);
      require_equal(r->steps, 2, "forced open and closed");
    });
  });
}

TEST_F(machine_interleavings, two_operators_at_once_each_act_once) {
  using action = std::function<void(const shared_room&)>;
  const std::vector<action> actions{
      [](const shared_room& r) { r->note(r->block.machine().trip(5)); },
      [](const shared_room& r) { r->note(r->block.machine().reset(5)); },
      [](const shared_room& r) { r->note(r->block.machine().release(5)); },
      [](const shared_room& r) {
        bool renewed = false;
        r->note(r->block.machine().override_with(state::forced_open, 100, 5, renewed));
      },
      [](const shared_room& r) {
        bool renewed = false;
        r->note(r->block.machine().override_with(state::disabled, 200, 5, renewed));
      },
  };
  for (std::size_t i = 0; i < actions.size(); ++i) {
    for (std::size_t j = i; j < actions.size(); ++j) {
      explore([&actions, i, j](scenario& s) {
        const auto r = make(s, consecutive(1));
        s.thread([r, &actions, i] { actions[i](r); });
        s.thread([r, &actions, j] { actions[j](r); });
        s.finally([r, i, j] {
          r->quiet(5);
          if (i == j && i == 0) require_equal(r->steps, 1, "the second trip finds it open");
          if (i == j && i == 1) require_equal(r->steps, 2, "each reset makes a generation");
          if (i == j && i > 2) require_equal(r->steps, 1, "the second override renews");
        });
      });
    }
  }
}

TEST_F(machine_interleavings, a_renewed_override_ends_when_the_renewal_says) {
  explore([](scenario& s) {
    const auto r = make(s, consecutive(1));
    const auto both = std::make_shared<int>(0);
    for (int t = 0; t < 2; ++t) {
      s.thread([r, t, both] {
        bool renewed = false;
        const auto changes = r->block.machine().override_with(state::disabled, 100 + t, 5, renewed);
        require(renewed == (changes.count == 0), "either made or renewed");
        r->note(changes);
        if (renewed) *both = 100 + t;
      });
    }
    s.finally([r, both] {
      require_equal(r->steps, 1, "one transition");
      require(r->observe(5).facts.until == *both, "the end is that of the renewal");
    });
  });
}

TEST_F(machine_interleavings, an_observer_sees_a_state_that_was) {
  explore([](scenario& s) {
    const auto r = make(s, consecutive(1));
    r->apart = 1;
    const m::grant g = r->acquire(0).permit;
    s.thread([r, g] { r->settle(g, verdict::failure, 5, 0); });
    s.thread([r] {
      const auto at = r->observe(6);
      require(at.state == state::closed || at.state == state::open, "half-open a nanosecond after the opening");
      if (at.state == state::open) require(at.retry_after > second - 10 && at.retry_after <= second, "retry_after");
      const state plain = r->block.machine().observed_state(6);
      require(plain == state::closed || plain == state::open, "half-open a nanosecond after the opening");
    });
    s.finally([r] { r->quiet(6); });
  });
}

TEST_F(machine_interleavings, metrics_never_go_below_nothing) {
  for (const bool calls : {false, true}) {
    explore([calls](scenario& s) {
      const auto r = std::make_shared<room>(consecutive(3), 1);
      r->call(verdict::success, 0);
      s.thread([r] { r->block.machine().reset_metrics(); });
      s.thread([r, calls] {
        if (!calls) return r->block.machine().reset_metrics();
        r->call(verdict::success, 0);
        require(r->block.machine().metrics().successes <= 2, "successes below zero");
      });
      s.finally(
          [r, calls] { require(r->block.machine().metrics().successes <= (calls ? 1 : 0), "successes below zero"); });
    });
  }
}

}  // namespace
