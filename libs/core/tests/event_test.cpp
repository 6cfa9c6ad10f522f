// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

#include <switchgear/json.hpp>

#include <array>
#include <limits>

#include <unistd.h>

namespace {

using namespace shell;
using sg::event_kind;

std::chrono::system_clock::time_point at(int h, int m, int s, int ms = 0) {
  using namespace std::chrono;
  return sys_days(2026y / 1 / 18) + hours(h) + minutes(m) + seconds(s) + milliseconds(ms);
}

sg::event opened() {
  sg::event e;
  e.kind = event_kind::opened;
  e.service = "payments";
  e.state = sg::state::open;
  e.previous_state = sg::state::closed;
  e.failure_count = 5;
  e.last_failure = at(10, 29, 59, 999);
  e.reason = "5 consecutive failures (threshold 5)";
  e.generation = e.sequence = 3;
  e.retry_after = 30s;
  e.time = at(10, 30, 0, 250);
  e.id = "0b6f8c1e-7f0e-4b4e-9a51-2f6f2f3c9a10";
  return e;
}

std::string here() {
  std::array<char, 256> host{};
  EXPECT_EQ(::gethostname(host.data(), host.size() - 1), 0);
  return "switchgear://" + std::string(host.data()) + "/" + std::to_string(::getpid());
}

TEST(event, has_the_wire_form_of_cloud_events) {
  EXPECT_EQ(to_json(opened()),
            R"j({"specversion":"1.0","type":"switchgear.circuit.opened","source":")j" + here() +
                R"j(","subject":"payments","id":"0b6f8c1e-7f0e-4b4e-9a51-2f6f2f3c9a10",)j"
                R"j("time":"2026-01-18T10:30:00.250Z","sequence":"3","datacontenttype":"application/json",)j"
                R"j("data":{"service":"payments","state":"open",)j"
                R"j("previous_state":"closed","failure_count":5,"last_failure":"2026-01-18T10:29:59.999Z",)j"
                R"j("reason":"5 consecutive failures (threshold 5)","generation":3,"correlation_id":null,)j"
                R"j("retry_after_ms":30000,"shadow":false}})j");
}

TEST(event, says_null_where_nothing_is_known) {
  sg::event e = opened();
  e.last_failure.reset();
  e.retry_after.reset();
  EXPECT_THAT(to_json(e), testing::AllOf(testing::HasSubstr(R"("last_failure":null)"),
                                         testing::HasSubstr(R"("retry_after_ms":null)")));
}

TEST(event, carries_correlation_id_shadow_and_fractions_of_milliseconds) {
  sg::event e = opened();
  e.correlation_id = "request-17";
  e.shadow = true;
  e.retry_after = 1500us;
  EXPECT_THAT(to_json(e), testing::AllOf(testing::HasSubstr(R"("correlation_id":"request-17")"),
                                         testing::HasSubstr(R"("shadow":true)"),
                                         testing::HasSubstr(R"("retry_after_ms":1.5,)")));
}

TEST(event, writes_long_times_without_an_exponent) {
  sg::event e = opened();
  e.retry_after = 10min;
  EXPECT_THAT(to_json(e), testing::HasSubstr(R"("retry_after_ms":600000,)"));
}

TEST(event, escapes_whatever_name_and_reason_hold) {
  sg::event e = opened();
  e.service = R"(a"b\c</script>)";
  e.reason = "line\nbreak\x01 \xff";
  const std::string json = to_json(e);
  EXPECT_THAT(json, testing::HasSubstr(R"("subject":"a\"b\\c</script>")"));
  EXPECT_THAT(json, testing::HasSubstr("\"reason\":\"line\\nbreak\\u0001 \xef\xbf\xbd\""));
  EXPECT_EQ(json.find('\n'), std::string::npos);
}

TEST(event, has_a_log_line) {
  EXPECT_EQ(log_line(opened()), "circuit payments closed → open: 5 consecutive failures (threshold 5)");
}

TEST(event, has_a_log_line_without_a_transition_or_a_reason) {
  sg::event e = opened();
  e.kind = event_kind::rejected;
  e.previous_state = e.state;
  e.reason.clear();
  EXPECT_EQ(log_line(e), "circuit payments rejected");
}

TEST(event, of_a_transition_goes_to_the_state_topic_and_others_to_the_call_topic) {
  sg::event e = opened();
  for (const auto kind : {event_kind::opened, event_kind::half_open, event_kind::closed, event_kind::forced_open,
                          event_kind::disabled, event_kind::reset}) {
    e.kind = kind;
    EXPECT_EQ(topic_of(e), "circuit_breaker.state.payments") << to_string(kind);
  }
  for (const auto kind : {event_kind::rejected, event_kind::failure, event_kind::success, event_kind::ignored,
                          event_kind::slow, event_kind::late, event_kind::probe_expired, event_kind::config_changed}) {
    e.kind = kind;
    EXPECT_EQ(topic_of(e), "circuit_breaker.call.payments") << to_string(kind);
  }
}

