// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <atomic>
#include <optional>
#include <stdexcept>

namespace {

using namespace registries;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view three = "[defaults]\nfailure_threshold = 3\n";
constexpr std::string_view four = "[defaults]\nfailure_threshold = 4  # another size\n";

struct polling : testing::Test {
  folder here;
  manual_clock clock;
  std::string file = here / "circuits.toml";
  std::optional<sg::registry> circuits;
  sg::breaker_handle h;

  void start(sg::registry_options options = {}) {
    write(file, three);
    options.file = file;
    options.watch_file = true;
    options.poll_interval = 10s;
    circuits.emplace(quiet(std::move(options)), clock);
    h = circuits->get("a");
  }
  /// Lets the file be looked at once. When the next look is set, this one is over.
  void look() {
    clock.advance(10s);
    until([&] { return clock.timers() == 1; });
  }
  [[nodiscard]] std::int64_t threshold() const { return h->configuration().failure_threshold; }
};

TEST_F(polling, takes_a_file_up_once_it_looks_the_same_twice) {
  start();
  for (int i = 0; i < 5; ++i) look();
  EXPECT_EQ(threshold(), 3);
  replace(file, four);
  look();
  EXPECT_EQ(threshold(), 3) << "it may still be written";
  look();
  EXPECT_EQ(threshold(), 4);
}

TEST_F(polling, leaves_no_timer_behind) {
  start();
  look();
  EXPECT_EQ(clock.timers(), 1U);
  circuits.reset();
  EXPECT_EQ(clock.timers(), 0U);
}

TEST_F(polling, waits_for_a_file_that_is_gone) {
  start();
  std::filesystem::remove(file);
  for (int i = 0; i < 5; ++i) look();
  EXPECT_THAT(circuits->reports(), IsEmpty());
  write(file, four);
  look();
  look();
  EXPECT_EQ(threshold(), 4);
}

TEST_F(polling, reports_a_bad_file_once) {
  start();
  replace(file, "junk of another size");
  for (int i = 0; i < 5; ++i) look();
  ASSERT_THAT(circuits->reports(), SizeIs(1));
  EXPECT_EQ(circuits->reports()[0].times, 1U);
}

TEST_F(polling, holds_up_no_timer_of_the_clock) {
  std::atomic<bool> entered{false}, released{false};
  start({.on_report = [&](const sg::registry_report&) {
    entered.store(true);
    until([&] { return released.load(); });
  }});
  replace(file, "junk of another size");
  look();
  bool other_timer_ran = false;
  clock.call_at(clock.now() + 10s, [&] { other_timer_ran = true; });
  clock.advance(10s);
  until([&] { return entered.load(); });
  EXPECT_TRUE(other_timer_ran) << "while the file is being taken up";
  EXPECT_FALSE(released.load());
  released.store(true);
  circuits.reset();  // before what its callbacks use
}

TEST_F(polling, calls_nobody_on_the_thread_of_the_clock) {
  std::atomic<std::thread::id> heard{};
  start({.on_report = [&](const sg::registry_report&) { heard.store(std::this_thread::get_id()); }});
  replace(file, "junk of another size");
  look();
  look();
  EXPECT_NE(heard.load(), std::thread::id());
  EXPECT_NE(heard.load(), std::this_thread::get_id());
}

TEST_F(polling, is_over_when_the_registry_has_gone) {
  std::atomic<bool> entered{false}, left{false};
  start({.on_report = [&](const sg::registry_report&) {
    entered.store(true);
    for (int i = 0; i < 2000; ++i) std::this_thread::yield();
    left.store(true);
  }});
  replace(file, "junk of another size");
  look();
  std::thread advancing([&] { clock.advance(10s); });
  until([&] { return entered.load(); });
  circuits.reset();
  EXPECT_TRUE(left.load()) << "or a callback would use what its owner has destroyed";
  advancing.join();
}

TEST_F(polling, reports_what_taking_a_file_up_throws_and_tries_again) {
  std::atomic<bool> throws{false};
  start({.read_variable = [&](std::string_view) -> std::optional<std::string> {
    if (throws.load()) throw std::runtime_error("no variables today");
    return std::nullopt;
  }});
  throws.store(true);
  replace(file, four);
  for (int i = 0; i < 4; ++i) look();
  ASSERT_THAT(circuits->reports(), SizeIs(1));
  EXPECT_EQ(circuits->reports()[0].kind, sg::registry_report_kind::file_refused);
  EXPECT_EQ(circuits->reports()[0].times, 3U);
  EXPECT_THAT(circuits->reports()[0].message, HasSubstr("no variables today"));
  EXPECT_EQ(threshold(), 3);
  throws.store(false);
  look();
  EXPECT_EQ(threshold(), 4);
}

}  // namespace
