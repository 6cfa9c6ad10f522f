// SPDX-License-Identifier: Apache-2.0
// Every interleaving of small concurrent cases: who conducts a block from outside against its calls.
#include "support/room.hpp"

#include <memory>

namespace {

using namespace switchgear::testing;
using phase = m::gate_word::phase;
using sg::state;
using sg::verdict;

/// An open circuit whose period is over, gated.
shared_room gated(scenario& s, const sg::config& c, m::gate_word g) {
  const auto r = make(s, c);
  s.name(r->block.header().gate, "gate");
  r->call(verdict::failure, 0);
  r->block.machine().conduct(second);
  require(r->block.machine().set_gate({}, g), "the gate is off at first");
  return r;
}

const m::gate_word offer = m::gate_word::make(phase::offered, 2 * second);

TEST_F(machine_interleavings, of_one_offer_one_probe_comes) {
  explore([](scenario& s) {
    const auto r = gated(s, probing(3, 1), offer);
    const auto probes = std::make_shared<int>(0);
    for (std::uint32_t t = 0; t < 2; ++t) {
      s.thread([r, t, probes] {
        if (r->acquire(second, t).permit.is == m::grant::kind::probe) ++*probes;
      });
    }
    s.finally([r, probes] {
      r->quiet(second);
      require_equal(static_cast<std::uint64_t>(*probes), 1, "probes of one offer");
      require(r->word().state() == state::half_open, "half-open");
    });
  });
}

TEST_F(machine_interleavings, an_offer_that_is_taken_back_is_taken_or_taken_back) {
  explore([](scenario& s) {
    const auto r = gated(s, probing(1, 1), offer);
    const auto probes = std::make_shared<int>(0);
    const auto withdrawn = std::make_shared<bool>(false);
    s.thread([r, probes] {
      if (r->acquire(second, 0).permit.is == m::grant::kind::probe) ++*probes;
    });
    s.thread([r, withdrawn] { *withdrawn = r->block.machine().set_gate(offer, m::gate_word::make(phase::shut)); });
    s.finally([r, probes, withdrawn] {
      r->quiet(second);
      require(*withdrawn == (*probes == 0), "either the probe has it, or the one outside");
      require(r->block.machine().gate().is() == (*withdrawn ? phase::shut : phase::taken), "the gate says so");
    });
  });
}

TEST_F(machine_interleavings, the_verdict_of_an_offered_probe_beside_a_decision_from_outside) {
  for (const verdict v : {verdict::success, verdict::failure}) {
    explore([v](scenario& s) {
      const auto r = gated(s, probing(1, 1), offer);
      const m::grant probe = r->acquire(second).permit;
      const std::uint64_t generation = r->word().generation();
      s.thread([r, probe, v] { r->settle(probe, v, second + 5, 0); });
      s.thread([r, generation] {
        m::transitions out;
        r->block.machine().impose_closed(generation, m::ramp_word::whole, second + 6, out);
        r->note(out);
      });
      s.finally([r, v, generation] {
        r->quiet(second + 6);
        const auto at = r->observe(second + 6);
        if (v == verdict::success) require(at.state == state::closed, "closed from outside");
        if (at.state == state::closed) require_equal(at.generation, generation + 1, "one transition");
        if (at.state == state::open) require_equal(at.facts.attempt, 1, "the failed probe counts");
        require_equal(at.probes_in_flight, 0, "probes in flight");
      });
    });
  }
}

TEST_F(machine_interleavings, an_opening_from_outside_beside_one_of_its_own) {
  explore([](scenario& s) {
    const auto r = make(s, consecutive(1));
    const m::grant g = r->acquire(0).permit;
    s.thread([r, g] { r->settle(g, verdict::failure, 5, 0); });
    s.thread([r] {
      m::transitions out;
      r->block.machine().impose_open(0, {.until = 9 * second, .attempt = 4, .failure_count = 7}, 6, out);
      r->note(out);
    });
    s.finally([r] {
      r->quiet(6);
      const auto at = r->observe(6);
      require(at.state == state::open, "open");
      require_equal(at.generation, 1, "by one transition");
      if (r->made[1].trigger == m::trigger::fleet_opened) {
        require_equal(static_cast<std::uint64_t>(at.facts.until), 9 * second, "the end from outside");
        require_equal(at.facts.attempt, 4, "the attempt from outside");
      }
    });
  });
}

TEST_F(machine_interleavings, the_end_of_a_ramp_beside_calls_and_failures) {
  explore([](scenario& s) {
    const auto r = gated(s, probing(1, 1), {});
    r->apart = second;
    m::transitions out;
    r->block.machine().impose_closed(r->word().generation(), 500'000, second, out);
    r->note(out);
    const std::uint64_t generation = r->word().generation();
    s.thread([r] {
      const m::acquired got = r->acquire(second, 0);
      if (got.permit.is != m::grant::kind::none) r->settle(got.permit, verdict::failure, second, 0);
    });
    s.thread([r, generation] { r->block.machine().set_share(generation, m::ramp_word::whole); });
    s.finally([r, generation] {
      r->quiet(second);
      if (r->word().generation() == generation) {
        require(r->word().cause() == m::cause::recovered, "the ramp is over");
      } else {
        require(r->word().state() == state::open, "the failure opened it");
      }
    });
  });
}

TEST_F(machine_interleavings, a_probe_that_stops_anywhere_leaves_its_offer_to_the_one_outside) {
  explore_stopped([](scenario& s) {
    const auto r = gated(s, probing(1, 1), offer);
    s.thread([r] {
      const m::acquired got = r->block.machine().acquire(second, room::lane(0));
      if (got.permit.is == m::grant::kind::probe) r->block.machine().settle(got.permit, verdict::success, second, room::lane(0));
    });
    s.finally([r] {
      // Whatever it left: offered again, the block admits a probe once the lease of the lost one is over. A lease that was
      // not written down yet begins when somebody looks.
      auto engine = r->block.machine();
      const auto ask = [&engine](m::nanos now) {
        engine.conduct(now);
        require(engine.set_gate(engine.gate(), m::gate_word::make(phase::offered, now + second)), "nobody else sets it");
        return engine.acquire(now, room::lane(1)).permit.is == m::grant::kind::probe;
      };
      require(ask(2 * second) || ask(8 * second), "a probe after the lost one");
    });
  });
}

}  // namespace
