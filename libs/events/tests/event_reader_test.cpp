// SPDX-License-Identifier: Apache-2.0
#include "event_samples.hpp"

#include <switchgear/event_reader.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;

const std::string good =
    R"j({"specversion":"1.0","type":"switchgear.circuit.opened","source":"switchgear://till-7/4711","subject":"payments",)j"
    R"j("id":"0b6f8c1e-7f0e-4b4e-9a51-2f6f2f3c9a10","time":"2026-01-18T10:30:00.250Z","sequence":"3",)j"
    R"j("instance":"9a512f6f2f3c9a10","datacontenttype":"application/json","data":{"service":"payments","state":"open",)j"
    R"j("previous_state":"closed","failure_count":5,"last_failure":"2026-01-18T10:29:59.999Z",)j"
    R"j("reason":"5 consecutive failures","generation":3,"correlation_id":null,"retry_after_ms":30000,"shadow":false}})j";

/// `good` with one part replaced.
std::string with(std::string_view part, std::string_view instead) {
  std::string text = good;
  const std::size_t at = text.find(part);
  EXPECT_NE(at, text.npos) << part;
  if (at != text.npos) text.replace(at, part.size(), instead);
  return text;
}

TEST(event_reader, reads_every_attribute) {
  const auto read = sg::read_event(good);
  ASSERT_TRUE(read) << read.error;
  const sg::event& e = *read.value;
  EXPECT_EQ(e.kind, sg::event_kind::opened);
  EXPECT_EQ(e.service, "payments");
  EXPECT_EQ(e.source, "switchgear://till-7/4711");
  EXPECT_EQ(e.instance, "9a512f6f2f3c9a10");
  EXPECT_EQ(e.id, "0b6f8c1e-7f0e-4b4e-9a51-2f6f2f3c9a10");
  EXPECT_EQ(e.time, std::chrono::sys_days(std::chrono::year(2026) / 1 / 18) + 10h + 30min + 250ms);
  EXPECT_EQ(e.last_failure, e.time - 251ms);
  EXPECT_EQ(e.sequence, 3u);
  EXPECT_EQ(e.generation, 3u);
  EXPECT_EQ(e.state, sg::state::open);
  EXPECT_EQ(e.previous_state, sg::state::closed);
  EXPECT_EQ(e.failure_count, 5u);
  EXPECT_EQ(e.reason, "5 consecutive failures");
  EXPECT_EQ(e.correlation_id, "");
  EXPECT_EQ(e.retry_after, 30s);
  EXPECT_FALSE(e.shadow);
  EXPECT_FALSE(e.present);
}

TEST(event_reader, reads_what_is_written) {
  std::vector<sg::event> events;
  for (int kind = 0; kind <= static_cast<int>(sg::event_kind::config_changed); ++kind) {
    sg::event e = event_samples::call("payments", 7, static_cast<sg::event_kind>(kind));
    switch (e.kind) {
      case sg::event_kind::opened: e.state = sg::state::open; break;
      case sg::event_kind::half_open: e.state = sg::state::half_open; break;
      case sg::event_kind::forced_open: e.state = sg::state::forced_open; break;
      case sg::event_kind::disabled: e.state = sg::state::disabled; break;
      case sg::event_kind::closed:
      case sg::event_kind::reset: e.state = sg::state::closed; break;
      default: break;
    }
    events.push_back(e);
  }
  sg::event e = event_samples::transition("größe \"1\" \\ /", std::numeric_limits<std::uint64_t>::max());
  e.failure_count = std::numeric_limits<std::uint32_t>::max();
  e.reason = std::string("line\nbreak \x01\0 \xc3\xa4", 15);
  e.correlation_id = "request 17";
  e.shadow = true;
  e.last_failure = std::chrono::system_clock::time_point(-1ms);
  events.push_back(e);
  for (const auto wait : {0ns, 1ns, 999'999ns, 1'500'000ns, 123'456'789'012'345'678ns, 9'007'199'254'740'993ns,
                          std::chrono::nanoseconds::max()}) {
    e.retry_after = wait;
    events.push_back(e);
  }
  e.instance.clear();
  e.source.clear();  // this process
  events.push_back(e);
  for (const sg::event& one : events) {
    const std::string text = to_json(one);
    const auto read = sg::read_event(text);
    ASSERT_TRUE(read) << text << "\n" << read.error;
    EXPECT_EQ(to_json(*read.value), text);
  }
}

TEST(event_reader, keeps_nanoseconds_of_retry_after) {
  sg::event e = event_samples::transition("payments", 1);
  e.retry_after = 1'234'567'891ns;
  EXPECT_EQ(sg::read_event(to_json(e)).value.value(), e);
}

