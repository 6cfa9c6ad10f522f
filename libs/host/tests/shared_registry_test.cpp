// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <switchgear/host/shared_circuits.hpp>
#include <switchgear/registry.hpp>

#include <sys/wait.h>
#include <unistd.h>

namespace switchgear::host::tests {
namespace {

class shared_registry : public ::testing::Test {
 protected:
  registry_options over(const std::shared_ptr<shared_circuits>& shared) {
    registry_options o;
    o.environment.emplace();
    o.shared = shared;
    return o;
  }
  temporary_folder temporary;
  state_folder folder = state_folder::open_or_create(temporary.path() / "state");
};

TEST_F(shared_registry, of_two_processes_has_the_same_circuits) {
  registry one(over(shared_circuits::open(folder, "shop"))), two(over(shared_circuits::open(folder, "shop")));
  const config c{.failure_threshold = 2};
  const auto here = one.get("payments", c), there = two.get("payments", c);
  here->try_acquire().failure("x");
  there->try_acquire().failure("x");
  EXPECT_TRUE(here->is_open());
  EXPECT_TRUE(there->is_open());
}

TEST_F(shared_registry, is_shared_with_forked_workers_and_survives_them) {
  const auto shared = shared_circuits::open(folder, "shop");
  registry circuits(over(shared));
  const auto b = circuits.get("payments", {.failure_threshold = 3});
  for (int i = 0; i < 3; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      circuits.get("payments")->try_acquire().failure("x");
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
  }
  EXPECT_TRUE(b->is_open());
  EXPECT_EQ(b->snapshot().metrics.failures, 3u);
  EXPECT_EQ(shared->views().at(0).snapshot.state, state::open);
}

}  // namespace
}  // namespace switchgear::host::tests
