// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/saved_state.hpp"

#include <switchgear/circuit_breaker.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <random>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using nlohmann::ordered_json;
using testing::HasSubstr;

/// Every member in one text: the binary form leaves out nothing.
std::string all_of(const sg::saved_state& s) { return sg::to_binary(s); }

sg::saved_state counting_state() {
  sg::saved_state s;
  s.generation = 7;
  s.attempt = 2;
  s.since_last_closing = 12s;
  s.consecutive_failures = 1;
  s.verdicts = "sSfF";
  s.window_size = 20;
  s.metrics = {1, 2, 1, 4, 5, 6, 7, 8, 9, 10, 4'611'686'018'427'387'904u};  // 2^62, the most
  return s;
}

sg::saved_state timed_state() {
  sg::saved_state s;
  s.buckets = {{0, 5, 2, 1}, {9, 1'099'511'627'775u, 0, 3}};
  s.window_duration = 60s;
  s.window_size = 10;
  return s;
}

sg::saved_state overridden_state() {
  sg::saved_state s;
  s.state = sg::state::forced_open;
  s.remaining_override = 90s;
  s.override_owner = "on-call \"ä\"";
  s.override_reason = std::string("line\nend\0of it", 14);
  s.window_size = 1;
  return s;
}

ordered_json document() { return ordered_json::parse(sg::to_json(counting_state())); }

std::string refusal(const std::string& text) {
  const auto read = sg::saved_state_from_json(text);
  EXPECT_EQ(read.state.has_value(), read.refused.empty()) << text;
  return read.refused;
}

std::string refusal_of(std::string_view member, const ordered_json& value) {
  ordered_json changed = document();
  changed[std::string(member)] = value;
  return refusal(changed.dump());
}

TEST(saved_state_json, reads_back_everything_that_was_written) {
  for (const auto& s : {counting_state(), timed_state(), overridden_state()}) {
    const auto read = sg::saved_state_from_json(sg::to_json(s));
    ASSERT_TRUE(read.state) << read.refused;
    EXPECT_EQ(all_of(*read.state), all_of(s)) << sg::to_json(*read.state);
  }
}

TEST(saved_state_json, reads_back_any_valid_state) {
  std::mt19937_64 random(5);
  const auto below = [&random](std::uint64_t n) { return random() % n; };
  const auto maybe = [&]() -> std::optional<std::chrono::nanoseconds> {
    if (below(3) == 0) return std::nullopt;
    return std::chrono::nanoseconds(below(std::uint64_t{1} << (1 + below(50))));
  };
  int valid = 0;
  for (int i = 0; i < 2000; ++i) {
    sg::saved_state s;
    s.state = static_cast<sg::state>(below(5));
    s.generation = below(std::uint64_t{1} << (1 + below(30)));
    s.remaining_open = maybe().value_or(0ns);
    s.remaining_override = maybe();
    s.since_last_closing = maybe();
    s.attempt = static_cast<std::uint32_t>(below(std::uint64_t{1} << 32));
    s.failure_count = static_cast<std::uint32_t>(below(1u << 20));
    s.half_open_successes = static_cast<std::uint32_t>(below(1000));
    const bool closed = s.state == sg::state::closed;
    s.consecutive_failures = closed ? static_cast<std::uint32_t>(below(1000)) : 0;
    for (auto* const text : {&s.override_owner, &s.override_reason}) {
      for (auto n = below(20); n > 0; --n) *text += static_cast<char>(below(128));
    }
    s.window_size = static_cast<std::uint32_t>(1 + below(60));
    if (below(2) == 0) {
      s.window_duration = 100ms + std::chrono::nanoseconds(below(1'000'000'000'000));
      for (std::uint32_t age = 0; closed && age < s.window_size; age += 1 + static_cast<std::uint32_t>(below(9))) {
        s.buckets.push_back({age, 100 + below(1'000'000), below(100), below(100)});
      }
    } else {
      for (auto n = closed ? below(s.window_size + 1) : 0; n > 0; --n) s.verdicts += "sfSF"[below(4)];
    }
    const auto count = [&] { return below(std::uint64_t{1} << 62); };
    s.metrics = {count(), count(), below(1), count(), count(), count(), count(), count(), count(), count(), count()};
    if (!sg::validate(s).empty()) continue;
    ++valid;
    const auto read = sg::saved_state_from_json(sg::to_json(s));
    ASSERT_TRUE(read.state) << read.refused << "\n" << sg::to_json(s);
    ASSERT_EQ(all_of(*read.state), all_of(s)) << sg::to_json(s);
  }
  EXPECT_GT(valid, 1000);
}

