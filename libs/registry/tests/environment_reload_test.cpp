// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <atomic>
#include <stdexcept>

namespace {

using namespace registries;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view three = "[defaults]\nfailure_threshold = 3\n";
constexpr std::string_view four = "[defaults]\nfailure_threshold = 4\n";
constexpr std::string_view nothing = "# nothing\n";
constexpr std::string_view database_off = "[breaker.db]\nenabled = false\n";

[[nodiscard]] sg::config_patch failure_threshold(std::int64_t n) {
  return sg::config_patch().set("failure_threshold", sg::raw_value::integer(n));
}

/// The switch of the environment and the file, both changing.
struct switched : testing::Test {
  folder here;
  manual_clock clock;
  std::string file = here / "circuits.toml";
  std::optional<std::string> value;
  int reads = 0;
  std::optional<sg::registry> made;

  sg::registry& with(std::string_view toml, sg::registry_options options = {}) {
    write(file, toml);
    options.file = file;
    options.read_variable = [this](std::string_view) {
      ++reads;
      return value;
    };
    return made.emplace(quiet(std::move(options)), clock);
  }
  void take_up(std::string_view toml) {
    replace(file, toml);
    EXPECT_THAT(made->reload(), IsEmpty());
  }
};

TEST_F(switched, a_reload_while_it_is_off_leaves_breakers_working_that_work) {
  auto& circuits = with(three);
  const auto h = circuits.get("a");
  value = "no";
  take_up(four);
  EXPECT_EQ(h->state(), sg::state::closed) << "calls by name ask the environment; a handle would stay unguarded";
  EXPECT_EQ(h->configuration().failure_threshold, 4);
}

TEST_F(switched, a_reload_while_it_is_off_leaves_breakers_working_that_it_had_switched_on) {
  value = "yes";
  auto& circuits = with(three, {.preset = "bindu"});
  const auto h = circuits.get("a");
  EXPECT_EQ(h->state(), sg::state::closed) << "the preset alone would leave it off";
  EXPECT_TRUE(circuits.enabled());
  value = "no";
  take_up(four);
  EXPECT_EQ(h->state(), sg::state::closed);
}

TEST_F(switched, a_reload_while_it_is_off_leaves_off_what_it_has_switched_off) {
  auto& circuits = with(three);
  value = "no";
  const auto h = circuits.get("a");
  take_up(four);
  EXPECT_EQ(h->state(), sg::state::disabled);
  value = "yes";
  EXPECT_EQ(circuits.get_working("a")->state(), sg::state::closed);
  EXPECT_EQ(h->configuration().failure_threshold, 4);
}

TEST_F(switched, what_the_file_had_switched_off_works_when_neither_says_so_any_more) {
  auto& circuits = with(database_off);
  circuits.call("db", [] {});
  value = "no";
  take_up(nothing);
  value = "yes";
  EXPECT_THROW(circuits.call("db", [] { throw std::runtime_error("x"); }), std::runtime_error);
  EXPECT_EQ(circuits.find("db")->state(), sg::state::closed);
  EXPECT_EQ(circuits.find("db")->snapshot().metrics.failures, 1U);
}

TEST_F(switched, what_the_file_switches_off_is_no_longer_asked_for_at_each_call) {
  auto& circuits = with(nothing);
  value = "no";
  const auto h = circuits.get("db");
  take_up(database_off);
  value = "yes";
  reads = 0;
  circuits.call("db", [] {});
  EXPECT_EQ(reads, 1) << "once for the call, not once more to switch it on";
  EXPECT_EQ(h->state(), sg::state::disabled);
}

TEST_F(switched, another_reason_to_be_off_leaves_what_an_operator_changed) {
  auto& circuits = with(nothing);
  value = "no";
  const auto h = circuits.get("db");
  h->reconfigure([](sg::config& c) { c.jitter = 0.5; });
  take_up(database_off);
  EXPECT_EQ(h->configuration().jitter, 0.5);
}

TEST_F(switched, get_working_switches_on_however_it_is_asked) {
  auto& circuits = with(three);
  const auto is_on = [&](auto&& ask) {
    value = "no";
    const auto h = circuits.get("a");
    EXPECT_EQ(h->state(), sg::state::disabled);
    ask();
    EXPECT_EQ(h->state(), sg::state::disabled) << "it says no";
    value = "yes";
    ask();
    const bool on = h->state() == sg::state::closed;
    circuits.remove("a");
    return on;
  };
  EXPECT_TRUE(is_on([&] { circuits.get_working("a"); }));
  EXPECT_TRUE(is_on([&] { circuits.get_working("a", sg::classifier{}); }));
  EXPECT_TRUE(is_on([&] { circuits.get_working("a", failure_threshold(3)); }));
  EXPECT_TRUE(is_on([&] { circuits.get_working("a", sg::config{.failure_threshold = 3}); }));
  EXPECT_THAT(circuits.reports(), IsEmpty()) << "nobody asked for another configuration";
}

TEST_F(switched, get_working_makes_with_the_classifier_it_is_given) {
  auto& circuits = with(three);
  const auto h = circuits.get_working("a", sg::classifier{}.ignore<std::out_of_range>());
  EXPECT_THROW(h->call([] { throw std::out_of_range("x"); }), std::out_of_range);
  EXPECT_EQ(h->snapshot().metrics.ignored, 1U);
}

TEST_F(switched, asking_again_for_what_works_while_it_is_off_is_no_other_configuration) {
  auto& circuits = with(three);
  circuits.get("a");
  value = "no";
  circuits.get("a", failure_threshold(3));
  EXPECT_THAT(circuits.reports(), IsEmpty());
}

TEST_F(switched, asking_again_for_what_it_had_switched_off_is_no_other_configuration) {
  auto& circuits = with(three);
  value = "no";
  circuits.get("a");
  value = "yes";
  circuits.get("a", failure_threshold(3));
  EXPECT_THAT(circuits.reports(), IsEmpty());
}

TEST_F(switched, asking_for_it_to_be_on_or_off_is_another_configuration) {
  auto& circuits = with(three);
  const auto with_enabled = [](bool on) { return sg::config_patch().set("enabled", sg::raw_value::boolean(on)); };
  circuits.get("on");
  circuits.get("on", with_enabled(false));
  EXPECT_THAT(circuits.reports(), SizeIs(1));
  value = "no";
  circuits.get("off");
  circuits.get("off", with_enabled(true));
  ASSERT_THAT(circuits.reports(), SizeIs(2));
  EXPECT_THAT(circuits.reports()[1].message, HasSubstr("enabled is false, asked for true"));
}

TEST_F(switched, a_call_takes_keys_over_the_file) {
  auto& circuits = with("[breaker.a]\nsuccess_threshold = 7\n");
  circuits.call("a", failure_threshold(9), [] {});
  EXPECT_EQ(circuits.find("a")->configuration(), (sg::config{.failure_threshold = 9, .success_threshold = 7}));
  value = "no";
  circuits.call("b", failure_threshold(9), [] {});
  EXPECT_FALSE(circuits.contains("b"));
}

TEST(switched_under_load, flips_and_reloads_leave_no_breaker_off) {
  folder here;
  const std::string file = here / "circuits.toml";
  write(file, three);
  manual_clock clock;
  std::atomic<bool> on{true}, done{false};
  sg::registry circuits(
      quiet({.read_variable = [&](std::string_view) { return std::optional<std::string>(on.load() ? "true" : "false"); },
             .file = file}),
      clock);
  const auto name = [](int i) { return "breaker " + std::to_string(i % 10); };
  std::thread flips([&] {
    while (!done.load()) {
      on.store(!on.load());
      std::this_thread::yield();
    }
  });
  std::thread calls([&] {
    for (int i = 0; !done.load(); ++i) {
      circuits.call(name(i), [] {});
      circuits.get_working(name(i + 5));
      if (i % 50 == 0) circuits.remove(name(i / 50));
    }
  });
  for (int i = 0; i < 60; ++i) {
    replace(file, i % 3 == 0 ? four : i % 3 == 1 ? std::string_view("[defaults]\nenabled = false\n") : three);
    EXPECT_THAT(circuits.reload(), IsEmpty());
  }
  done.store(true);
  flips.join();
  calls.join();
  on.store(true);
  for (int i = 0; i < 10; ++i) {
    const auto h = circuits.get_working(name(i));
    EXPECT_EQ(h->state(), sg::state::closed);
    EXPECT_EQ(h->configuration().failure_threshold, 3);
  }
}

}  // namespace
