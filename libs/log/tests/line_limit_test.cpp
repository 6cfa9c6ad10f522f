// SPDX-License-Identifier: Apache-2.0
// How few of many lines are written, and how the rest is told.
#include "support.hpp"

namespace {

using namespace logs;
using testing::ElementsAre;
using testing::IsEmpty;

struct limited_lines : testing::Test {
  sg::testing::manual_clock clock;
  kept_lines lines;

  [[nodiscard]] sg::event_log log_with(sg::event_log_options options = {}) { return sg::event_log(lines.sink(), options, clock); }
  static void reject(sg::event_log& log, int times, std::string service = "payments") {
    for (int i = 0; i < times; ++i) log.handler()(told(event_kind::rejected, "open", service));
  }
};

constexpr const char* rejected = "circuit payments rejected: open";

TEST_F(limited_lines, writes_one_rejection_of_many) {
  auto log = log_with();
  reject(log, 1000);
  EXPECT_THAT(lines.messages(), ElementsAre(rejected));
  EXPECT_EQ(log.metrics().left_out, 999u);
}

TEST_F(limited_lines, tells_with_the_next_line_how_many_were_left_out) {
  auto log = log_with();
  reject(log, 4712);
  clock.advance(10s);
  reject(log, 2);
  EXPECT_THAT(lines.messages(), ElementsAre(rejected, "circuit payments rejected: open … and 4711 more in the last 10 s"));
  EXPECT_EQ(field(lines.records().at(1), "left_out"), number(4711));
  EXPECT_EQ(field(lines.records().at(0), "left_out"), std::nullopt);
}

TEST_F(limited_lines, writes_no_more_before_the_time_is_over) {
  auto log = log_with();
  reject(log, 1);
  clock.advance(10s - 1ns);
  reject(log, 1);
  EXPECT_EQ(lines.records().size(), 1u);
  clock.advance(1ns);
  reject(log, 1);
  EXPECT_EQ(lines.records().size(), 2u);
}

TEST_F(limited_lines, says_nothing_of_what_was_left_out_when_nothing_was) {
  auto log = log_with();
  reject(log, 1);
  clock.advance(10s);
  reject(log, 1);
  EXPECT_THAT(lines.messages(), ElementsAre(rejected, rejected));
}

TEST_F(limited_lines, tells_at_the_latest_before_the_next_transition) {
  auto log = log_with();
  reject(log, 4);
  clock.advance(2500ms);
  sg::event closed = told(event_kind::half_open, "open duration over");
  closed.previous_state = sg::state::open;
  closed.state = sg::state::half_open;
  log.handler()(closed);
  EXPECT_THAT(lines.messages(), ElementsAre(rejected, "circuit payments rejected: … and 3 more in the last 3 s",
                                            "circuit payments open → half_open: open duration over"));
  const sg::log_record rest = lines.records().at(1);
  EXPECT_EQ(rest.level, log_level::warning);
  EXPECT_EQ(field(rest, "left_out"), number(3));
  EXPECT_EQ(field(rest, "service"), text("payments"));
  EXPECT_EQ(field(rest, "instance"), text("0123456789abcdef"));
  log.handler()(closed);
  EXPECT_EQ(lines.records().size(), 4u) << "once is enough";
}

TEST_F(limited_lines, writes_every_transition) {
  auto log = log_with();
  for (int i = 0; i < 50; ++i) log.handler()(told(event_kind::opened, "outage"));
  EXPECT_EQ(lines.records().size(), 50u);
  EXPECT_EQ(log.metrics().left_out, 0u);
}

TEST_F(limited_lines, is_one_for_each_circuit) {
  auto log = log_with();
  reject(log, 2, "a");
  reject(log, 2, "b");
  EXPECT_THAT(lines.messages(), ElementsAre("circuit a rejected: open", "circuit b rejected: open"));
}

TEST_F(limited_lines, tells_two_circuits_of_one_name_apart) {
  auto log = log_with();
  sg::event other = told(event_kind::rejected, "open");
  other.instance = "fedcba9876543210";
  reject(log, 2);
  log.handler()(other);
  EXPECT_EQ(lines.records().size(), 2u);
}

TEST_F(limited_lines, is_one_for_each_of_rejections_failures_and_slow_calls) {
  auto log = log_with();
  for (int i = 0; i < 3; ++i) {
    for (const event_kind k : {event_kind::rejected, event_kind::failure, event_kind::slow}) log.handler()(told(k, "why"));
  }
  EXPECT_THAT(lines.messages(),
              ElementsAre("circuit payments rejected: why", "circuit payments failure: why", "circuit payments slow: why"));
}

TEST_F(limited_lines, lets_as_many_through_as_it_is_told) {
  auto log = log_with({.lines_per_circuit = 3, .per = 1min});
  reject(log, 5);
  EXPECT_EQ(lines.records().size(), 3u);
  clock.advance(1min);
  reject(log, 1);
  EXPECT_EQ(lines.messages().back(), "circuit payments rejected: open … and 2 more in the last 60 s");
}

TEST_F(limited_lines, does_not_hold_for_what_is_written_only_for_those_who_want_everything) {
  auto log = log_with({.least = log_level::debug});
  for (int i = 0; i < 3; ++i) log.handler()(told(event_kind::success));
  EXPECT_EQ(lines.records().size(), 3u);
}

TEST_F(limited_lines, counts_nothing_that_would_not_have_been_written) {
  auto log = log_with({.least = log_level::warning});
  for (int i = 0; i < 3; ++i) log.handler()(told(event_kind::failure));
  log.flush();
  EXPECT_THAT(lines.records(), IsEmpty());
  EXPECT_EQ(log.metrics().left_out, 0u);
}

TEST_F(limited_lines, tells_the_rest_when_it_is_asked_to) {
  auto log = log_with();
  reject(log, 3, "a");
  reject(log, 4, "b");
  log.flush();
  EXPECT_THAT(lines.messages(),
              testing::UnorderedElementsAre("circuit a rejected: open", "circuit b rejected: open",
                                            "circuit a rejected: … and 2 more in the last 1 s",
                                            "circuit b rejected: … and 3 more in the last 1 s"));
  log.flush();
  EXPECT_EQ(lines.records().size(), 4u);
}

TEST_F(limited_lines, forgets_the_circuit_that_was_heard_of_longest_ago_and_tells_what_it_left_out) {
  auto log = log_with({.max_circuits = 2});
  reject(log, 3, "a");
  reject(log, 1, "b");
  reject(log, 1, "a");
  reject(log, 1, "c");  // b has to go, and there is nothing to tell of it
  EXPECT_THAT(lines.messages(), ElementsAre("circuit a rejected: open", "circuit b rejected: open", "circuit c rejected: open"));
  reject(log, 1, "d");  // now a
  EXPECT_THAT(lines.messages(), testing::Contains("circuit a rejected: … and 3 more in the last 1 s"));
  reject(log, 1, "d");
  EXPECT_EQ(lines.records().size(), 5u);
}

}  // namespace