TEST(event, has_kinds_with_names) {
  const std::vector<std::string_view> names{"opened",  "half_open", "closed",  "forced_open", "disabled",
                                            "reset",   "rejected",  "failure", "success",     "ignored",
                                            "slow",    "late",      "probe_expired", "config_changed"};
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(to_string(static_cast<event_kind>(i)), names[i]);
}

TEST(event_json, names_the_process_it_came_from) {
  sg::event e = opened();
  EXPECT_NE(to_json(e).find("/" + std::to_string(::getpid()) + "\""), std::string::npos);
  e.source = "switchgear://elsewhere/7";
  EXPECT_NE(to_json(e).find("\"source\":\"switchgear://elsewhere/7\""), std::string::npos);
}

TEST(event_json, names_the_breaker_it_came_from_when_that_is_known) {
  sg::event e = opened();
  EXPECT_EQ(to_json(e).find("instance"), std::string::npos);
  e.instance = "0123456789abcdef";
  EXPECT_NE(to_json(e).find("\"instance\":\"0123456789abcdef\""), std::string::npos);
}

TEST(topics, match_the_topics_of_events) {  // trap 28
  sg::event e = opened();
  e.service = "storage:save.task";
  EXPECT_TRUE(sg::topic_matches(sg::topics::state, topic_of(e)));
  EXPECT_TRUE(sg::topic_matches(sg::topics::all, topic_of(e)));
  e.kind = event_kind::rejected;
  EXPECT_FALSE(sg::topic_matches(sg::topics::state, topic_of(e)));
  EXPECT_TRUE(sg::topic_matches(sg::topics::all, topic_of(e)));
}

TEST(topics, match_a_star_with_any_run_of_characters) {
  EXPECT_TRUE(sg::topic_matches("*", ""));
  EXPECT_TRUE(sg::topic_matches("*", "a.b.c"));
  EXPECT_TRUE(sg::topic_matches("a*c", "ac"));
  EXPECT_TRUE(sg::topic_matches("a*c", "a.b.c"));
  EXPECT_TRUE(sg::topic_matches("a*b*c", "a1b2b3c"));
  EXPECT_TRUE(sg::topic_matches("**a", "bba"));
  EXPECT_FALSE(sg::topic_matches("a*c", "a.b.cd"));
  EXPECT_FALSE(sg::topic_matches("a*b*c", "a1c2b"));
}

TEST(topics, match_exactly_without_a_star) {
  EXPECT_TRUE(sg::topic_matches("", ""));
  EXPECT_TRUE(sg::topic_matches("a.b", "a.b"));
  EXPECT_FALSE(sg::topic_matches("a.b", "a.bc"));
  EXPECT_FALSE(sg::topic_matches("a.b", "a"));
  EXPECT_FALSE(sg::topic_matches("", "a"));
  EXPECT_FALSE(sg::topic_matches("a?b", "axb"));
}

TEST(topics, match_long_patterns_without_taking_for_ever) {
  std::string pattern, topic(5000, 'a');
  for (int i = 0; i < 50; ++i) pattern += "*a";
  EXPECT_FALSE(sg::topic_matches(pattern + "b", topic));
}

TEST(utc_time, is_rfc_3339_cut_to_milliseconds) {
  EXPECT_EQ(sg::utc_time(at(10, 30, 0, 250)), "2026-01-18T10:30:00.250Z");
  EXPECT_EQ(sg::utc_time(at(0, 0, 0) - 1us), "2026-01-17T23:59:59.999Z");
  EXPECT_EQ(sg::utc_time(std::chrono::system_clock::time_point{}), "1970-01-01T00:00:00.000Z");
}

TEST(json_number, reads_back_to_the_same_double) {
  EXPECT_EQ(sg::json_number(0.1), "0.1");
  EXPECT_EQ(sg::json_number(1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(sg::json_number(100000), "100000");
  EXPECT_EQ(sg::json_number(0), "0");
  EXPECT_EQ(sg::json_number(std::numeric_limits<double>::quiet_NaN()), "null");
  EXPECT_EQ(sg::json_number(std::numeric_limits<double>::infinity()), "null");
}

TEST(json_string, replaces_what_is_not_utf8) {
  EXPECT_EQ(sg::json_string("ä€😀"), "\"ä€😀\"");
  EXPECT_EQ(sg::json_string("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");        // overlong
  EXPECT_EQ(sg::json_string("\xed\xa0\x80x"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\"");  // a surrogate
  EXPECT_EQ(sg::json_string("\xf0\x9f\x98"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");     // cut
  EXPECT_EQ(sg::json_string("\t\r\x7f"), "\"\\t\\r\\u007f\"");
}

}  // namespace
