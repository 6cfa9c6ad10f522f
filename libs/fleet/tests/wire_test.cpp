// SPDX-License-Identifier: Apache-2.0
#include "wire.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

namespace fleet = switchgear::fleet;
using namespace std::chrono_literals;

fleet::record some() {
  return {.name = "payments", .epoch = 7, .state = fleet::fleet_state::open, .remaining = 1500ms, .attempt = 2,
          .failure_count = 5, .successes = 1, .cause = fleet::fleet_cause::rule, .reason = "5 consecutive failures (threshold 5)",
          .owner = "", .by = "web-3", .version = 41};
}
std::vector<std::string> texts(const fleet::record& r) {
  std::vector<std::string> out;
  fleet::write(r, out);
  return out;
}
std::vector<std::string> with(std::size_t field, std::string value, fleet::record r = some()) {
  auto t = texts(r);
  t[field] = std::move(value);
  return t;
}
std::string news_of(const fleet::record& r) {
  std::string message = "store-1";
  for (const auto& f : texts(r)) message += "\n" + f;
  return message;
}

TEST(fleet_wire, a_record_is_twelve_texts_in_the_order_of_the_store) {
  EXPECT_EQ(texts(some()), (std::vector<std::string>{"payments", "7", "open", "1500", "2", "5", "1", "rule",
                                                     "5 consecutive failures (threshold 5)", "", "web-3", "41"}));
}

TEST(fleet_wire, what_was_written_is_read) {
  for (const auto state : {fleet::fleet_state::open, fleet::fleet_state::forced_open, fleet::fleet_state::disabled}) {
    fleet::record r = some();
    r.state = state;
    EXPECT_EQ(fleet::read_record(texts(r)), r);
  }
  fleet::record closed = some();
  closed.state = fleet::fleet_state::closed;
  closed.remaining = -1ms;
  EXPECT_EQ(fleet::read_record(texts(closed)), closed);
  fleet::record endless = some();
  endless.state = fleet::fleet_state::forced_open;
  endless.remaining = -1ms;
  EXPECT_EQ(fleet::read_record(texts(endless)), endless);
}

TEST(fleet_wire, every_cause_has_its_word) {
  for (const char* cause : {"rule", "manual", "probe", "recovered", "operator", "evidence", "none"}) {
    const auto r = fleet::read_record(with(7, cause));
    ASSERT_TRUE(r) << cause;
    EXPECT_EQ(to_string(r->cause), cause);
  }
}

TEST(fleet_wire, numbers_are_plain_and_within_what_the_script_can_hold) {
  EXPECT_EQ(fleet::read_number("0"), 0u);
  EXPECT_EQ(fleet::read_number("9007199254740991"), fleet::most_number);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "01", "1e3", "0x1", "9007199254740992", "99999999999999999999", "1.0"}) {
    EXPECT_FALSE(fleet::read_number(bad)) << bad;
  }
}

TEST(fleet_wire, a_record_with_anything_wrong_in_it_is_none) {
  const std::string long_text(201, 'x');
  const std::vector<std::pair<std::size_t, std::string>> wrong{
      {0, ""}, {0, "a\x01z"}, {0, long_text}, {0, "\xff"}, {1, "x"}, {1, "-1"}, {2, "half_open"}, {2, ""}, {3, "-2"}, {3, "-1"},
      {3, "315360000001"}, {4, "4294967296"}, {5, "-1"}, {6, ""}, {7, "because"}, {8, "two\nlines"}, {8, long_text},
      {9, "\x7f"}, {10, long_text}, {11, ""}};
  for (const auto& [field, value] : wrong) EXPECT_FALSE(fleet::read_record(with(field, value))) << field << " " << value;
  auto short_one = texts(some());
  short_one.pop_back();
  EXPECT_FALSE(fleet::read_record(short_one));
  auto long_one = texts(some());
  long_one.emplace_back("0");
  EXPECT_FALSE(fleet::read_record(long_one));
}

TEST(fleet_wire, a_record_that_contradicts_itself_is_none) {
  EXPECT_FALSE(fleet::read_record(with(2, "closed")));  // closed with time left
  EXPECT_FALSE(fleet::read_record(with(1, "0")));       // decided by nobody, and open
}

TEST(fleet_wire, news_are_an_incarnation_and_a_record) {
  const auto item = fleet::read_news(news_of(some()));
  ASSERT_TRUE(item);
  EXPECT_EQ(item->incarnation, "store-1");
  EXPECT_EQ(item->what, some());
}

