// SPDX-License-Identifier: Apache-2.0
#include "feed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <string>
#include <vector>

namespace {

namespace sg = switchgear;
using sg::detail::feed;
using testing::ElementsAre;
using pieces = std::vector<std::shared_ptr<const std::string>>;

std::shared_ptr<const std::string> piece(const char* text) { return std::make_shared<const std::string>(text); }

struct a_feed : testing::Test {
  feed told;
  pieces one, two;
  static sg::detail::stream_writer into(pieces& where, bool goes_on = true) {
    return [&where, goes_on](std::shared_ptr<const std::string> p) {
      where.push_back(std::move(p));
      return goes_on;
    };
  }
};

TEST(server_sent_event, has_kind_data_and_an_empty_line) {
  EXPECT_EQ(*sg::detail::server_sent_event("changes", "{}"), "event: changes\ndata: {}\n\n");
}

TEST_F(a_feed, begins_each_stream_with_its_own_text_and_then_tells_all_the_same) {
  const auto first = told.add(into(one), piece("1"));
  const auto second = told.add(into(two), piece("2"));
  const auto news = piece("news");
  told.tell(news);
  ASSERT_EQ(one.size(), 2u);
  EXPECT_EQ(*one[0], "1");
  EXPECT_EQ(*two[0], "2");
  EXPECT_EQ(one[1], news);  // the very same text: nobody has a copy
  EXPECT_EQ(two[1], news);
  EXPECT_EQ(told.size(), 2u);
}

TEST_F(a_feed, tells_nothing_after_the_handle_has_gone) {
  auto handle = told.add(into(one), piece("1"));
  handle.reset();
  told.tell(piece("2"));
  EXPECT_EQ(one.size(), 1u);
  EXPECT_FALSE(told.has_listeners());
}

TEST_F(a_feed, goes_on_when_a_writer_throws) {
  const auto broken = told.add([](const auto&) -> bool { throw std::bad_alloc(); }, piece("1"));
  const auto whole = told.add(into(one), piece("1"));
  told.tell(piece("2"));
  EXPECT_EQ(one.size(), 2u);
  EXPECT_EQ(told.size(), 1u);
}

TEST_F(a_feed, lets_go_of_what_a_writer_held_when_its_handle_goes) {
  auto held = std::make_shared<int>(1);
  auto handle = told.add([held](const auto&) { return true; }, piece("1"));
  EXPECT_EQ(held.use_count(), 2);
  handle.reset();
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(a_feed, forgets_a_stream_that_has_ended_by_itself) {
  const auto ends_at_once = told.add(into(one, false), piece("1"));
  EXPECT_FALSE(told.has_listeners());
  told.tell(piece("2"));
  EXPECT_EQ(one.size(), 1u);
}

TEST_F(a_feed, lets_a_handle_go_from_within_its_writer) {
  std::shared_ptr<void> handle;
  int calls = 0;
  handle = told.add(
      [&](const auto&) {
        if (++calls == 2) handle.reset();
        return true;
      },
      piece("1"));
  const auto other = told.add(into(two), piece("1"));
  told.tell(piece("2"));
  told.tell(piece("3"));
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(two.size(), 3u);
  EXPECT_EQ(told.size(), 1u);
}

TEST_F(a_feed, may_go_before_its_handles) {
  auto short_lived = std::make_unique<feed>();
  const auto handle = short_lived->add(into(one), piece("1"));
  short_lived.reset();
  EXPECT_EQ(one.size(), 1u);
}

}  // namespace
