// SPDX-License-Identifier: Apache-2.0
//
// shared_worker FOLDER NAME SEED TRUTH: uses the circuits of that file as hard and as differently as it can until it is killed.
// Ends by itself only when something is wrong: 7, an operation took too long; 8, one threw what it must not. TRUTH is a file
// of one word, in which every success of the circuit "counted" is counted once more, after it was.
#include <switchgear/host/shared_circuits.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <memory>
#include <random>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <csignal>

#include "under_sanitizer.hpp"

namespace sg = switchgear;
using switchgear::host::tests::under_sanitizer;
using namespace std::chrono_literals;

namespace {

/// Nothing that a call does waits for another process; this is for a host that has other things to do.
constexpr auto longest = 5s;

std::atomic<std::uint64_t>* truth = nullptr;

struct circuits {
  std::unique_ptr<sg::circuit_breaker> counted;
  std::shared_ptr<sg::host::shared_circuits> shared;
  std::vector<std::unique_ptr<sg::circuit_breaker>> breakers;
};

std::vector<sg::config> configurations() {
  const sg::config base{.failure_threshold = 3, .open_duration = 1ms, .half_open_max_calls = 2, .probe_timeout = 5ms};
  sg::config timed = base, rate = base, probing = base, quick = base;
  timed.window = sg::last(200ms);
  timed.failure_count_threshold = 20;
  rate.failure_threshold = 0;
  rate.window = sg::calls(50);
  rate.failure_rate_threshold = 0.6;
  rate.slow_call_duration = 50us;
  probing.failure_threshold = 1;
  probing.half_open_max_calls = 5;
  probing.success_threshold = 4;
  quick.window = sg::calls(4);
  return {base, timed, rate, probing, quick};
}

class user {
 public:
  user(circuits& of, std::uint32_t seed) : of_(of), random_(seed) {}

  void call() {
    of_.counted->call([] {});
    truth->fetch_add(1);
    sg::circuit_breaker& b = *of_.breakers[next(of_.breakers.size())];
    sg::permit p = b.try_acquire();
    if (!p) return;
    switch (next(10)) {
      case 0:
      case 1:
      case 2: p.failure("the dependency said no"); break;
      case 3: p.ignore(); break;
      case 4: kept_.push_back(std::move(p)); break;
      case 5:
        std::this_thread::sleep_for(100us);
        p.success();
        break;
      default: p.success(); break;
    }
    if (kept_.size() > 4) {
      next(2) == 0 ? kept_.front().failure("late") : kept_.front().success();
      kept_.erase(kept_.begin());
    }
  }

  void operate() {
    sg::circuit_breaker& b = *of_.breakers[next(of_.breakers.size())];
    switch (next(9)) {
      case 0: b.trip("by hand"); break;
      case 1: b.force_open("a reason that is a little longer", "somebody", 1ms); break;
      case 2: b.disable("noise", "somebody else", 500us); break;
      case 3: b.release("enough"); break;
      case 4: b.reset("again"); break;
      case 5: {
        static const auto all = configurations();
        b.reconfigure(all[next(all.size())]);
        break;
      }
      case 6: {
        const std::string name = "passing " + std::to_string(next(3));
        const auto passing = of_.shared->breaker(name, {.failure_threshold = 1});
        for (int i = 0; i < 20; ++i) passing->try_acquire().failure("x");
        if (next(2) == 0) of_.shared->remove(name);
        break;
      }
      case 7: (void)b.snapshot(); break;
      default: fork_one(); break;
    }
  }

 private:
  void fork_one() {
    if (under_sanitizer) return;
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody is left behind
      if (::getppid() != parent) ::_exit(0);
      for (int i = 0; i < 50; ++i) call();
      ::_exit(0);
    }
    if (child > 0) ::waitpid(child, nullptr, 0);
  }
  std::size_t next(std::size_t n) { return random_() % n; }

  circuits& of_;
  std::minstd_rand random_;
  std::vector<sg::permit> kept_;
};

template <class F>
void within_time(F f) {
  const auto before = std::chrono::steady_clock::now();
  try {
    f();
  } catch (const sg::host::state_error& e) {
    using kind = sg::host::state_error::kind;
    if (e.what_kind() != kind::busy && e.what_kind() != kind::full) {
      std::fprintf(stderr, "worker: %s\n", e.what());
      ::_exit(8);
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "worker: %s\n", e.what());
    ::_exit(8);
  }
  if (std::chrono::steady_clock::now() - before > longest) ::_exit(7);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto seed = static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10));
  const int fd = ::open(argv[4], O_RDWR | O_CLOEXEC);
  void* const mapped = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) return 3;
  truth = static_cast<std::atomic<std::uint64_t>*>(mapped);
  circuits all;
  within_time([&] {
    const auto folder = sg::host::state_folder::open(argv[1]);
    all.shared = sg::host::shared_circuits::open(folder, argv[2]);
  });
  within_time([&] { all.counted = all.shared->breaker("counted"); });
  const auto configured = configurations();
  while (all.breakers.size() < configured.size()) {
    const std::string name = "circuit " + std::to_string(all.breakers.size());
    within_time([&] { all.breakers.push_back(all.shared->breaker(name, configured[all.breakers.size()])); });
  }
  std::vector<std::thread> callers;
  for (std::uint32_t t = 1; t <= 2; ++t) {
    callers.emplace_back([&all, seed, t] {
      user u(all, seed + 7919 * t);
      for (;;) within_time([&] { u.call(); });
    });
  }
  user u(all, seed);
  for (;;) {
    for (int i = 0; i < 30; ++i) within_time([&] { u.call(); });
    within_time([&] { u.operate(); });
  }
}
