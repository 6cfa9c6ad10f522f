// SPDX-License-Identifier: Apache-2.0
#include "run_program.hpp"

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using demo_test::running;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

namespace {

std::size_t columns_of(const std::string& line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

void expect_counts_to_add_up(const json& result) {
  for (const char* upstream : {"payments", "search"}) {
    for (const char* who : {"guarded", "unguarded"}) {
      const json& c = result.at("upstreams").at(upstream).at(who);
      const auto count = [&c](const char* name) { return c.at(name).get<int>(); };
      EXPECT_EQ(count("calls"), count("successes") + count("failures") + count("rejections")) << upstream << " " << who;
      EXPECT_GT(c.at("successes"), 0) << upstream << " " << who;
    }
  }
}

// What the threads have counted is what their breakers have counted.
void expect_breakers_to_agree(const json& result) {
  for (std::size_t u = 0; u < 2; ++u) {
    const std::string upstream = u == 0 ? "payments" : "search";
    int successes = 0, failures = 0, rejections = 0;
    for (const json& client : result.at("clients")) {
      const json& breaker = client.at("breakers").at(u);
      EXPECT_EQ(breaker.at("name"), upstream);
      EXPECT_EQ(breaker.at("state"), "closed");
      const json& m = breaker.at("metrics");
      successes += m.at("successes").get<int>();
      failures += m.at("failures").get<int>();
      rejections += m.at("rejections").get<int>();
    }
    const json& counted = result.at("upstreams").at(upstream).at("guarded");
    EXPECT_EQ(counted.at("successes"), successes) << upstream;
    EXPECT_EQ(counted.at("failures"), failures) << upstream;
    EXPECT_EQ(counted.at("rejections"), rejections) << upstream;
  }
}

void expect_every_circuit_to_have_opened_and_recovered(const json& result) {
  ASSERT_THAT(result.at("clients"), SizeIs(2));
  EXPECT_NE(result.at("clients")[0].at("pid"), result.at("clients")[1].at("pid"));
  for (const json& client : result.at("clients")) {
    EXPECT_GT(client.at("opened_at"), result.at("killed_at"));
    EXPECT_LT(client.at("opened_at"), result.at("restarted_at"));
    EXPECT_GT(client.at("recovered_at"), client.at("opened_at"));
    std::vector<std::string> steps;
    for (const json& t : client.at("transitions")) {
      if (t.at("upstream") != "payments") continue;
      steps.push_back(t.at("from").get<std::string>() + ">" + t.at("to").get<std::string>());
    }
    ASSERT_GE(steps.size(), 3u);
    EXPECT_EQ(steps.front(), "closed>open");
    EXPECT_EQ(steps[1], "open>half_open");
    EXPECT_EQ(steps.back(), "half_open>closed");
  }
}

TEST(demo, shows_with_real_processes_that_circuits_open_reject_quickly_and_recover) {
  running demo({"demo", "--seconds", "5", "--json"});
  const auto end = demo.wait();
  EXPECT_THAT(demo.left_behind(), IsEmpty());
  ASSERT_EQ(end.status, 0) << demo.errors();

  const json result = json::parse(demo.output());
  EXPECT_EQ(result.at("ok"), true);
  EXPECT_EQ(result.at("problems"), json::array());
  EXPECT_EQ(result.at("seconds"), 5);
  expect_every_circuit_to_have_opened_and_recovered(result);
  expect_counts_to_add_up(result);
  expect_breakers_to_agree(result);

  const json& payments = result.at("upstreams").at("payments");
  EXPECT_GE(payments.at("guarded").at("failures"), 2 * 5);
  EXPECT_GT(payments.at("guarded").at("rejections"), 0);
  EXPECT_EQ(payments.at("unguarded").at("rejections"), 0);
  EXPECT_GT(payments.at("unguarded").at("failures"), payments.at("guarded").at("failures"));
  EXPECT_GT(result.at("seconds_not_wasted"), 0.0);
  EXPECT_GT(result.at("rejection_ns").at("median"), 0);
  EXPECT_LT(result.at("rejection_ns").at("median"), result.at("unguarded_failure_ns").at("median").get<double>() / 20);

  const std::string progress = demo.errors();
  EXPECT_THAT(progress, AllOf(HasSubstr("kill -9"),
                              HasSubstr("circuit payments closed → open: 5 consecutive failures (threshold 5)"),
                              HasSubstr("rejected in"), HasSubstr("open → half_open"), HasSubstr("half_open → closed"),
                              HasSubstr("time not wasted"), HasSubstr("Every circuit opened and recovered.")));
  EXPECT_THAT(progress, Not(HasSubstr("\x1b"))) << "colours are for terminals";
  std::istringstream lines(progress);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(columns_of(line), 80u) << line;
}

TEST(demo, leaves_no_process_behind_whenever_ctrl_c_comes) {
  for (const auto moment : {0ms, 10ms, 20ms, 30ms, 50ms, 80ms, 150ms, 500ms, 1200ms, 2000ms}) {
    running demo({"demo", "--seconds", "5"});
    std::this_thread::sleep_for(moment);
    demo.signal_group(SIGINT);
    const auto end = demo.wait();
    EXPECT_THAT(demo.left_behind(), IsEmpty()) << "after " << moment.count() << " ms";
    // In its very first moments it has started nothing yet, and the signal simply ends it.
    EXPECT_TRUE(end.status == 130 || (end.signal == SIGINT && moment < 500ms))
        << "after " << moment.count() << " ms: status " << end.status << ", signal " << end.signal << "\n"
        << demo.errors();
  }
}

TEST(demo, ends_at_a_signal_to_itself_alone) {
  for (const auto& [signal, status] : {std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}, std::pair{SIGHUP, 129}}) {
    running demo({"demo", "--seconds", "5"});
    ASSERT_THAT(demo.wait_for_members("demo-client", 2), SizeIs(2));
    std::this_thread::sleep_for(300ms);
    demo.signal(signal);
    EXPECT_EQ(demo.wait().status, status);
    EXPECT_THAT(demo.left_behind(), IsEmpty());
    EXPECT_THAT(demo.output(), HasSubstr("Interrupted"));
  }
}

TEST(demo, leaves_no_process_behind_when_it_is_killed_itself) {
  for (const auto moment : {5ms, 15ms, 25ms, 40ms, 60ms, 100ms, 500ms, 1200ms, 2000ms}) {
    running demo({"demo", "--seconds", "5"});
    std::this_thread::sleep_for(moment);
    demo.signal(SIGKILL);
    EXPECT_EQ(demo.wait().signal, SIGKILL);
    EXPECT_THAT(demo.left_behind(), IsEmpty()) << "after " << moment.count() << " ms";
  }
}

TEST(demo, fails_and_leaves_no_process_behind_when_a_client_dies) {
  running demo({"demo", "--seconds", "5"});
  const std::vector<pid_t> clients = demo.wait_for_members("demo-client", 2);
  ASSERT_THAT(clients, SizeIs(2));
  ::kill(clients.front(), SIGKILL);
  EXPECT_EQ(demo.wait().status, 1);
  EXPECT_THAT(demo.left_behind(), IsEmpty());
  EXPECT_THAT(demo.errors(), HasSubstr("ended before its time: signal 9"));
}

TEST(demo, explains_itself_and_hides_the_commands_of_its_children) {
  running help({"demo", "--help"});
  EXPECT_EQ(help.wait().status, 0);
  EXPECT_THAT(help.output(), AllOf(HasSubstr("--seconds"), HasSubstr("--json"), HasSubstr("Exit status")));
  running all({"--help"});
  EXPECT_EQ(all.wait().status, 0);
  EXPECT_THAT(all.output(), AllOf(HasSubstr("demo"), Not(HasSubstr("demo-client")), Not(HasSubstr("demo-upstream"))));
}

TEST(demo, refuses_a_time_that_is_too_short_to_show_anything) {
  for (const char* seconds : {"4", "0", "-5", "3601", "soon"}) {
    running demo({"demo", "--seconds", seconds});
    const auto end = demo.wait();
    EXPECT_GT(end.status, 0) << seconds;
    EXPECT_THAT(demo.output() + demo.errors(), HasSubstr("--seconds")) << seconds;
  }
}

}  // namespace
