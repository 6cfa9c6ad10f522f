// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <atomic>

namespace {

using namespace registries;

std::string numbered(int i) {
  return "[defaults]\nfailure_threshold = " + std::to_string(i) + "\nsuccess_threshold = " + std::to_string(i) + "\n";
}

TEST(reload_under_load, misses_no_breaker_and_shows_nobody_half_a_file) {
  folder here;
  const std::string file = here / "circuits.toml";
  write(file, numbered(1));
  manual_clock clock;
  sg::registry circuits(quiet({.max_breakers = 100'000, .file = file}), clock);
  constexpr int rounds = 60;
  std::atomic<bool> done{false};
  std::atomic<int> mixed{0};
  int missed = 0;
  const auto work = [&](int who) {
    const auto name = [who](int i) { return "breaker " + std::to_string(who) + "." + std::to_string(i); };
    for (int i = 0; !done.load(); ++i) {
      const auto h = circuits.get(name(i));
      h->call([] {});
      const sg::config c = h->configuration();
      if (c.failure_threshold != c.success_threshold) ++mixed;
      circuits.remove(name(i - 500));
    }
  };
  std::thread one(work, 1), two(work, 2);
  for (int i = 2; i <= rounds; ++i) {
    if (i % 2 == 0) {
      replace(file, numbered(i));
    } else {
      write(file, numbered(i));
    }
    EXPECT_TRUE(circuits.reload().empty());
    circuits.for_each([&](sg::circuit_breaker& b) { missed += b.configuration().failure_threshold == i ? 0 : 1; });
  }
  done.store(true);
  one.join();
  two.join();
  EXPECT_EQ(mixed.load(), 0);
  EXPECT_EQ(missed, 0);
  EXPECT_EQ(circuits.metrics().reloads, static_cast<std::uint64_t>(rounds - 1));
}

TEST(reload_under_load, survives_a_writer_who_never_waits) {
  folder here;
  const std::string file = here / "circuits.toml";
  write(file, numbered(1));
  manual_clock clock;
  sg::registry circuits(quiet({.file = file, .watch_file = true}), clock);
  const auto h = circuits.get("a");
  std::thread caller([&] {
    for (int i = 0; i < 20'000; ++i) circuits.call("a", [] {});
  });
  for (int i = 2; i <= 300; ++i) {
    if (i % 3 == 0) {
      replace(file, numbered(i));
    } else {
      write(file, numbered(i));
    }
    if (i % 10 == 0) std::filesystem::remove(file);
  }
  replace(file, numbered(1000));
  until([&] { return h->configuration().failure_threshold == 1000; });
  caller.join();
  EXPECT_EQ(h->snapshot().metrics.successes, 20'000U);
}

TEST(reload_under_load, lets_reloads_of_several_threads_take_turns) {
  folder here;
  const std::string file = here / "circuits.toml";
  write(file, numbered(1));
  manual_clock clock;
  sg::registry circuits(quiet({.file = file}), clock);
  const auto h = circuits.get("a");
  std::thread other([&] {
    for (int i = 0; i < 200; ++i) (void)circuits.reload();
  });
  for (int i = 2; i <= 200; ++i) {
    replace(file, numbered(i));
    (void)circuits.reload();
  }
  other.join();
  EXPECT_TRUE(circuits.reload().empty());
  EXPECT_EQ(h->configuration().failure_threshold, 200);
}

}  // namespace
