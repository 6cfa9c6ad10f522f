// SPDX-License-Identifier: Apache-2.0
#include "../fleet/store.hpp"
#include "run_program.hpp"

#include <switchgear/bus_url.hpp>
#include <switchgear/redis/connection.hpp>
#include <switchgear/redis/options.hpp>

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using demo_test::running;
using nlohmann::json;
using switchgear::demo::fleet::store;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

namespace {

// Each round, whatever was done to Redis in it.
void expect_a_good_round(const json& r) {
  SCOPED_TRACE(r.dump());
  EXPECT_EQ(r.at("opened"), 4) << "every circuit opened";
  EXPECT_TRUE(r.at("whole_after_ns").is_number()) << "and recovered";
  EXPECT_LE(r.at("most_fleet_probes"), 2);
  EXPECT_LE(r.at("most_local_probes_of_one"), 2);
  EXPECT_GT(r.at("fleet_probes").get<int>() + r.at("local_probes").get<int>(), 0);
  EXPECT_GT(r.at("latency").at("count"), 0);
  if (r.at("fault") != "none") {
    EXPECT_TRUE(r.at("injected_after_ns").is_number());
    EXPECT_TRUE(r.at("fault_lasted_ns").is_number());
  }
}

TEST(demo_fleet, never_sends_more_probes_than_allowed_and_agrees_after_every_fault) {
  running demo({"demo", "--fleet", "--processes", "4", "--rounds", "10", "--json"});
  const auto end = demo.wait();
  EXPECT_THAT(demo.left_behind(), IsEmpty());
  ASSERT_EQ(end.status, 0) << demo.errors();

  const json result = json::parse(demo.output());
  EXPECT_EQ(result.at("ok"), true);
  EXPECT_EQ(result.at("problems"), json::array());
  EXPECT_EQ(result.at("processes"), 4);
  ASSERT_THAT(result.at("rounds"), SizeIs(10));
  std::set<std::string> faults, phases;
  for (const json& r : result.at("rounds")) {
    expect_a_good_round(r);
    faults.insert(r.at("fault"));
    if (r.at("fault") != "none") phases.insert(r.at("phase").get<std::string>());
  }
  // Without the rights for a network namespace it says so, and does the rest.
  const std::size_t skipped = result.at("skipped").size();
  EXPECT_EQ(faults.size(), 6 - skipped);
  EXPECT_GE(phases.size(), 5 - skipped);

  const json& probes = result.at("probes");
  EXPECT_GT(probes.at("fleet"), 0);
  EXPECT_GT(probes.at("local"), 0) << "while there is no store, each instance recovers alone";
  EXPECT_LE(probes.at("most_fleet"), 2);
  EXPECT_EQ(result.at("propagation").at("quiet").at("count").get<int>() +
                result.at("propagation").at("disturbed").at("count").get<int>(),
            10 * 3);
  EXPECT_GT(result.at("instances").at("leases_granted"), 0);
  EXPECT_GT(result.at("instances").at("link_losses"), 0);
  EXPECT_GT(result.at("instances").at("restores"), 0);

  const std::string account = demo.errors();
  EXPECT_THAT(account, AllOf(HasSubstr("kill -9"), HasSubstr("kill -STOP"), HasSubstr("forgotten everything"),
                             HasSubstr("what it had saved"), HasSubstr("Never more probes than allowed")));
}

TEST(demo_fleet, leaves_alone_what_others_have_in_their_redis) {
  store others;
  others.start();
  auto asking = switchgear::redis::connection::open(switchgear::redis::options_of(switchgear::parse_bus_url(others.url())));
  (void)asking.command({"SET", "theirs", "1"});
  running demo({"demo", "--fleet", others.url(), "--processes", "2", "--rounds", "2", "--json"});
  EXPECT_EQ(demo.wait().status, 0) << demo.errors();
  EXPECT_THAT(demo.left_behind(), IsEmpty());
  const json result = json::parse(demo.output());
  EXPECT_THAT(result.at("skipped"), SizeIs(4)) << "all but flush";
  EXPECT_EQ(result.at("rounds").at(1).at("fault"), "flush");
  EXPECT_EQ(result.at("store"), "redis://127.0.0.1:" + std::to_string(others.port()) + "/0") << "without the password";
  EXPECT_EQ(asking.command({"GET", "theirs"}).text, "1");
  EXPECT_EQ(asking.command({"DBSIZE"}).integer, 1) << "nothing of the fleet is left";
}

TEST(demo_fleet, says_so_when_there_is_no_redis) {
  running demo({"demo", "--fleet", "redis://127.0.0.1:1/0", "--processes", "2"});
  EXPECT_EQ(demo.wait().status, 1);
  EXPECT_THAT(demo.left_behind(), IsEmpty());
  EXPECT_THAT(demo.errors(), HasSubstr("127.0.0.1:1"));
}

TEST(demo_fleet, leaves_no_process_behind_whenever_ctrl_c_comes) {
  for (const auto moment : {0ms, 30ms, 80ms, 150ms, 300ms, 700ms, 1500ms}) {
    running demo({"demo", "--fleet", "--processes", "3"});
    std::this_thread::sleep_for(moment);
    demo.signal_group(SIGINT);
    const auto end = demo.wait();
    // Before it is ready for a signal it may die of it.
    EXPECT_TRUE(end.status == 130 || end.signal == SIGINT) << moment.count() << " ms: " << end.status << demo.errors();
    EXPECT_THAT(demo.left_behind(), IsEmpty()) << "after " << moment.count() << " ms";
  }
}

TEST(demo_fleet, leaves_no_process_behind_when_it_is_killed) {
  for (const auto moment : {100ms, 400ms, 1500ms}) {
    running demo({"demo", "--fleet", "--processes", "3"});
    std::this_thread::sleep_for(moment);
    demo.signal(SIGKILL);
    EXPECT_EQ(demo.wait().signal, SIGKILL);
    EXPECT_THAT(demo.left_behind(), IsEmpty()) << "after " << moment.count() << " ms";
  }
}

TEST(demo_fleet, fails_when_an_instance_dies) {
  running demo({"demo", "--fleet", "--processes", "3"});
  const auto instances = demo.wait_for_members("demo-fleet-client", 3);
  ASSERT_THAT(instances, SizeIs(3));
  ::kill(instances.front(), SIGKILL);
  EXPECT_EQ(demo.wait().status, 1);
  EXPECT_THAT(demo.left_behind(), IsEmpty());
  EXPECT_THAT(demo.errors(), HasSubstr("ended before its time: signal 9"));
}

TEST(demo_fleet, refuses_what_makes_no_sense) {
  const std::vector<std::vector<std::string>> wrong{
      {"demo", "--fleet", "--processes", "1"},     {"demo", "--fleet", "--processes", "65"},
      {"demo", "--fleet", "--faults", "kill,fire"}, {"demo", "--fleet", "--mode", "some"},
      {"demo", "--fleet", "--limit", "0"},          {"demo", "--fleet", "http://127.0.0.1:80"},
      {"demo", "--fleet", "--listen", "127.0.0.1:0"}, {"demo", "--processes", "4"}};
  for (const auto& arguments : wrong) {
    running demo(arguments);
    EXPECT_GT(demo.wait().status, 0) << arguments.back();
    EXPECT_THAT(demo.errors(), HasSubstr("error")) << arguments.back();
  }
}

}  // namespace