TEST(fleet_wire, news_with_anything_wrong_in_them_are_none) {
  const std::string good = news_of(some());
  EXPECT_FALSE(fleet::read_news(""));
  EXPECT_FALSE(fleet::read_news(good + "\n"));
  EXPECT_FALSE(fleet::read_news("\n" + good));
  EXPECT_FALSE(fleet::read_news(good.substr(good.find('\n'))));  // no incarnation
  EXPECT_FALSE(fleet::read_news(good.substr(0, good.rfind('\n'))));
  EXPECT_FALSE(fleet::read_news(std::string(100'000, '\n')));
  EXPECT_FALSE(fleet::read_news(std::string(10'000'000, 'x')));
}

TEST(fleet_wire, a_reply_is_read_from_front_to_back) {
  std::vector<std::string> texts_of_it{"granted", "store-1", "12", "3"};
  fleet::write(some(), texts_of_it);
  fleet::reply_reader rest(texts_of_it);
  const auto head = rest.head();
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, fleet::status::granted);
  EXPECT_EQ(head->incarnation, "store-1");
  EXPECT_EQ(head->version, 12u);
  EXPECT_FALSE(rest.complete());
  EXPECT_EQ(rest.number(), 3u);
  EXPECT_EQ(rest.next_record(), some());
  EXPECT_TRUE(rest.complete());
}

TEST(fleet_wire, after_the_first_thing_that_is_wrong_a_reply_has_nothing_more) {
  const std::vector<std::string> texts_of_it{"ok", "store-1", "12", "x", "4"};
  fleet::reply_reader rest(texts_of_it);
  ASSERT_TRUE(rest.head());
  EXPECT_FALSE(rest.number());
  EXPECT_FALSE(rest.number());
  EXPECT_FALSE(rest.line());
  EXPECT_FALSE(rest.next_record());
  EXPECT_FALSE(rest.complete());
}

TEST(fleet_wire, heads_that_are_none) {
  const std::vector<std::vector<std::string>> wrong{{}, {"ok"}, {"ok", "store-1"}, {"fine", "store-1", "1"}, {"ok", "", "1"},
                                                    {"ok", "store-1", "-1"}, {"ok", "a\nb", "1"}, {"ok", std::string(65, 'x'), "1"}};
  for (const auto& w : wrong) {
    fleet::reply_reader rest(w);
    EXPECT_FALSE(rest.head());
    EXPECT_FALSE(rest.complete());
  }
}

TEST(fleet_wire, the_text_of_a_decision_names_who_made_it_and_why) {
  fleet::record r = some();
  EXPECT_EQ(decision_text(r), "fleet: web-3 opened: 5 consecutive failures (threshold 5)");
  r.state = fleet::fleet_state::closed;
  r.reason = "2 probes succeeded (threshold 2)";
  EXPECT_EQ(decision_text(r), "fleet: web-3 closed: 2 probes succeeded (threshold 2)");
  r.state = fleet::fleet_state::forced_open;
  r.reason = "";
  EXPECT_EQ(decision_text(r), "fleet: web-3 forced open");
  r.state = fleet::fleet_state::disabled;
  r.by = "";
  EXPECT_EQ(decision_text(r), "fleet: somebody disabled");
}

TEST(fleet_wire, one_line_is_short_printable_and_utf_8) {
  EXPECT_EQ(fleet::one_line("a\nb\tc\x7f"), "a b c ");
  EXPECT_EQ(fleet::one_line("a\xc2\x85z"), "a z");
  EXPECT_EQ(fleet::one_line("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(fleet::one_line("a\xffz\xc3"), "a?z?");
  EXPECT_EQ(fleet::one_line("\xed\xa0\x80"), "???");
  EXPECT_EQ(fleet::one_line(std::string(199, 'x') + "\xc3\xbc").size(), 199u);  // the character does not fit whole
  EXPECT_EQ(fleet::one_line(std::string(500, 'x')).size(), 200u);
}

TEST(fleet_wire, a_view_is_one_line_of_json_and_read_back) {
  const fleet::instance_view v{"web-3", switchgear::state::half_open, 1500ms, 7, 5, 1, fleet::link::local};
  const std::string text = fleet::view_text(v);
  EXPECT_EQ(text, R"({"state":"half_open","since_ms":1500,"calls":7,"failures":5,"rejections":1,"link":"local"})");
  EXPECT_EQ(fleet::read_view("web-3", text), v);
}

TEST(fleet_wire, a_view_that_is_not_whole_is_none) {
  const std::string good = R"({"state":"open","since_ms":1,"calls":7,"failures":5,"rejections":1,"link":"shared","new":[1]})";
  EXPECT_TRUE(fleet::read_view("web-3", good));
  EXPECT_FALSE(fleet::read_view("", good));
  for (const char* bad : {"", "{}", "[]", "null", "{", R"({"state":"ajar","since_ms":1,"calls":7,"failures":5,"rejections":1,"link":"shared"})",
                          R"({"state":"open","since_ms":-1,"calls":7,"failures":5,"rejections":1,"link":"shared"})",
                          R"({"state":"open","since_ms":1,"calls":7.5,"failures":5,"rejections":1,"link":"shared"})",
                          R"({"state":"open","since_ms":1,"calls":7,"failures":"5","rejections":1,"link":"shared"})",
                          R"({"state":"open","since_ms":1,"calls":7,"failures":5,"rejections":1,"link":3})",
                          R"({"state":"open","calls":7,"failures":5,"rejections":1,"link":"shared"})"}) {
    EXPECT_FALSE(fleet::read_view("web-3", bad)) << bad;
  }
  EXPECT_FALSE(fleet::read_view("web-3", std::string(100'000, '[')));
}

}  // namespace
