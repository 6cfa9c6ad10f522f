// SPDX-License-Identifier: Apache-2.0
// `exec --shared`: commands and servers with one circuit.
#include "process.hpp"

#include <switchgear/host/shared_circuits.hpp>

#include <fstream>
#include <memory>

namespace program_tests {
namespace {

namespace sg = switchgear;

class exec_shared_file : public program_test {
 protected:
  std::shared_ptr<sg::host::shared_circuits> shared() {
    return sg::host::shared_circuits::open(sg::host::state_folder::open_or_create(state()), "shop");
  }
  std::unique_ptr<sg::circuit_breaker> circuit(const sg::config& c = {}) { return shared()->breaker("c", c); }
  outcome shared_exec(const std::string& script, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--shared", "shop"});
    return exec(script, more);
  }
};

TEST_F(exec_shared_file, a_command_counts_in_the_circuit_of_a_server) {
  const auto c = circuit();
  EXPECT_EQ(shared_exec("exit 0").status, 0);
  EXPECT_EQ(shared_exec("exit 3").status, 3);
  const sg::snapshot seen = c->snapshot();
  EXPECT_EQ(seen.metrics.successes, 1u);
  EXPECT_EQ(seen.metrics.failures, 1u);
  EXPECT_EQ(seen.last_failure, "exit status 3");
}

TEST_F(exec_shared_file, a_server_that_finds_the_service_dead_keeps_the_commands_away) {
  const auto c = circuit({.failure_threshold = 1, .open_duration = std::chrono::hours(1)});
  c->try_acquire().failure("connection refused");
  const outcome o = shared_exec("echo ran");
  EXPECT_EQ(o.status, 75);
  EXPECT_EQ(o.out, "");
  EXPECT_TRUE(contains(o.err, "open (1 consecutive failure (threshold 1)), retry after")) << o.err;
}

TEST_F(exec_shared_file, the_command_that_opens_it_tells_so_and_the_server_stays_away) {
  const outcome o = shared_exec("exit 1", {"--failure-threshold", "1", "--open-duration", "1h"});
  EXPECT_TRUE(contains(o.err, "circuit c closed → open: 1 consecutive failure (threshold 1)")) << o.err;
  const auto c = circuit();
  EXPECT_TRUE(c->is_open());
  EXPECT_EQ(c->configuration().open_duration, std::chrono::hours(1));
}

TEST_F(exec_shared_file, options_change_the_configuration_for_all) {
  const auto c = circuit();
  EXPECT_EQ(shared_exec("true", {"--failure-threshold", "9"}).status, 0);
  EXPECT_EQ(shared_exec("false").status, 1);
  c->try_acquire().failure();
  EXPECT_EQ(c->configuration().failure_threshold, 9);
}

TEST_F(exec_shared_file, an_override_says_whose_it_is) {
  circuit()->force_open("migration", "ann");
  const outcome o = shared_exec("true");
  EXPECT_EQ(o.status, 75);
  EXPECT_TRUE(contains(o.err, "forced_open (migration) by ann")) << o.err;
}

TEST_F(exec_shared_file, many_commands_at_once_count_exactly) {
  const auto c = circuit({.failure_threshold = 1000});
  std::vector<process> all;
  for (int i = 0; i < 20; ++i) all.push_back(start_exec(i % 2 == 0 ? "exit 0" : "exit 1", {"--shared", "shop"}));
  for (auto& p : all) EXPECT_LE(p.wait().status, 1);
  EXPECT_EQ(c->snapshot().metrics.successes, 10u);
  EXPECT_EQ(c->snapshot().metrics.failures, 10u);
}

TEST_F(exec_shared_file, operators_act_on_it_and_its_history_shows_them) {
  const auto c = circuit();
  EXPECT_EQ(run({"force-open", "c", "--shared", "shop", "--reason", "audit", "--owner", "anna"}).out,
            "circuit c closed → forced_open: audit\n");
  EXPECT_EQ(c->snapshot().operator_override->owner, "anna");
  EXPECT_TRUE(contains(run({"force-open", "c", "--shared", "shop", "--owner", "bert"}).out, "new owner"));
  EXPECT_EQ(run({"release", "c", "--shared", "shop"}).out, "circuit c forced_open → closed: released by hand\n");
  EXPECT_TRUE(contains(run({"release", "c", "--shared", "shop"}).out, "nothing to do"));
  EXPECT_EQ(run({"trip", "c", "--shared", "shop", "--reason", "disk swap"}).out, "circuit c closed → open: disk swap\n");
  EXPECT_TRUE(contains(run({"history", "c", "--shared", "shop"}).out, "disk swap"));
  EXPECT_TRUE(c->is_open());
}

TEST_F(exec_shared_file, a_circuit_that_is_not_there_is_an_error_that_names_those_that_are) {
  (void)circuit();
  const outcome o = run({"trip", "d", "--shared", "shop"});
  EXPECT_NE(o.status, 0);
  EXPECT_TRUE(contains(o.err, "there is c")) << o.err;
}

TEST_F(exec_shared_file, status_shows_it) {
  (void)circuit();
  const std::string all = run({"status", "--json"}).out;
  EXPECT_TRUE(contains(all, R"("name": "c")") || contains(all, R"("name":"c")")) << all;
}

TEST_F(exec_shared_file, a_damaged_file_is_refused_and_left_as_it_is) {
  (void)circuit();
  const auto file = state() / "shop.circuits";
  { std::fstream(file, std::ios::in | std::ios::out | std::ios::binary) << "nonsense"; }
  const outcome o = shared_exec("echo ran");
  EXPECT_EQ(o.status, 125);
  EXPECT_EQ(o.out, "");
  EXPECT_TRUE(contains(o.err, "shop.circuits")) << o.err;
}

}  // namespace
}  // namespace program_tests