TEST(saved_state_json, takes_what_a_breaker_saves_to_another_one) {
  sg::circuit_breaker first("payments", {.failure_threshold = 2, .open_duration = 1h});
  (void)first.try_acquire().success();
  for (int i = 0; i < 2; ++i) first.try_acquire().failure();
  const auto read = sg::saved_state_from_json(sg::to_json(first.save()));
  ASSERT_TRUE(read.state) << read.refused;
  sg::circuit_breaker second("payments", {.failure_threshold = 2, .open_duration = 1h});
  second.restore(*read.state, 1s);
  EXPECT_TRUE(second.is_open());
  EXPECT_EQ(second.snapshot().metrics.failures, 2u);
  EXPECT_EQ(second.snapshot().metrics.successes, 1u);
}

TEST(saved_state_json, does_not_care_about_the_order_of_members_or_white_space) {
  const auto sorted = nlohmann::json::parse(sg::to_json(counting_state())).dump(2);
  EXPECT_NE(sorted, document().dump(2)) << "another order, or this test says nothing";
  const auto read = sg::saved_state_from_json(sorted);
  ASSERT_TRUE(read.state) << read.refused;
  EXPECT_EQ(all_of(*read.state), all_of(counting_state()));
}

TEST(saved_state_json, refuses_a_document_of_another_kind_or_version) {
  EXPECT_EQ(refusal("{}"), "not a saved state of switchgear");
  EXPECT_EQ(refusal("[]"), "not a saved state of switchgear");
  EXPECT_EQ(refusal("null"), "not a saved state of switchgear");
  EXPECT_EQ(refusal_of("switchgear_saved_state", 2), "version 2, this library reads version 1");
  EXPECT_THAT(refusal_of("switchgear_saved_state", "1"), HasSubstr("not text"));
  EXPECT_THAT(refusal_of("switchgear_saved_state", 1.0), HasSubstr("another number"));
  EXPECT_THAT(refusal_of("switchgear_saved_state", nullptr), HasSubstr("null"));
}

TEST(saved_state_json, says_the_version_before_it_looks_at_anything_else) {
  EXPECT_EQ(refusal(R"({"switchgear_saved_state":3,"moon":"full"})"), "version 3, this library reads version 1");
}

TEST(saved_state_json, refuses_each_member_that_is_missing) {
  const ordered_json whole = document();
  for (const auto& [key, value] : whole.items()) {
    ordered_json cut = document();
    cut.erase(key);
    const std::string why = refusal(cut.dump());
    EXPECT_THAT(why, key == "switchgear_saved_state" ? HasSubstr("not a saved state")
                                                     : HasSubstr("member " + key + " is missing"));
  }
  for (const auto& [key, value] : whole["metrics"].items()) {
    ordered_json cut = document();
    cut["metrics"].erase(key);
    EXPECT_EQ(refusal(cut.dump()), "the member metrics." + key + " is missing");
  }
}

TEST(saved_state_json, refuses_each_member_of_a_wrong_type) {
  const ordered_json whole = document();
  for (const auto& [key, value] : whole.items()) {
    for (const ordered_json& wrong :
         {ordered_json(true), ordered_json(1.5), ordered_json(-1), ordered_json::object()}) {
      if (key == "metrics" && wrong.is_object()) continue;
      EXPECT_THAT(refusal_of(key, wrong), HasSubstr(key + " has to be")) << wrong;
    }
  }
  for (const auto& [key, value] : whole["metrics"].items()) {
    for (const ordered_json& wrong : {ordered_json("1"), ordered_json(-1), ordered_json(1.0), ordered_json(nullptr)}) {
      ordered_json changed = document();
      changed["metrics"][key] = wrong;
      EXPECT_THAT(refusal(changed.dump()), HasSubstr("metrics." + key + " has to be")) << wrong;
    }
  }
}

