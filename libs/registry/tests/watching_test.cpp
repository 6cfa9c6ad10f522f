// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <atomic>
#include <optional>
#include <stdexcept>

namespace {

using namespace registries;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view three = "[defaults]\nfailure_threshold = 3\n";
constexpr std::string_view four = "[defaults]\nfailure_threshold = 4\n";
constexpr std::string_view five = "[defaults]\nfailure_threshold = 5\n";

struct watching : testing::Test {
  folder here;
  manual_clock clock;
  std::string file = here / "circuits.toml";
  std::optional<sg::registry> circuits;
  sg::breaker_handle h;

  void start(sg::registry_options options = {}) {
    if (!std::filesystem::exists(file)) write(file, three);
    options.file = file;
    options.watch_file = true;
    circuits.emplace(quiet(std::move(options)), clock);
    h = circuits->get("a");
    EXPECT_EQ(h->configuration().failure_threshold, 3);
  }
  void expect_soon(std::int64_t threshold) {
    until([&] { return h->configuration().failure_threshold == threshold; });
  }
};

TEST_F(watching, takes_up_a_file_that_is_renamed_over_it) {
  start();
  replace(file, four);
  expect_soon(4);
  replace(file, five);
  expect_soon(5);
}

TEST_F(watching, takes_up_a_file_that_is_written_in_place) {
  start();
  write(file, four);
  expect_soon(4);
}

TEST_F(watching, takes_up_a_file_that_was_gone_for_a_while) {
  start();
  std::filesystem::rename(file, file + "~");
  write(file, four);
  expect_soon(4);
}

TEST_F(watching, takes_up_what_comes_behind_a_symbolic_link) {
  // As Kubernetes mounts configurations: circuits.toml -> data/circuits.toml, and data is a link that is replaced.
  std::filesystem::create_directory(here / "one");
  std::filesystem::create_directory(here / "two");
  write(here / "one/circuits.toml", three);
  write(here / "two/circuits.toml", four);
  std::filesystem::create_symlink("one", here / "data");
  std::filesystem::create_symlink("data/circuits.toml", file);
  start();
  std::filesystem::create_symlink("two", here / "data.new");
  std::filesystem::rename(here / "data.new", here / "data");
  expect_soon(4);
}

TEST_F(watching, refuses_a_bad_file_and_takes_up_the_next_good_one) {
  std::atomic<int> refusals{0};
  start({.on_report = [&](const sg::registry_report& r) {
    if (r.kind == sg::registry_report_kind::file_refused) ++refusals;
  }});
  replace(file, "junk");
  until([&] { return refusals.load() > 0; });
  EXPECT_EQ(h->configuration().failure_threshold, 3);
  replace(file, four);
  expect_soon(4);
  circuits.reset();  // before what its callbacks use
}

TEST_F(watching, is_not_disturbed_by_other_files_of_the_folder) {
  start();
  for (int i = 0; i < 100; ++i) write(here / "other" + std::to_string(i), "junk");
  replace(file, four);
  expect_soon(4);
  EXPECT_THAT(circuits->reports(), IsEmpty());
}

TEST_F(watching, ends_at_once_with_the_registry) {
  for (int i = 0; i < 50; ++i) {
    replace(file, three);
    start();
    if (i % 2 == 0) replace(file, four);
    circuits.reset();
  }
}

TEST_F(watching, reports_what_taking_a_file_up_throws_and_takes_up_the_next_one) {
  std::atomic<bool> throws{false};
  std::atomic<int> refusals{0};
  start({.read_variable = [&](std::string_view) -> std::optional<std::string> {
           if (throws.load()) throw std::runtime_error("no variables today");
           return std::nullopt;
         },
         .on_report = [&](const sg::registry_report& r) {
           if (r.kind == sg::registry_report_kind::file_refused) ++refusals;
         }});
  throws.store(true);
  replace(file, four);
  until([&] { return refusals.load() > 0; });
  EXPECT_THAT(circuits->reports().back().message, testing::HasSubstr("no variables today"));
  throws.store(false);
  replace(file, five);
  expect_soon(5);
  circuits.reset();  // before what its callbacks use
}

TEST_F(watching, leaves_no_timer_behind_when_there_is_neither_folder_nor_file) {
  const sg::registry_options options = quiet({.file = here / "none/circuits.toml", .watch_file = true});
  EXPECT_THAT(refused([&] { sg::registry r(options, clock); }), SizeIs(1));
  EXPECT_EQ(clock.timers(), 0U);
}

}  // namespace
