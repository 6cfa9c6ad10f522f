// SPDX-License-Identifier: Apache-2.0
#include "member_support.hpp"

#include <atomic>

namespace {

using namespace test_support;
using testing::HasSubstr;

using fleet_member = member_test;

TEST_F(fleet_member, an_opening_of_one_instance_reaches_another_within_a_second) {
  const auto a = make(), b = make();
  ASSERT_TRUE(a->shared() && b->shared());
  auto here = a->circuits.get("api", quick_to_open()), there = b->circuits.get("api", quick_to_open());
  ASSERT_TRUE(soon([&] { return a->member->known("api") == std::nullopt && b->member->metrics().members == 2; }, 5s));
  std::this_thread::sleep_for(300ms);  // both are joined
  const auto start = real_clock::now();
  fail(here, 3);
  ASSERT_TRUE(soon([&] { return there.state() == sg::state::open; }, 1s));
  RecordProperty("ms", std::to_string(ms_since(start)));
  std::printf("an opening reached another instance after %.1f ms\n", ms_since(start));
  const auto history = there->history();
  ASSERT_FALSE(history.empty());
  EXPECT_THAT(history.back().reason, HasSubstr("3 consecutive failures"));
  const auto known = b->member->known("api");
  ASSERT_TRUE(known.has_value());
  EXPECT_EQ(known->epoch, 1u);
  EXPECT_EQ(known->by, a->member->instance());
}

TEST_F(fleet_member, a_vote_alone_opens_its_own_circuit_only_and_a_quorum_opens_all) {
  auto o = options_for(server_.port());
  o.opening = fleet::sharing::quorum;
  o.quorum = 2;
  const auto a = make(o), b = make(o), c = make(o);
  auto one = a->circuits.get("api", quick_to_open()), two = b->circuits.get("api", quick_to_open()),
       three = c->circuits.get("api", quick_to_open());
  std::this_thread::sleep_for(600ms);  // every instance has a heartbeat
  fail(one, 3);
  std::this_thread::sleep_for(500ms);
  EXPECT_EQ(one.state(), sg::state::open);
  EXPECT_EQ(two.state(), sg::state::closed);
  EXPECT_EQ(three.state(), sg::state::closed);
  fail(two, 3);
  EXPECT_TRUE(soon([&] { return three.state() == sg::state::open; }, 5s));
}

TEST_F(fleet_member, evidence_of_all_instances_opens_what_no_single_one_would) {
  auto o = options_for(server_.port());
  o.opening = fleet::sharing::evidence;
  const sg::config by_count{.failure_threshold = 0, .window = sg::last(60s), .minimum_calls = 1, .failure_count_threshold = 6,
                            .open_duration = 60s};
  const auto a = make(o), b = make(o), c = make(o);
  auto one = a->circuits.get("api", by_count), two = b->circuits.get("api", by_count), three = c->circuits.get("api", by_count);
  fail(one, 4);
  std::this_thread::sleep_for(800ms);
  EXPECT_EQ(one.state(), sg::state::closed);
  fail(two, 4);
  EXPECT_TRUE(soon([&] {
    return one.state() == sg::state::open && two.state() == sg::state::open && three.state() == sg::state::open;
  }, 5s));
  ASSERT_TRUE(a->member->known("api").has_value());
  EXPECT_EQ(a->member->known("api")->cause, "evidence");
}

TEST_F(fleet_member, with_local_sharing_only_operators_are_heard) {
  auto o = options_for(server_.port());
  o.opening = fleet::sharing::local;
  const auto a = make(o), b = make(o);
  auto one = a->circuits.get("api", quick_to_open()), two = b->circuits.get("api", quick_to_open());
  std::this_thread::sleep_for(300ms);
  fail(one, 3);
  std::this_thread::sleep_for(700ms);
  EXPECT_EQ(one.state(), sg::state::open);
  EXPECT_EQ(two.state(), sg::state::closed);
  one.force_open("maintenance", "Ada");
  EXPECT_TRUE(soon([&] { return two.state() == sg::state::forced_open; }, 5s));
}

TEST_F(fleet_member, the_whole_fleet_sends_one_probe_at_a_time_and_closes_together) {
  std::vector<std::unique_ptr<host>> hosts;
  std::vector<sg::breaker_handle> circuits;
  auto o = options_for(server_.port());
  for (int i = 0; i < 4; ++i) {
    hosts.push_back(make(o));
    sg::config c = quick_to_open(1s);
    c.success_threshold = 3;
    circuits.push_back(hosts.back()->circuits.get("api", c));
  }
  std::this_thread::sleep_for(300ms);
  fail(circuits[0], 3);
  for (auto& c : circuits) ASSERT_TRUE(soon([&] { return c.state() != sg::state::closed; }, 5s));
  std::atomic<int> probes{0}, most{0}, total{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> callers;
  for (auto& c : circuits) {
    callers.emplace_back([&] {
      while (!stop) {
        auto p = c.try_acquire();
        if (p && c.state() != sg::state::closed) {
          const int now = ++probes;
          for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
          }
          ++total;
          std::this_thread::sleep_for(100ms);
          --probes;
          p.success();
        } else if (p) {
          p.success();
        }
        std::this_thread::sleep_for(2ms);
      }
    });
  }
  const bool closed = soon([&] {
    return std::all_of(circuits.begin(), circuits.end(), [](auto& c) { return c.state() == sg::state::closed; });
  }, 15s);
  stop = true;
  for (auto& t : callers) t.join();
  EXPECT_TRUE(closed);
  EXPECT_EQ(most, 1);
  EXPECT_EQ(total, 3);
  EXPECT_EQ(hosts[0]->member->known("api")->cause, "recovered");
}

TEST_F(fleet_member, a_failed_probe_of_one_opens_all_again) {
  const auto a = make(), b = make();
  auto one = a->circuits.get("api", quick_to_open(500ms)), two = b->circuits.get("api", quick_to_open(500ms));
  std::this_thread::sleep_for(300ms);
  fail(one, 3);
  ASSERT_TRUE(soon([&] { return two.state() != sg::state::closed; }, 5s));
  ASSERT_TRUE(soon([&] {
    fail(two, 1);
    const auto known = a->member->known("api");
    return known && known->cause == "probe";
  }, 10s));
  EXPECT_EQ(a->member->known("api")->by, b->member->instance());
  EXPECT_TRUE(soon([&] { return one.state() == sg::state::open; }, 5s));
}

TEST_F(fleet_member, after_a_recovery_calls_come_back_by_steps) {
  auto o = options_for(server_.port());
  o.ramp = {{0.1, 1s}, {0.5, 1s}};
  const auto a = make(o), b = make(o);
  auto one = a->circuits.get("api", quick_to_open(300ms)), two = b->circuits.get("api", quick_to_open(300ms));
  std::this_thread::sleep_for(300ms);
  fail(one, 3);
  ASSERT_TRUE(soon([&] { return two.state() != sg::state::closed; }, 5s));
  ASSERT_TRUE(soon([&] {
    if (auto p = one.try_acquire()) p.success();
    return two.state() == sg::state::closed;
  }, 10s));
  const auto admitted = [&] {
    int count = 0;
    for (int i = 0; i < 1000; ++i) {
      if (auto p = two.try_acquire()) {
        p.success();
        ++count;
      }
    }
    return count;
  };
  const int at_first = admitted();
  EXPECT_GT(at_first, 50);
  EXPECT_LT(at_first, 200);
  EXPECT_TRUE(soon([&] { const int n = admitted(); return n > 400 && n < 600; }, 5s));
  EXPECT_TRUE(soon([&] { return admitted() == 1000; }, 5s));
}

TEST_F(fleet_member, an_override_is_in_force_everywhere_with_owner_reason_and_end) {
  const auto a = make(), b = make();
  auto one = a->circuits.get("api", quick_to_open()), two = b->circuits.get("api", quick_to_open());
  std::this_thread::sleep_for(300ms);
  EXPECT_TRUE(a->member->operate("api", fleet::operator_action::force_open, "Ada", "maintenance", 2s));
  EXPECT_EQ(one.state(), sg::state::forced_open) << "here at once";
  ASSERT_TRUE(soon([&] { return two.state() == sg::state::forced_open; }, 5s));
  const auto seen = two.snapshot();
  ASSERT_TRUE(seen.operator_override.has_value());
  EXPECT_EQ(seen.operator_override->owner, "Ada");
  EXPECT_THAT(seen.operator_override->reason, HasSubstr("maintenance"));
  EXPECT_TRUE(soon([&] { return one.state() == sg::state::closed && two.state() == sg::state::closed; }, 8s));
}

TEST_F(fleet_member, a_release_anywhere_ends_an_override_everywhere) {
  const auto a = make(), b = make();
  auto one = a->circuits.get("api", quick_to_open()), two = b->circuits.get("api", quick_to_open());
  std::this_thread::sleep_for(300ms);
  one.disable("unreliable", "Ada");
  ASSERT_TRUE(soon([&] { return two.state() == sg::state::disabled; }, 5s));
  std::this_thread::sleep_for(50ms);
  two.release("fine");
  EXPECT_TRUE(soon([&] { return one.state() == sg::state::closed; }, 5s));
}

TEST_F(fleet_member, a_restarted_instance_adopts_what_the_fleet_has_decided) {
  auto a = make();
  auto one = a->circuits.get("api", quick_to_open());
  std::this_thread::sleep_for(300ms);
  fail(one, 3);
  ASSERT_TRUE(soon([&] { return a->member->known("api").has_value(); }, 5s));
  one = {};
  a.reset();
  sg::registry circuits{{.environment = sg::variables{}}};
  auto again = circuits.get("api", quick_to_open());
  const fleet::member restarted(circuits, options_for(server_.port()));
  EXPECT_EQ(again.state(), sg::state::open) << "before the constructor returned";
}

TEST_F(fleet_member, a_circuit_that_is_made_later_adopts_too) {
  const auto a = make(), b = make();
  auto one = a->circuits.get("api", quick_to_open());
  std::this_thread::sleep_for(300ms);
  fail(one, 3);
  ASSERT_TRUE(soon([&] { return b->member->known("api").has_value(); }, 5s));
  auto two = b->circuits.get("api", quick_to_open());
  EXPECT_TRUE(soon([&] { return two.state() == sg::state::open; }, 5s));
}

TEST_F(fleet_member, two_fleets_on_one_server_do_not_see_each_other) {
  const auto a = make(options_for(server_.port(), "one")), b = make(options_for(server_.port(), "two"));
  auto one = a->circuits.get("api", quick_to_open()), two = b->circuits.get("api", quick_to_open());
  std::this_thread::sleep_for(300ms);
  fail(one, 3);
  ASSERT_TRUE(soon([&] { return a->member->known("api").has_value(); }, 5s));
  std::this_thread::sleep_for(700ms);
  EXPECT_EQ(two.state(), sg::state::closed);
  EXPECT_EQ(a->member->metrics().members, 1u);
}

TEST_F(fleet_member, views_tell_how_each_instance_sees_a_circuit) {
  const auto a = make(), b = make();
  auto one = a->circuits.get("api", quick_to_open()), two = b->circuits.get("api", quick_to_open());
  std::vector<fleet::instance_view> views;
  EXPECT_TRUE(soon([&] {
    views = a->member->views("api");
    return views.size() == 2;
  }, 5s));
  fail(one, 3);
  EXPECT_TRUE(soon([&] {
    views = b->member->views("api");
    return views.size() == 2 && views[0].state == sg::state::open && views[1].state == sg::state::open;
  }, 5s));
  EXPECT_TRUE(std::any_of(views.begin(), views.end(), [](const auto& v) { return v.failures == 3; }));
  EXPECT_TRUE(a->member->views("nobody has it").empty());
}

TEST_F(fleet_member, breakers_of_no_registry_take_part_by_join_and_leave_by_part) {
  auto o = options_for(server_.port());
  fleet::member alone(o);
  sg::circuit_breaker mine("api", quick_to_open());
  ASSERT_TRUE(alone.join(mine));
  EXPECT_FALSE(alone.join(mine));
  const auto b = make(o);
  auto two = b->circuits.get("api", quick_to_open());
  std::this_thread::sleep_for(300ms);
  two.trip("by hand");
  EXPECT_TRUE(soon([&] { return mine.state() == sg::state::open; }, 5s));
  EXPECT_TRUE(alone.part("api"));
  EXPECT_FALSE(alone.part("api"));
  two.reset("fine");
  std::this_thread::sleep_for(500ms);
  EXPECT_EQ(mine.state(), sg::state::open);
}

TEST_F(fleet_member, who_leaves_is_missed_at_once) {
  auto a = make();
  const auto b = make();
  ASSERT_TRUE(soon([&] { return b->member->metrics().members == 2; }, 5s));
  a->member.reset();
  EXPECT_TRUE(soon([&] { return b->member->metrics().members == 1; }, 5s));
}

}  // namespace
