// SPDX-License-Identifier: Apache-2.0
// Breakers whose block lives elsewhere: two shells over one block behave as one circuit.
#include "support/shell.hpp"

#include <switchgear/detail/shared_home.hpp>

#include <atomic>
#include <memory>
#include <optional>

namespace {

using namespace shell;
namespace m = switchgear::machine;

/// What the homes of one circuit have in common.
struct place {
  static constexpr std::uint32_t lanes_each = 2, homes = 3, slot_count = 8;
  m::block_header<std::atomic> header{};
  m::counter_lane<std::atomic> lanes[homes * lanes_each]{};
  m::probe_slot<std::atomic> slots[slot_count]{};
  std::atomic<std::uint64_t> window[4096]{};
  sg::config configuration;
  std::uint64_t epoch = 0;
  std::int64_t origin = 0;
  std::vector<sg::state_change> history;
  std::string failure;
  std::uint64_t overridden = 0;
  sg::detail::override_note note;
  bool unreadable = false;
};

class home final : public sg::detail::shared_home {
 public:
  home(std::shared_ptr<place> where, std::uint32_t number) : where_(std::move(where)), number_(number) {}
  m::foreign_block<std::atomic> block() const noexcept override {
    return {&where_->header, where_->lanes, place::homes * place::lanes_each, number_ * place::lanes_each, place::lanes_each, 1,
            where_->slots, place::slot_count};
  }
  std::int64_t origin() const noexcept override { return where_->origin; }
  void attach(sg::circuit_breaker&) noexcept override {}
  sg::detail::shared_regime regime() const override {
#if SWITCHGEAR_HAS_EXCEPTIONS
    if (where_->unreadable) throw std::runtime_error("torn");
#endif
    return {where_->configuration, where_->epoch, where_->window};
  }
  void reconfigure(const sg::config& next) override {
    where_->configuration = next;
    where_->header.epoch.store(++where_->epoch);
  }
  void add(const m::transition& t, std::string_view reason, std::chrono::system_clock::time_point when) noexcept override {
    where_->history.push_back({t.from, t.to, when, std::string(reason), t.failure_count, t.generation});
  }
  std::vector<sg::state_change> history() const override { return where_->history; }
  void note_failure(std::string_view text) noexcept override { where_->failure = text; }
  std::string last_failure() const override { return where_->failure; }
  void note_override(std::uint64_t generation, const sg::detail::override_note& note) noexcept override {
    where_->overridden = generation;
    where_->note = note;
  }
  std::optional<sg::detail::override_note> override_of(std::uint64_t generation) const override {
    return generation == where_->overridden ? std::optional(where_->note) : std::nullopt;
  }