TEST(event_reader, takes_any_order_and_white_space) {
  const std::string text = R"j( {"data" : {"shadow":true, "retry_after_ms":null, "correlation_id":"a", "generation":1, "reason":"",
    "last_failure":null, "failure_count":0, "previous_state":"open", "state":"closed", "service":"x"},
    "datacontenttype":"application/json", "sequence":"1", "time":"1970-01-01T00:00:00.000Z",
    "id":"0B6F8C1E-7F0E-4B4E-9A51-2F6F2F3C9A10", "subject":"x", "source":"switchgear://h/1",
    "type":"switchgear.circuit.reset", "specversion":"1.0"} )j";
  const auto read = sg::read_event(text);
  ASSERT_TRUE(read) << read.error;
  EXPECT_EQ(read.value->kind, sg::event_kind::reset);
}

struct refusal {
  std::string part, instead, named;
};

TEST(event_reader, refuses_and_names) {
  const std::string time = R"("time":"2026-01-18T10:30:00.250Z")", wait = R"("retry_after_ms":30000)";
  const std::string type = "switchgear.circuit.opened";
  const std::vector<refusal> rows{
      {R"("specversion":"1.0")", R"("specversion":"1.1")", "specversion: has to be 1.0"},
      {R"("specversion":"1.0",)", "", "specversion: missing"},
      {R"("specversion":"1.0")", R"("specversion":1.0)", "specversion: has to be a string"},
      {R"("specversion":"1.0")", R"("specversion":"1.0","colour":"red")", "\"colour\": unknown attribute"},
      {R"("shadow":false)", R"("shadow":false,"colour":"red")", "data.\"colour\": unknown attribute"},
      {R"("subject":"payments")", R"("subject":"payments","subject":"payments")", "\"subject\" stands twice"},
      {R"("shadow":false)", R"("shadow":false,"shadow":false)", "\"shadow\" stands twice"},
      {type, "switchgear.circuit.exploded", "type: no kind of event"},
      {type, "opened", "type: no kind of event"},
      {type, "switchgear.circuit.", "type: no kind of event"},
      {"switchgear://till-7/4711", "switchgear://till-7", "source: "},
      {"switchgear://till-7/4711", "switchgear:///4711", "source: "},
      {"switchgear://till-7/4711", "switchgear://till-7/0", "source: "},
      {"switchgear://till-7/4711", "switchgear://till-7/04", "source: "},
      {"switchgear://till-7/4711", "switchgear://till-7/-4", "source: "},
      {"switchgear://till-7/4711", "switchgear://till-7/4294967296", "source: "},
      {"switchgear://till-7/4711", "switchgear://till-7/4/1", "source: "},
      {"switchgear://till-7/4711", "switchgear://till\\n7/4", "source: "},
      {"switchgear://till-7/4711", "https://till-7/4711", "source: "},
      {R"("subject":"payments")", R"("subject":"")", "subject: "},
      {R"("subject":"payments")", R"("subject":"pay\nments")", "subject: "},
      {R"("subject":"payments")", R"("subject":")" + std::string(201, 'x') + '"', "subject: "},
      {R"("subject":"payments")", R"("subject":"orders")", "data.service: is not the subject"},
      {"0b6f8c1e-7f0e-4b4e", "0b6f8c1e-7f0e-1b4e", "id: "},
      {"4b4e-9a51", "4b4e-7a51", "id: "},
      {"0b6f8c1e-", "0b6f8c1g-", "id: "},
      {"0b6f8c1e-7f0e", "0b6f8c1e07f0e", "id: "},
      {"2f6f2f3c9a10\",\"time", "2f6f2f3c9a1\",\"time", "id: "},
      {time, R"("time":"2026-02-30T10:30:00.250Z")", "time: "},
      {time, R"("time":"2026-01-18T24:00:00.000Z")", "time: "},
      {time, R"("time":"2026-01-18T10:60:00.000Z")", "time: "},
      {time, R"("time":"2026-01-18T10:30:60.000Z")", "time: "},
      {time, R"("time":"2026-01-18T10:30:00Z")", "time: "},
      {time, R"("time":"2026-01-18T10:30:00.250+00:00")", "time: "},
      {time, R"("time":"2026-01-18 10:30:00.250Z")", "time: "},
      {time, R"("time":"2026-01-18T10:30:00.2500Z")", "time: "},
      {time, R"("time":"9999-01-18T10:30:00.250Z")", "time: "},
      {time, R"("time":"1600-01-18T10:30:00.250Z")", "time: "},
      {time, R"("time":1768732200)", "time: has to be a string"},
      {R"("sequence":"3")", R"("sequence":3)", "sequence: has to be a string"},
      {R"("sequence":"3")", R"("sequence":"-3")", "sequence: "},
      {R"("sequence":"3")", R"("sequence":"+3")", "sequence: "},
      {R"("sequence":"3")", R"("sequence":"03")", "sequence: "},
      {R"("sequence":"3")", R"("sequence":"3 ")", "sequence: "},
      {R"("sequence":"3")", R"("sequence":"")", "sequence: "},
      {R"("sequence":"3")", R"("sequence":"18446744073709551616")", "sequence: "},
      {R"("sequence":"3")", R"("sequence":"4")", "data.generation: is not the sequence"},
      {R"("9a512f6f2f3c9a10")", R"("")", "instance: "},
      {R"("9a512f6f2f3c9a10")", R"("a\nb")", "instance: "},
      {R"("9a512f6f2f3c9a10")", "null", "instance: has to be a string"},
      {"application/json", "text/plain", "datacontenttype: "},
      {R"("state":"open")", R"("state":"ajar")", "data.state: no state"},
      {R"("state":"open")", R"("state":"closed")", "data.state: is not what"},
      {type, "switchgear.circuit.reset", "data.state: is not what"},
      {type, "switchgear.circuit.success", "data.previous_state: differs"},
      {R"("previous_state":"closed")", R"("previous_state":1)", "data.previous_state: "},
      {R"("failure_count":5)", R"("failure_count":-1)", "data.failure_count: "},
      {R"("failure_count":5)", R"("failure_count":5.0)", "data.failure_count: "},
      {R"("failure_count":5)", R"("failure_count":"5")", "data.failure_count: "},
      {R"("failure_count":5)", R"("failure_count":4294967296)", "data.failure_count: out of range"},
      {R"("last_failure":"2026-01-18T10:29:59.999Z")", R"("last_failure":"yesterday")", "data.last_failure: "},
      {R"("last_failure":"2026-01-18T10:29:59.999Z")", R"("last_failure":0)", "data.last_failure: "},
      {R"("reason":"5 consecutive failures")", R"("reason":null)", "data.reason: has to be a string"},
      {R"("generation":3)", R"("generation":"3")", "data.generation: "},
      {R"("generation":3)", R"("generation":18446744073709551616)", "data.generation: "},
      {R"("correlation_id":null)", R"("correlation_id":"")", "data.correlation_id: "},
      {R"("correlation_id":null)", R"("correlation_id":7)", "data.correlation_id: "},
      {R"("correlation_id":null,)", "", "data.correlation_id: missing"},
      {wait, R"("retry_after_ms":-1)", "data.retry_after_ms: "},
      {wait, R"("retry_after_ms":"30s")", "data.retry_after_ms: "},
      {wait, R"("retry_after_ms":0.0000001)", "data.retry_after_ms: "},
      {wait, R"("retry_after_ms":1e300)", "data.retry_after_ms: "},
      {R"("shadow":false)", R"("shadow":0)", "data.shadow: "},
      {R"("data":{)", R"("data":[],"x":{)", "unknown attribute"},
      {R"("reason":"5 consecutive failures")", R"("reason":{"a":{}})", "not an event: nested too deep"},
  };
  for (const refusal& row : rows) {
    const auto read = sg::read_event(with(row.part, row.instead));
    EXPECT_FALSE(read) << row.instead;
    EXPECT_THAT(read.error, testing::HasSubstr(row.named)) << row.instead;
    EXPECT_EQ(read.error.find('\n'), read.error.npos);
  }
}

