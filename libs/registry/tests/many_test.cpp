// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include "name_table.hpp"
#include "record_store.hpp"

#include <set>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SWITCHGEAR_TEST_IS_SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SWITCHGEAR_TEST_IS_SLOW 1
#endif
#endif

namespace {

using namespace registries;

#ifdef SWITCHGEAR_TEST_IS_SLOW
constexpr std::size_t many = 100'000;
#else
constexpr std::size_t many = 1'000'000;
#endif

TEST(many_breakers, live_in_one_registry) {
  manual_clock clock;
  sg::registry circuits(quiet({.max_breakers = many}), clock);
  const auto name = [](std::size_t i) { return "tenant." + std::to_string(i); };
  for (std::size_t i = 0; i < many; ++i) circuits.get(name(i));
  EXPECT_EQ(circuits.size(), many);
  for (std::size_t i = 0; i < many; i += 11) ASSERT_EQ(circuits.find(name(i))->name(), name(i));
  EXPECT_FALSE(circuits.contains(name(many)));
  circuits.find(name(many / 2))->trip();
  EXPECT_EQ(circuits.open_circuits(), std::vector{name(many / 2)});
  for (std::size_t i = many; i < many + 1000; ++i) circuits.get(name(i));
  EXPECT_EQ(circuits.size(), many);
  EXPECT_TRUE(circuits.contains(name(many / 2))) << "the only one with a past";
  circuits.clear();
  EXPECT_EQ(circuits.size(), 0U);
}

TEST(many_breakers, use_the_memory_of_those_before_them_again) {
  sg::detail::record_store records;
  std::set<const void*> seen;
  for (int round = 0; round < 3; ++round) {
    std::vector<sg::detail::breaker_record*> taken;
    for (int i = 0; i < 5000; ++i) {
      taken.push_back(&records.take());
      seen.insert(taken.back());
      EXPECT_EQ(&records.at(taken.back()->index), taken.back());
    }
    for (auto* r : taken) records.give_back(*r);
  }
  EXPECT_EQ(seen.size(), 5000U);
  EXPECT_EQ(records.count(), 5000U);
}

/// A table with records that have hashes and no breakers; their names are short.
struct bare_table {
  sg::detail::record_store records;
  sg::detail::name_table table;

  sg::detail::breaker_record& add(const std::string& name, std::uint64_t hash) {
    auto& r = records.take();
    r.hash = hash;
    r.name_size = static_cast<std::uint8_t>(name.size());
    std::copy(name.begin(), name.end(), r.name.begin());
    table.insert(r);
    r.references.store(1);
    return r;
  }
  bool finds(const std::string& name, std::uint64_t hash) {
    const auto got = table.find(name, hash);
    if (got.record != nullptr) got.record->references.fetch_sub(1);
    return got.record != nullptr;
  }
};

TEST(name_table, keeps_names_of_one_hash_apart) {
  bare_table t;
  for (int i = 0; i < 50; ++i) t.add(std::to_string(i), 42);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(t.finds(std::to_string(i), 42));
  EXPECT_FALSE(t.finds("50", 42));
}

TEST(name_table, finds_what_went_past_full_buckets_also_after_others_have_gone) {
  bare_table t;
  std::vector<sg::detail::breaker_record*> all;
  // All with one home, the last bucket.
  for (int i = 0; i < 30; ++i) all.push_back(&t.add(std::to_string(i), (std::uint64_t(i) << 56) | 15));
  for (int i = 0; i < 29; ++i) {
    t.table.erase(*all[static_cast<std::size_t>(i)]);
    EXPECT_FALSE(t.finds(std::to_string(i), (std::uint64_t(i) << 56) | 15));
    EXPECT_TRUE(t.finds("29", (std::uint64_t{29} << 56) | 15));
  }
  EXPECT_EQ(t.table.size(), 1U);
}

TEST(name_table, is_in_doubt_about_a_record_that_nobody_holds) {
  bare_table t;
  auto& r = t.add("a", 1);
  r.references.store(0);
  EXPECT_TRUE(t.table.find("a", 1).doubtful);
  EXPECT_EQ(t.table.find("a", 1).record, nullptr);
  EXPECT_FALSE(t.table.find("b", 2).doubtful);
}

}  // namespace