 private:
  std::shared_ptr<place> where_;
  std::uint32_t number_;
};

std::shared_ptr<place> made_with(const sg::config& c) {
  auto out = std::make_shared<place>();
  out->configuration = c;
  return out;
}

struct two {
  manual_clock clock;
  std::shared_ptr<place> where = made_with(small_config());
  sg::circuit_breaker a{std::make_unique<home>(where, 0), "payments", {}, clock};
  sg::circuit_breaker b{std::make_unique<home>(where, 1), "payments", {}, clock};
};

TEST(shared_home, what_one_counts_the_other_opens_with) {
  two t;
  fail_times(t.a, 1);
  EXPECT_TRUE(t.b.is_closed());
  fail_times(t.b, 1);
  EXPECT_TRUE(t.a.is_open());
  EXPECT_FALSE(t.a.try_acquire());
}

TEST(shared_home, the_counters_of_all_are_summed) {
  two t;
  succeed_times(t.a, 3);
  succeed_times(t.b, 4);
  EXPECT_EQ(t.a.snapshot().metrics.successes, 7u);
  EXPECT_EQ(t.b.snapshot().metrics.successes, 7u);
}

TEST(shared_home, each_home_counts_in_lanes_of_its_own) {
  two t;
  succeed_times(t.a, 3);
  succeed_times(t.b, 4);
  const auto in = [&](std::uint32_t number) {
    std::uint64_t sum = 0;
    for (std::uint32_t i = 0; i < place::lanes_each; ++i) {
      const auto& lane = t.where->lanes[number * place::lanes_each + i];
      sum += lane.successes.load();
    }
    return sum;
  };
  EXPECT_LE(in(0), 3u);
  EXPECT_LE(in(1), 4u);
  EXPECT_EQ(in(2), 0u);
}

TEST(shared_home, the_probe_of_one_is_the_only_one) {
  two t;
  fail_times(t.a, 2);
  t.clock.advance(30s);
  sg::permit probe = t.b.try_acquire();
  ASSERT_TRUE(probe);
  EXPECT_FALSE(t.a.try_acquire());
  probe.success();
  EXPECT_TRUE(t.a.is_closed());
}

TEST(shared_home, history_failure_and_override_are_those_of_all) {
  two t;
  fail_times(t.a, 2);
  EXPECT_EQ(t.b.snapshot().state_changes.size(), 1u);
  EXPECT_EQ(t.b.snapshot().state_changes[0].reason, "2 consecutive failures (threshold 2)");
  t.a.force_open("migration", "ann");
  const auto seen = t.b.snapshot();
  ASSERT_TRUE(seen.operator_override);
  EXPECT_EQ(seen.operator_override->owner, "ann");
  EXPECT_EQ(seen.operator_override->reason, "migration");
  EXPECT_EQ(seen.last_failure, t.a.snapshot().last_failure);
}

TEST(shared_home, a_reconfiguration_by_one_is_followed_by_the_other) {
  two t;
  ASSERT_TRUE(t.a.reconfigure([](sg::config& c) { c.failure_threshold = 4; }).empty());
  fail_times(t.b, 3);
  EXPECT_TRUE(t.b.is_closed());
  EXPECT_EQ(t.b.configuration().failure_threshold, 4);
  fail_times(t.b, 1);
  EXPECT_TRUE(t.a.is_open());
}

TEST(shared_home, a_patch_by_one_keeps_what_the_other_has_changed) {
  two t;
  ASSERT_TRUE(t.a.reconfigure([](sg::config& c) { c.failure_threshold = 4; }).empty());
  ASSERT_TRUE(t.b.reconfigure([](sg::config& c) { c.open_duration = 7s; }).empty());
  EXPECT_EQ(t.a.configuration().failure_threshold, 4);
  EXPECT_EQ(t.a.configuration().open_duration, 7s);
}

TEST(shared_home, a_success_of_a_permit_follows_a_reconfiguration_too) {
  two t;
  sg::permit p = t.b.try_acquire();
  ASSERT_TRUE(t.a.reconfigure([](sg::config& c) { c.failure_threshold = 4; }).empty());
  p.success();
  EXPECT_EQ(sg::detail::breaker_access::settings(t.b).failure_threshold, 4u);
}

#if SWITCHGEAR_HAS_EXCEPTIONS
TEST(shared_home, a_regime_that_cannot_be_read_leaves_the_one_in_force) {
  two t;
  ASSERT_TRUE(t.a.reconfigure([](sg::config& c) { c.failure_threshold = 4; }).empty());
  t.where->unreadable = true;
  fail_times(t.b, 2);
  EXPECT_TRUE(t.b.is_open()) << "by the threshold of before";
  t.where->unreadable = false;
  EXPECT_EQ(t.b.configuration().failure_threshold, 4);
}
#endif

TEST(shared_home, each_process_tells_of_what_it_did_itself) {
  two t;
  const event_recorder of_a(t.a), of_b(t.b);
  fail_times(t.a, 2);
  t.b.reset("by hand");
  fail_times(t.a, 2);
  sg::drain_events();
  EXPECT_EQ(of_a.transitions(), (std::vector<std::string>{"closed>open", "closed>open"}));
  EXPECT_EQ(of_b.transitions(), (std::vector<std::string>{"open>closed"}));
}

TEST(shared_home, a_saved_state_is_not_put_over_what_others_use) {
  two t;
  EXPECT_NE(t.a.restore(t.b.save(), 0s), "");
}

}  // namespace
