// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <functional>
#include <optional>
#include <stdexcept>
#include <thread>

namespace {

using namespace logs;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct an_event_log : testing::Test {
  sg::testing::manual_clock clock;
  kept_lines lines;
  sg::circuit_breaker payments{"payments", {.failure_threshold = 2, .open_duration = 30s}, clock};
};

TEST_F(an_event_log, writes_what_happens_to_a_circuit) {
  sg::event_log log(lines.sink(), {}, clock);
  const auto listening = payments.observe(log.handler(), sg::event_filter::problems);
  for (int i = 0; i < 2; ++i) payments.try_acquire().failure("connection refused");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(payments.try_acquire());
  payments.reset("fixed");
  sg::drain_events();
  EXPECT_THAT(lines.messages(), ElementsAre("circuit payments failure: connection refused",
                                            "circuit payments failure: … and 1 more in the last 1 s",
                                            "circuit payments closed → open: 2 consecutive failures (threshold 2)",
                                            "circuit payments rejected: open",
                                            "circuit payments rejected: … and 2 more in the last 1 s",
                                            "circuit payments open → closed: fixed"));
  EXPECT_EQ(log.metrics().lines, 6u);
}

TEST_F(an_event_log, writes_whose_call_it_was) {
  sg::event_log log(lines.sink(), {}, clock);
  const auto listening = payments.observe(log.handler(), sg::event_filter::failures);
  auto p = payments.try_acquire();
  p.failure("connection refused", {.correlation_id = "order-4711"});
  sg::drain_events();
  ASSERT_THAT(lines.records(), SizeIs(1));
  EXPECT_EQ(field(lines.records()[0], "correlation_id"), text("order-4711"));
}

TEST_F(an_event_log, takes_what_a_bus_brings) {
  sg::event_log log(lines.sink(), {}, clock);
  const std::function<void(std::string_view, const sg::event&)> handler = log.handler();
  handler("circuit_breaker.state.payments", told(event_kind::opened, "outage"));
  EXPECT_THAT(lines.messages(), ElementsAre("circuit payments closed → open: outage"));
}

TEST_F(an_event_log, writes_nothing_that_matters_less_than_it_is_told) {
  sg::event_log log(lines.sink(), {.least = log_level::warning}, clock);
  log.handler()(told(event_kind::closed));
  log.handler()(told(event_kind::failure));
  log.handler()(told(event_kind::success));
  EXPECT_THAT(lines.messages(), IsEmpty());
  log.handler()(told(event_kind::opened, "outage"));
  EXPECT_THAT(lines.messages(), SizeIs(1));
}

TEST_F(an_event_log, leaves_single_calls_out_unless_somebody_wants_everything) {
  sg::event_log usual(lines.sink(), {}, clock);
  usual.handler()(told(event_kind::success));
  EXPECT_THAT(lines.messages(), IsEmpty());
  sg::event_log all(lines.sink(), {.least = log_level::debug}, clock);
  all.handler()(told(event_kind::success));
  EXPECT_THAT(lines.messages(), ElementsAre("circuit payments success"));
}

TEST_F(an_event_log, goes_on_after_a_sink_that_throws) {
  int called = 0;
  sg::event_log log([&](const sg::log_record&) { ++called, throw std::runtime_error("disk full"); }, {}, clock);
  log.handler()(told(event_kind::opened));
  log.handler()(told(event_kind::closed));
  EXPECT_EQ(called, 2);
  EXPECT_EQ(log.metrics().failed, 2u);
}

TEST_F(an_event_log, holds_no_lock_while_the_sink_runs) {
  sg::event_log* self = nullptr;
  int called = 0;
  sg::event_log log(
      [&](const sg::log_record&) {
        if (++called == 1) self->handler()(told(event_kind::rejected, "from within", "other"));
        self->flush();
      },
      {}, clock);
  self = &log;
  log.handler()(told(event_kind::rejected));
  EXPECT_EQ(called, 2);
}

TEST_F(an_event_log, may_go_before_those_who_tell_it) {
  std::optional<sg::event_log> log(std::in_place, lines.sink(), sg::event_log_options{}, clock);
  const auto handler = log->handler();
  log.reset();
  handler(told(event_kind::opened));
  EXPECT_THAT(lines.messages(), SizeIs(1));
}

TEST_F(an_event_log, loses_no_count_when_several_threads_tell_it) {
  constexpr int threads = 4, each = 2000;
  sg::event_log log(lines.sink(), {}, clock);
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([handler = log.handler()] {
      for (int i = 0; i < each; ++i) handler(told(event_kind::rejected, "open"));
    });
  }
  for (std::thread& t : all) t.join();
  log.flush();
  ASSERT_THAT(lines.records(), SizeIs(2));
  EXPECT_EQ(field(lines.records()[1], "left_out"), number(threads * each - 1));
}

TEST_F(an_event_log, refuses_options_that_make_no_sense_all_at_once) {
  const auto keys = [](auto&& make) {
    std::vector<std::string> out;
    try {
      make();
    } catch (const sg::config_error& e) {
      for (const sg::problem& p : e.problems()) out.push_back(p.key);
    }
    return out;
  };
  EXPECT_THAT(keys([] { sg::event_log({}, {.lines_per_circuit = 0, .per = 0s, .max_circuits = 0}); }),
              ElementsAre("sink", "lines_per_circuit", "per", "max_circuits"));
  EXPECT_THAT(keys([&] { sg::event_log(lines.sink(), {.per = 25h}); }), ElementsAre("per"));
  EXPECT_THAT(keys([&] { sg::event_log{lines.sink()}; }), IsEmpty());
}

}  // namespace
