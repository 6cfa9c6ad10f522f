// SPDX-License-Identifier: Apache-2.0
#include "shared_fixture.hpp"

#include <csignal>
#include <fcntl.h>

namespace switchgear::host::tests {
namespace {

class shared_removal : public shared_tests {
 protected:
  /// A process that has a breaker on the circuit and does nothing more.
  pid_t start_holder(circuit_breaker&) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      (void)!::write(ready[1], "x", 1);
      for (;;) ::pause();
    }
    char c = 0;
    EXPECT_EQ(::read(ready[0], &c, 1), 1);
    ::close(ready[0]);
    ::close(ready[1]);
    return child;
  }
  static void end(pid_t child) {
    ::kill(child, SIGKILL);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
  }
  /// Another who has the lock of the table.
  class lock_holder {
   public:
    explicit lock_holder(const std::filesystem::path& path) : fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
      struct flock l{};
      l.l_type = F_WRLCK;
      l.l_whence = SEEK_SET;
      l.l_len = 1;
      EXPECT_EQ(::fcntl(fd_, F_OFD_SETLK, &l), 0);
    }
    ~lock_holder() { ::close(fd_); }

   private:
    int fd_;
  };
};

TEST_F(shared_removal, takes_the_name_out_and_it_can_be_used_anew) {
  const auto shared = open();
  EXPECT_FALSE(shared->remove("payments"));
  {
    const auto b = breaker(*shared);
    fail(*b, 2);
  }
  EXPECT_TRUE(shared->remove("payments"));
  EXPECT_TRUE(shared->names().empty());
  EXPECT_EQ(shared->find("payments"), nullptr);
  const auto b = breaker(*shared);
  EXPECT_TRUE(b->is_closed());
  EXPECT_EQ(b->snapshot().metrics.failures, 0u);
  EXPECT_TRUE(b->history().empty());
  EXPECT_EQ(b->snapshot().last_failure, "");
}

TEST_F(shared_removal, leaves_those_who_use_it_at_work_and_refuses_the_name_until_they_are_gone) {
  const auto one = open(), two = open();
  auto here = breaker(*one);
  auto again = breaker(*one);
  EXPECT_TRUE(two->remove("payments"));
  fail(*here, 2);
  EXPECT_TRUE(again->is_open());
  const state_error e = error_of([&] { breaker(*two); });
  EXPECT_EQ(e.what_kind(), state_error::kind::busy);
  EXPECT_NE(std::string(e.what()).find("process " + std::to_string(::getpid())), std::string::npos) << e.what();
  here.reset();
  EXPECT_THROW(breaker(*two), state_error);
  again.reset();
  EXPECT_TRUE(breaker(*two)->is_closed());
}

TEST_F(shared_removal, the_place_of_one_that_a_dead_process_used_is_used_again) {
  const auto shared = open({.max_circuits = 1, .max_processes = 3, .lanes_per_process = 1});
  auto b = breaker(*shared);
  const pid_t child = start_holder(*b);
  b.reset();
  EXPECT_TRUE(shared->remove("payments"));
  EXPECT_EQ(error_of([&] { breaker(*shared); }).what_kind(), state_error::kind::busy);
  EXPECT_EQ(error_of([&] { breaker(*shared, "other"); }).what_kind(), state_error::kind::full);
  end(child);
  EXPECT_NO_THROW(breaker(*shared, "other"));
}

TEST_F(shared_removal, a_child_without_a_place_still_keeps_what_its_parent_mapped) {
  const auto shared = open({.max_circuits = 1, .max_processes = 2, .lanes_per_process = 1});
  const auto other = open();
  auto b = breaker(*shared);
  const pid_t child = start_holder(*b);
  b.reset();
  EXPECT_TRUE(other->remove("payments"));
  EXPECT_EQ(error_of([&] { breaker(*other, "more"); }).what_kind(), state_error::kind::full);
  end(child);
}

