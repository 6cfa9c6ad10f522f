// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <switchgear/any_breaker.hpp>

#include <optional>
#include <type_traits>

namespace {

using namespace registries;

static_assert(sg::breaker<sg::breaker_handle>);
static_assert(std::is_nothrow_copy_constructible_v<sg::breaker_handle>);
static_assert(std::is_nothrow_move_constructible_v<sg::breaker_handle>);
static_assert(!std::is_copy_constructible_v<sg::registry> && !std::is_move_constructible_v<sg::registry>);

struct handle : testing::Test {
  manual_clock clock;
  std::optional<sg::registry> circuits{std::in_place, quiet(), clock};
};

TEST_F(handle, is_empty_until_it_holds_something) {
  sg::breaker_handle h;
  EXPECT_FALSE(h);
  EXPECT_EQ(h.get(), nullptr);
  EXPECT_EQ(h.share(), nullptr);
  h = circuits->get("a");
  EXPECT_TRUE(h);
}

TEST_F(handle, copies_and_moves) {
  auto a = circuits->get("a");
  sg::breaker_handle b = a;
  EXPECT_EQ(a, b);
  sg::breaker_handle c = std::move(a);
  EXPECT_EQ(b, c);
  a = circuits->get("other");
  EXPECT_NE(a, b);
  sg::breaker_handle& same = b;
  b = same;
  EXPECT_EQ(b, c);
  std::swap(a, b);
  EXPECT_EQ(a->name(), "a");
  EXPECT_EQ(b->name(), "other");
}

TEST_F(handle, stays_valid_after_remove) {
  const auto h = circuits->get("a", small_config());
  circuits->remove("a");
  circuits->get("a");  // may use the memory again
  open(h);
  EXPECT_EQ(h->name(), "a");
  EXPECT_TRUE(h->is_open());
  EXPECT_TRUE(circuits->find("a")->is_closed());
}

TEST_F(handle, stays_valid_after_clear) {
  const auto h = circuits->get("a", small_config());
  circuits->clear();
  for (int i = 0; i < 10; ++i) circuits->get(std::to_string(i));
  open(h);
  EXPECT_EQ(h->name(), "a");
}

TEST_F(handle, stays_valid_after_the_registry) {
  const auto h = circuits->get("a", small_config());
  const auto copy = h;
  circuits.reset();
  open(h);
  clock.advance(30s);
  EXPECT_EQ(copy->call([] { return 7; }), 7);
  EXPECT_TRUE(copy->is_closed());
}

TEST_F(handle, may_be_the_last_of_many_after_the_registry) {
  std::vector<sg::breaker_handle> all;
  for (int i = 0; i < 5000; ++i) all.push_back(circuits->get(std::to_string(i)));
  circuits.reset();
  while (all.size() > 1) all.pop_back();
  EXPECT_EQ(all[0]->name(), "0");
}

TEST_F(handle, is_what_any_breaker_takes) {
  auto h = circuits->get("a", small_config());
  sg::any_breaker any(h.share());
  h = {};
  circuits.reset();
  any.force_open("maintenance");
  EXPECT_EQ(any.state(), sg::state::forced_open);
  EXPECT_EQ(any.name(), "a");
}

TEST_F(handle, offers_what_every_breaker_offers) {
  auto h = circuits->get("a", small_config());
  EXPECT_EQ(h.call([] { return 1; }), 1);
  if (sg::permit p = h.try_acquire()) p.success();
  h.trip("by hand");
  EXPECT_EQ(h.state(), sg::state::open);
  h.reset();
  h.disable();
  h.release();
  h.force_open();
  h.reset();
  h.reset_metrics();
  EXPECT_EQ(h.snapshot().metrics.total_calls(), 0U);
  EXPECT_EQ(h.name(), "a");
}

}  // namespace
