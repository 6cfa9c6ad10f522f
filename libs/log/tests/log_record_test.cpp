// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

namespace {

using namespace logs;

TEST(log_record, says_what_the_line_of_the_event_says) {
  const sg::event e = told(event_kind::opened, "5 consecutive failures (threshold 5)");
  EXPECT_EQ(to_log_record(e).message, "circuit payments closed → open: 5 consecutive failures (threshold 5)");
  EXPECT_EQ(to_log_record(e).message, sg::log_line(e));
}

TEST(log_record, has_what_the_event_has_as_fields) {
  sg::event e = told(event_kind::opened, "too many");
  e.failure_count = 5;
  e.last_failure = std::chrono::system_clock::time_point(250ms);
  e.generation = 7;
  e.correlation_id = "order-4711";
  e.retry_after = 29500ms;
  e.shadow = true;
  e.source = "switchgear://host/1";
  e.time = std::chrono::system_clock::time_point(1s);
  const sg::log_record r = to_log_record(e);
  EXPECT_EQ(r.time, e.time);
  EXPECT_EQ(r.fields, (std::vector<sg::log_field>{{"kind", text("opened")},
                                                  {"service", text("payments")},
                                                  {"state", text("open")},
                                                  {"previous_state", text("closed")},
                                                  {"failure_count", number(5)},
                                                  {"last_failure", text("1970-01-01T00:00:00.250Z")},
                                                  {"reason", text("too many")},
                                                  {"generation", number(7)},
                                                  {"correlation_id", text("order-4711")},
                                                  {"retry_after_ms", 29500.0},
                                                  {"shadow", true},
                                                  {"source", text("switchgear://host/1")},
                                                  {"instance", text("0123456789abcdef")}}));
}

TEST(log_record, has_no_field_for_what_the_event_does_not_have) {
  const sg::log_record r = to_log_record(sg::event{});
  for (const char* key : {"last_failure", "reason", "correlation_id", "retry_after_ms", "source", "instance"}) {
    EXPECT_EQ(field(r, key), std::nullopt) << key;
  }
  EXPECT_EQ(field(r, "failure_count"), number(0));
  EXPECT_EQ(field(r, "shadow"), sg::log_value(false));
}

TEST(log_record, matters_as_much_as_the_event) {
  const auto level = [](event_kind k) { return level_of(told(k)); };
  for (const event_kind k : {event_kind::opened, event_kind::forced_open, event_kind::disabled, event_kind::rejected}) {
    EXPECT_EQ(level(k), log_level::warning) << to_string(k);
  }
  for (const event_kind k : {event_kind::half_open, event_kind::closed, event_kind::reset, event_kind::failure, event_kind::slow,
                             event_kind::probe_expired, event_kind::config_changed}) {
    EXPECT_EQ(level(k), log_level::info) << to_string(k);
  }
  for (const event_kind k : {event_kind::success, event_kind::ignored, event_kind::late}) {
    EXPECT_EQ(level(k), log_level::debug) << to_string(k);
  }
}

TEST(log_record, matters_less_where_nothing_is_really_rejected) {
  sg::event e = told(event_kind::rejected);
  e.shadow = true;
  EXPECT_EQ(level_of(e), log_level::info);
  e.kind = event_kind::opened;
  EXPECT_EQ(level_of(e), log_level::info);
  e.kind = event_kind::disabled;
  EXPECT_EQ(level_of(e), log_level::warning);
}

TEST(log_record, of_a_present_state_says_how_the_circuit_is_and_not_that_it_became_so) {
  sg::event e = told(event_kind::opened, "outage");
  e.present = true;
  EXPECT_EQ(to_log_record(e).message, "circuit payments is open: outage");
  EXPECT_EQ(level_of(e), log_level::info);
  e.state = sg::state::closed;
  EXPECT_EQ(level_of(e), log_level::debug);
}

TEST(log_record, stays_on_one_line_whatever_the_reason_is) {
  const auto message = [](std::string reason) { return to_log_record(told(event_kind::failure, std::move(reason))).message; };
  EXPECT_EQ(message("a\nb\r\tc"), "circuit payments failure: a\\nb\\r\\tc");
  EXPECT_EQ(message("\x1b[31mred\x07"), "circuit payments failure: \\u001b[31mred\\u0007");
  EXPECT_EQ(message(R"(a "quoted" c:\path)"), R"(circuit payments failure: a "quoted" c:\path)") << "this does no harm";
  EXPECT_EQ(message("\xc2\x85 \xc2\x9b \xe2\x80\xa8 \xe2\x80\xa9"), "circuit payments failure: \\u0085 \\u009b \\u2028 \\u2029");
  EXPECT_EQ(message("\xff\x9b"), "circuit payments failure: \xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(message("grüße … 終"), "circuit payments failure: grüße … 終");
}

TEST(log_record, is_one_json_object) {
  sg::log_record r{log_level::warning, "a \"b\"\n", {}, std::chrono::system_clock::time_point(250ms)};
  r.fields = {{"text", text("x\ny")}, {"count", number(-3)}, {"share", 0.5}, {"whole", 30000.0}, {"yes", true}};
  EXPECT_EQ(to_json(r), R"({"time":"1970-01-01T00:00:00.250Z","level":"warning","message":"a \"b\"\n",)"
                        R"("text":"x\ny","count":-3,"share":0.5,"whole":30000,"yes":true})");
}

TEST(logfmt, quotes_what_is_more_than_a_word) {
  EXPECT_EQ(sg::to_logfmt({{"a", text("word")}, {"b", number(3)}, {"c", false}, {"d", 1.5}}), "a=word b=3 c=false d=1.5");
  EXPECT_EQ(sg::to_logfmt({{"a", text("two words")}, {"b", text("")}, {"c", text("x=y")}}), R"(a="two words" b="" c="x=y")");
  EXPECT_EQ(sg::to_logfmt({{"a", text("say \"no\"\n\\")}}), R"(a="say \"no\"\n\\")");
  EXPECT_EQ(sg::to_logfmt({{"a", text("\xc2\x9b\xe2\x80\xa8")}}), R"(a="\u009b\u2028")");
  EXPECT_EQ(sg::to_logfmt({{"no word", number(1)}}), R"("no word"=1)");
  EXPECT_EQ(sg::to_logfmt({}), "");
}

}  // namespace