TEST_F(shared_removal, a_circuit_whose_maker_was_killed_half_way_is_made_by_the_next) {
  const auto shared = open();
  const auto raw = open_raw();
  raw->entry(0).is.store(place_word::make(place_state::making, 7).bits);
  raw->take_room_of(0, 0, raw->places().record_bytes());
  for (std::uint64_t at = 0; at < 4096; at += 8) *reinterpret_cast<std::uint64_t*>(raw->record(0).base + at) = ~at;
  EXPECT_TRUE(shared->names().empty());
  EXPECT_EQ(shared->find("payments"), nullptr);
  const auto b = breaker(*shared);
  EXPECT_TRUE(b->is_closed());
  EXPECT_EQ(place_word{raw->entry(0).is.load()}.incarnation(), 8u);
  EXPECT_EQ(b->snapshot().metrics.failures, 0u);
}

TEST_F(shared_removal, whoever_cannot_have_the_lock_is_told_so_after_a_second_and_calls_do_not_need_it) {
  const auto shared = open();
  const auto b = breaker(*shared);
  const lock_holder other(path());
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(error_of([&] { breaker(*shared, "new"); }).what_kind(), state_error::kind::busy);
  const auto waited = std::chrono::steady_clock::now() - before;
  EXPECT_GE(waited, 900ms);
  EXPECT_LT(waited, 5s);
  EXPECT_EQ(error_of([&] { shared->remove("payments"); }).what_kind(), state_error::kind::busy);
  EXPECT_THROW(b->reconfigure([](config& c) { c.failure_threshold = 9; }), state_error);
  EXPECT_NO_THROW(breaker(*shared));  // one that is there
  EXPECT_NO_THROW(open());
  fail(*b, 2);
  EXPECT_TRUE(b->is_open());
  EXPECT_EQ(shared->views().size(), 1u);
}

TEST_F(shared_removal, a_reconfiguration_whose_process_died_before_its_last_step_is_finished_by_the_next_to_come) {
  const auto shared = open();
  const config c{.failure_threshold = 5, .window = calls(3)};
  const auto b = breaker(*shared, "payments", c);
  succeed(*b, 20);
  const auto raw = open_raw();
  const record_view r = raw->record(0);
  ASSERT_TRUE(machine::state_word{r.block().word.load()}.clean());
  config next = c;
  next.enabled = false;
  r.write_configuration({.configuration = stored_config::of(next, 1), .area = 0});
  r.block().epoch.store(1);  // killed here
  EXPECT_EQ(shared->views().at(0).configuration.enabled, false);
  breaker(*shared);
  EXPECT_FALSE(machine::state_word{r.block().word.load()}.clean());
  b->call([] {});
  EXPECT_EQ(b->state(), state::disabled);
}

TEST_F(shared_removal, a_configuration_that_was_never_put_in_force_is_written_over) {
  const auto shared = open();
  const auto b = breaker(*shared);
  const auto raw = open_raw();
  raw->record(0).fixed().pages[1].words[0].store(~std::uint64_t{0});  // killed while writing the next one
  EXPECT_EQ(b->configuration(), two_failures());
  EXPECT_TRUE(b->reconfigure([](config& c) { c.failure_threshold = 4; }).empty());
  EXPECT_EQ(shared->views().at(0).configuration.failure_threshold, 4);
}

TEST_F(shared_removal, a_window_that_was_written_to_as_one_of_another_shape_is_set_right_by_the_next_to_come) {
  const auto shared = open();
  const auto counted = breaker(*shared, "counted", {.window = calls(3)});
  const auto timed = breaker(*shared, "timed", {.window = last(1s), .failure_count_threshold = 3});
  const auto raw = open_raw();
  raw->record(0).window(0)[0].store(5000);
  for (int i = 0; i < 10; ++i) raw->record(1).window(0)[3 * i].store(std::uint64_t{1} << 40);  // buckets of a far future
  fail(*timed, 2);
  EXPECT_EQ(timed->snapshot().window.calls, 0u);
  breaker(*shared, "counted");
  breaker(*shared, "timed");
  fail(*counted, 2);
  EXPECT_EQ(counted->snapshot().window.calls, 2u);
  fail(*timed, 1);
  EXPECT_EQ(timed->snapshot().window.calls, 1u);
}

}  // namespace
}  // namespace switchgear::host::tests
