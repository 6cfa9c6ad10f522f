// SPDX-License-Identifier: Apache-2.0
#include "shared_check.hpp"
#include "shared_fixture.hpp"

#include <csignal>
#include <iostream>
#include <random>
#include <sys/prctl.h>
#include <thread>

namespace switchgear::host::tests {
namespace {

using steady = std::chrono::steady_clock;

class worker {
 public:
  worker(const std::filesystem::path& folder, std::uint32_t seed) {
    const std::string number = std::to_string(seed);
    pid_ = ::fork();
    if (pid_ == 0) {
      const std::string truth = folder / "truth";
      ::execl(SWITCHGEAR_SHARED_WORKER, SWITCHGEAR_SHARED_WORKER, folder.c_str(), "shop", number.c_str(), truth.c_str(), nullptr);
      ::_exit(99);
    }
  }
  worker(worker&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  worker& operator=(worker&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~worker() {
    if (pid_ > 0) (void)kill();
  }
  void signal(int s) const { ::kill(pid_, s); }
  /// True when it was still at work.
  [[nodiscard]] bool kill() {
    ::kill(pid_, SIGCONT);
    ::kill(pid_, SIGKILL);
    int status = 0;
    const bool reaped = ::waitpid(std::exchange(pid_, -1), &status, 0) > 0;
    if (reaped && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return true;
    ADD_FAILURE() << "a worker ended by itself, status " << status;
    return false;
  }

 private:
  pid_t pid_ = -1;
};

class shared_kill : public ::testing::Test {
 protected:
  void SetUp() override {
    shared = shared_circuits::open(folder, "shop");
    file = shared_file::open(folder, shared_file_name_of("shop"), nullptr, read_steady_host_clock);
    std::ofstream(folder.path() / "truth", std::ios::binary) << std::string(4096, '\0');
    own = shared->breaker("own", {.failure_threshold = 1'000'000});
  }
  void start(int n) {
    for (int i = 0; i < n; ++i) workers.emplace_back(folder.path(), ++seed);
  }
  void expect_well(bool quiet = false) {
    for (const std::string& wrong : checker.look(*file, quiet)) ADD_FAILURE() << wrong;
  }
  /// What the workers have counted themselves.
  [[nodiscard]] std::uint64_t truth() const {
    std::uint64_t out = 0;
    std::ifstream(folder.path() / "truth", std::ios::binary).read(reinterpret_cast<char*>(&out), sizeof out);
    return out;
  }
  /// A call, and all that looks at circuits, wait for nobody.
  void expect_no_waiting() {
    const auto before = steady::now();
    own->try_acquire().success();
    if (const auto b = shared->find("circuit 0")) {
      if (permit p = b->try_acquire()) p.success();
      (void)b->snapshot();
    }
    (void)shared->views();
    slowest = std::max<steady::duration>(slowest, steady::now() - before);
  }

  temporary_folder temporary;
  state_folder folder = state_folder::open_or_create(temporary.path() / "state");
  std::shared_ptr<shared_circuits> shared;
  std::shared_ptr<shared_file> file;
  std::unique_ptr<circuit_breaker> own;
  shared_checker checker;
  std::vector<worker> workers;
  std::uint32_t seed = 1;
  std::mt19937 random{20'240'601};
  steady::duration slowest{0};
};

TEST_F(shared_kill, hundreds_of_processes_killed_anywhere_leave_circuits_that_the_others_go_on_with) {
  start(4);
  int kills = 0;
  while (kills < 320 && !HasFailure()) {
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    const std::size_t who = random() % workers.size();
    ASSERT_TRUE(workers[who].kill());
    ++kills;
    expect_well();
    expect_no_waiting();
    workers[who] = worker(folder.path(), ++seed);
  }
  EXPECT_LT(slowest, 5s);
  for (worker& w : workers) EXPECT_TRUE(w.kill());
  workers.clear();
  // A child that a killed worker has forked may still be at its last calls.
  const auto end = steady::now() + 10s;
  while (shared->processes() > 2 && steady::now() < end) std::this_thread::sleep_for(10ms);
  ASSERT_EQ(shared->processes(), 2u);
  expect_well(true);

  // Whatever they left, probes of the dead included, comes to an end by time, and the circuits close.
  for (int i = 0; i < 5; ++i) {
    const auto b = shared->find("circuit " + std::to_string(i));
    ASSERT_NE(b, nullptr);
    const auto limit = steady::now() + 10s;
    while (!b->is_closed() && steady::now() < limit) {
      if (permit p = b->try_acquire()) p.success();
      std::this_thread::sleep_for(1ms);
    }
    EXPECT_TRUE(b->is_closed()) << b->name();
    EXPECT_GT(b->snapshot().metrics.total_calls(), 1000u);
    EXPECT_GT(b->snapshot().generation, 10u);
  }
  expect_well(true);
  // Nothing that was counted is missing. A thread that was killed between the two counts, of three and of a forked child, has
  // counted here and not there.
  const std::uint64_t counted = shared->find("counted")->snapshot().metrics.successes;
  EXPECT_GE(counted, truth());
  EXPECT_LE(counted, truth() + 4 * (static_cast<std::uint64_t>(kills) + 4));
  EXPECT_GT(counted, 100'000u);
  const auto& seen = checker.seen();
  std::cout << kills << " kills, " << counted << " calls counted, " << seen.circuits << " looks at circuits, " << seen.generations
            << " transitions, " << seen.probes << " probes and " << seen.overrides << " overrides seen, " << seen.torn
            << " torn entries passed over, slowest look "
            << std::chrono::duration_cast<std::chrono::microseconds>(slowest).count() << " us\n";
  EXPECT_GT(seen.generations, 1000u);
  EXPECT_GT(seen.probes, 0u);
}

TEST_F(shared_kill, all_killed_at_once_again_and_again_leave_a_file_that_opens) {
  for (int round = 0; round < 25 && !HasFailure(); ++round) {
    start(4);
    std::this_thread::sleep_for(std::chrono::microseconds(10'000 + random() % 40'000));
    for (const worker& w : workers) w.signal(SIGKILL);
    for (worker& w : workers) ASSERT_TRUE(w.kill());
    workers.clear();
    expect_well();
    expect_no_waiting();
    EXPECT_NO_THROW((void)shared_file::open(folder, shared_file_name_of("shop"), nullptr, read_steady_host_clock));
    EXPECT_TRUE(read_shared_circuits(folder, shared_file_name_of("shop")).problems.empty());
  }
}

TEST_F(shared_kill, a_stopped_process_holds_nobody_up) {
  start(3);
  for (int round = 0; round < 40 && !HasFailure(); ++round) {
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    const worker& stopped = workers[random() % workers.size()];
    stopped.signal(SIGSTOP);
    std::this_thread::sleep_for(5ms);
    const std::uint64_t before = own->snapshot().metrics.successes;
    for (int i = 0; i < 20; ++i) {
      expect_well();
      expect_no_waiting();
    }
    EXPECT_EQ(own->snapshot().metrics.successes, before + 20);
    stopped.signal(SIGCONT);
  }
  EXPECT_LT(slowest, 2s);
}

TEST_F(shared_kill, the_probe_of_a_killed_process_comes_free_when_its_lease_ends) {
  const config c{.failure_threshold = 1, .open_duration = 1ms, .success_threshold = 1, .probe_timeout = 300ms};
  const auto b = shared->breaker("payments", c);
  b->try_acquire().failure("x");
  EXPECT_EQ(in_child([&] {
              for (;;) {
                permit p = b->try_acquire();
                if (p) ::kill(::getpid(), SIGKILL);
              }
              return 0;
            }),
            -SIGKILL);
  EXPECT_EQ(b->snapshot().probes_in_flight, 1u);
  EXPECT_FALSE(b->try_acquire());
  const auto limit = steady::now() + 10s;
  permit next;
  while (!next && steady::now() < limit) {
    next = b->try_acquire();
    if (!next) std::this_thread::sleep_for(1ms);
  }
  ASSERT_TRUE(next);
  next.success();
  EXPECT_TRUE(b->is_closed());
  EXPECT_EQ(b->snapshot().metrics.expired_probes, 1u);
}

}  // namespace
}  // namespace switchgear::host::tests