TEST(event_reader, refuses_what_is_no_object_or_no_json) {
  for (const std::string text : {"", "null", "[]", "\"x\"", "{", "{}", "\xff", "{\"specversion\":1e999}"}) {
    const auto read = sg::read_event(text);
    EXPECT_FALSE(read) << text;
    EXPECT_FALSE(read.error.empty()) << text;
  }
  EXPECT_FALSE(sg::read_event(good + "x"));
  EXPECT_FALSE(sg::read_event(good.substr(0, good.size() - 1)));
}

TEST(event_reader, refuses_what_is_too_long_before_it_reads) {
  std::string text = good;
  text.resize(sg::longest_event, ' ');
  EXPECT_TRUE(sg::read_event(text));
  EXPECT_THAT(sg::read_event(text + " ").error, testing::HasSubstr("longer than"));
}

TEST(event_reader, shows_no_value_and_no_endless_name) {
  const std::string secret = "hunter2-" + std::string(60, 's');
  const std::vector<std::string> texts{with("2026-01-18T10:30:00.250Z", secret), with("\"3\"", secret), with("till-7/4711", secret),
                                       "{\"a\":\"" + secret, "[" + secret, "{\"a\":1e99999" + std::string(60, '9') + "}"};
  for (const std::string& text : texts) {
    const std::string error = sg::read_event(text).error;
    EXPECT_EQ(error.find("hunter2"), error.npos) << error;
    EXPECT_EQ(error.find("99999"), error.npos) << error;
  }
  const std::string name(5000, 'n');
  for (const std::string& text : {with("specversion", name), "{\"" + name + "\":1,\"" + name + "\":1}"}) {
    EXPECT_LT(sg::read_event(text).error.size(), 100u);
  }
}

}  // namespace
