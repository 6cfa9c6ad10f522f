// SPDX-License-Identifier: Apache-2.0
#include <switchgear/http/exchange.hpp>
#include <switchgear/llm/event_stream.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace {

namespace sg = switchgear;
using events = std::vector<sg::llm::stream_event>;

events read(std::string_view text, std::size_t step = 1000) {
  events out;
  sg::llm::event_stream stream([&](const sg::llm::stream_event& e) { out.push_back(e); }, 64);
  for (std::size_t at = 0; at < text.size(); at += step) stream.feed(text.substr(at, step));
  return out;
}

TEST(event_stream, reads_events) {
  EXPECT_EQ(read("event: greeting\nid: 1\ndata: Hello\n\ndata: again\n\n"),
            (events{{"greeting", "Hello", "1"}, {"message", "again", "1"}}));
}

TEST(event_stream, knows_every_end_of_line) {
  for (const char* text : {"data: a\ndata: b\n\n", "data: a\r\ndata: b\r\n\r\n", "data: a\rdata: b\r\r",
                           "data: a\r\ndata: b\n\r\n"}) {
    EXPECT_EQ(read(text), (events{{"message", "a\nb", ""}})) << text;
  }
}

TEST(event_stream, reads_the_same_however_it_is_cut) {
  const std::string text = "\xef\xbb\xbf: hi\r\n\r\nevent: x\r\ndata:one\rdata: two\n\n"
                           "data\ndata:  three\n\nid: 7\n\ndata: 4\n\r\n";
  const events whole = read(text);
  EXPECT_EQ(whole, (events{{"x", "one\ntwo", ""}, {"message", "\n three", ""}, {"message", "4", "7"}}));
  for (std::size_t step = 1; step < text.size(); ++step) EXPECT_EQ(read(text, step), whole) << step;
}

TEST(event_stream, passes_over_comments_unknown_fields_and_events_without_data) {
  EXPECT_EQ(read(": note\nretry: 10\ncolour: red\n\nevent: empty\n\ndata:\n\ndata: a\n\n"), (events{{"message", "a", ""}}));
}

TEST(event_stream, takes_off_a_byte_order_mark_at_the_beginning_alone) {
  EXPECT_EQ(read("\xef\xbb\xbf" "data: a\n\n\xef\xbb\xbf" "data: b\n\n"), (events{{"message", "a", ""}}));
}

TEST(event_stream, does_not_tell_what_is_not_ended) {
  EXPECT_EQ(read("data: a\n\ndata: b\n"), (events{{"message", "a", ""}}));
}

TEST(event_stream, ignores_an_id_with_a_zero_in_it) {
  EXPECT_EQ(read(std::string_view("id: 1\nid: 2\0\ndata: a\n\n", 22)), (events{{"message", "a", "1"}}));
}

TEST(event_stream, refuses_what_is_too_long_however_it_is_cut) {
  const std::string line = "data: " + std::string(60, 'x');
  const std::string many = "data: 1234567890123456\ndata: 1234567890123456\ndata: 1234567890123456\n";
  for (const std::string& text : {line, many + many, std::string(70, '\xff')}) {
    for (const std::size_t step : {1, 7, 1000}) EXPECT_THROW(read(text, step), sg::http::malformed_reply);
  }
  EXPECT_EQ(read("data: " + std::string(50, 'x') + "\n\n").size(), 1u);
}

}  // namespace