TEST(saved_state_json, refuses_numbers_that_do_not_fit) {
  EXPECT_THAT(refusal_of("attempt", 4'294'967'296), HasSubstr("from 0 to 4294967295"));
  EXPECT_THAT(refusal_of("remaining_open_ns", 9'223'372'036'854'775'808u), HasSubstr("from 0 to 9223372036854775807"));
  EXPECT_THAT(refusal_of("since_last_closing_ns", 9'223'372'036'854'775'808u), HasSubstr("null or a whole number"));
  EXPECT_THAT(refusal_of("buckets", {{4'294'967'296, 1, 0, 0}}), HasSubstr("buckets has to be"));
  std::string huge = sg::to_json(counting_state());
  const std::string most = "4611686018427387904";
  huge.replace(huge.find(most), most.size(), "18446744073709551616");
  EXPECT_THAT(refusal(huge), HasSubstr("metrics.transitions has to be"));
}

TEST(saved_state_json, refuses_buckets_that_are_not_four_numbers_each) {
  for (const char* bad : {"[1]", "[[]]", "[[0,1,0]]", "[[0,1,0,0,0]]", "[[0,1,0,\"0\"]]", "[[0,1,-1,0]]", "{}"}) {
    EXPECT_THAT(refusal_of("buckets", ordered_json::parse(bad)), HasSubstr("buckets has to be")) << bad;
  }
}

TEST(saved_state_json, refuses_a_state_that_there_is_not) {
  EXPECT_THAT(refusal_of("state", "ajar"), HasSubstr("closed, open, half_open, forced_open or disabled"));
  EXPECT_THAT(refusal_of("state", "Closed"), HasSubstr("state has to be"));
  EXPECT_THAT(refusal_of("state", 0), HasSubstr("state has to be"));
}

TEST(saved_state_json, refuses_unknown_members_and_names_the_nearest) {
  EXPECT_EQ(refusal_of("attempts", 1), "unknown member attempts; the nearest known name is attempt");
  ordered_json changed = document();
  changed["metrics"]["succeses"] = 1;
  EXPECT_EQ(refusal(changed.dump()),
            "unknown member metrics.succeses; the nearest known name is metrics.successes");
}

TEST(saved_state_json, refuses_a_member_given_twice) {
  std::string text = sg::to_json(counting_state());
  text.insert(1, "\"attempt\":2,");
  EXPECT_THAT(refusal(text), HasSubstr("\"attempt\" stands twice"));
}

TEST(saved_state_json, refuses_what_is_cut_or_followed_by_something) {
  const std::string text = sg::to_json(counting_state());
  for (std::size_t n = 0; n < text.size(); ++n) EXPECT_FALSE(refusal(text.substr(0, n)).empty()) << n;
  EXPECT_FALSE(refusal(text + "x").empty());
  EXPECT_THAT(refusal(text + std::string(1 << 20, ' ')), HasSubstr("1 MiB"));
}

TEST(saved_state_json, refuses_what_no_breaker_could_have_saved) {
  EXPECT_EQ(refusal_of("verdicts", "sx"), "unknown verdict in the window");
  EXPECT_EQ(refusal_of("verdicts", std::string(21, 's')), "more verdicts than the window holds");
  EXPECT_EQ(refusal_of("state", "open"), "a window outside closed");
  EXPECT_EQ(refusal_of("window_size", 0), "count window out of range");
  EXPECT_EQ(refusal_of("window_duration_ns", 1), "time window out of range");
  EXPECT_EQ(refusal_of("buckets", ordered_json::parse("[[0,1,0,0]]")), "a window of both kinds");
}

}  // namespace
