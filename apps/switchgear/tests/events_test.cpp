// SPDX-License-Identifier: Apache-2.0
#include "kafka_cluster.hpp"
#include "process.hpp"
#include "redis_server.hpp"

#include <switchgear/event_reader.hpp>

#include <gmock/gmock.h>

namespace {

using namespace program_tests;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// The program with a Redis of its own.
struct events_command : program_test {
  events_command() {
    redis.start();
    bus = "redis://127.0.0.1:" + std::to_string(redis.port()) + "/0";
  }
  test_support::redis_server redis;
  std::string bus;

  [[nodiscard]] outcome failing(std::vector<std::string> options = {}, const std::string& name = "backup") const {
    options.insert(options.end(), {"--failure-threshold", "1", "--bus", bus});
    return exec("exit 3", options, name);
  }
  /// Listens until it has been told of the circuits that there are.
  [[nodiscard]] process listener(const std::vector<std::string>& options = {}) const {
    std::vector<std::string> arguments{"events", "--bus", bus};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return start(arguments);
  }
};

TEST_F(events_command, prints_how_each_circuit_is_first) {
  EXPECT_EQ(failing().status, 3);
  process listening = listener();
  EXPECT_TRUE(listening.prints("= circuit backup is open: 1 consecutive failure"));
  listening.signal(SIGINT);
  EXPECT_EQ(listening.wait().status, 0);
}

TEST_F(events_command, prints_what_happens_as_it_happens) {
  EXPECT_EQ(exec("true", {"--bus", bus}, "backup").status, 0);
  process listening = listener();
  ASSERT_TRUE(listening.prints("= circuit backup is closed"));
  EXPECT_EQ(failing().status, 3);
  EXPECT_TRUE(listening.prints("   circuit backup closed → open: 1 consecutive failure"));
}

TEST_F(events_command, prints_cloudevents_for_machines) {
  EXPECT_EQ(failing().status, 3);
  process listening = listener({"--json"});
  ASSERT_TRUE(listening.prints("\n"));
  listening.signal(SIGINT);
  const std::string out = listening.wait().out;
  const auto read = switchgear::read_event(std::string_view(out).substr(0, out.find('\n')));
  ASSERT_TRUE(read) << read.error << "\n" << out;
  EXPECT_EQ(read.value->service, "backup");
  EXPECT_EQ(read.value->kind, switchgear::event_kind::opened);
}

TEST_F(events_command, prints_only_what_the_pattern_matches) {
  EXPECT_EQ(failing({}, "backup").status, 3);
  EXPECT_EQ(failing({}, "import").status, 3);
  process listening = listener({"--pattern", "circuit_breaker.state.i*"});
  ASSERT_TRUE(listening.prints("import is open"));
  listening.signal(SIGTERM);
  const outcome ended = listening.wait();
  EXPECT_THAT(ended.out, Not(HasSubstr("backup")));
  EXPECT_EQ(ended.status, 128 + SIGTERM);
}

TEST_F(events_command, ends_by_itself_when_asked_to) {
  const outcome ended = run({"events", "--bus", bus, "--seconds", "0.5"});
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.out, IsEmpty());
}

TEST_F(events_command, takes_the_bus_from_the_environment) {
  environment["SWITCHGEAR_BUS"] = bus;
  EXPECT_EQ(run({"events", "--seconds", "0.5"}).status, 0);
}

TEST_F(events_command, says_so_when_the_bus_cannot_be_reached) {
  redis.kill();
  const outcome ended = run({"events", "--bus", bus, "--seconds", "0.5"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.err, HasSubstr("no connection to redis://127.0.0.1"));
}

TEST_F(events_command, refuses_a_name_that_makes_no_sense_without_showing_the_password) {
  for (const char* name : {"carrier-pigeon://me:s3cret@host/", "redis://me:s3cret@host:port/", "local:"}) {
    for (const std::vector<std::string>& command : {std::vector<std::string>{"events", "--bus", name},
                                                    {"demo", "--seconds", "5", "--bus", name}}) {
      const outcome ended = run(command);
      EXPECT_EQ(ended.status, 2) << name;
      EXPECT_THAT(ended.err, HasSubstr("error")) << name;
      EXPECT_THAT(ended.err, Not(HasSubstr("s3cret"))) << name;
    }
  }
}

// --- exec ---

TEST_F(events_command, exec_runs_the_command_though_the_bus_is_away) {
  redis.kill();
  const outcome ended = failing();
  EXPECT_EQ(ended.status, 3);
  EXPECT_THAT(ended.err, HasSubstr("did not take what happened"));
  EXPECT_EQ(fact("state", "backup"), "open");
}

TEST_F(events_command, exec_is_silent_about_the_bus_when_asked_to_be_quiet) {
  redis.kill();
  EXPECT_THAT(failing({"--quiet"}).err, IsEmpty());
}

TEST_F(events_command, exec_is_held_up_for_a_moment_only_by_a_bus_that_hangs) {
  redis.stop();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(failing().status, 3);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);  // half a second, and a second for closing, on a busy machine
  redis.resume();
}

TEST_F(events_command, exec_refuses_a_bad_name_before_it_runs_anything) {
  const outcome ended = exec("echo ran", {"--bus", "redis://"}, "backup");
  EXPECT_EQ(ended.status, 125);
  EXPECT_THAT(ended.out, IsEmpty());
}

TEST_F(events_command, exec_keeps_one_circuit_one_circuit_over_its_processes) {
  EXPECT_EQ(failing().status, 3);
  process listening = listener();
  ASSERT_TRUE(listening.prints("backup is open"));
  EXPECT_EQ(run({"reset", "backup"}).status, 0);
  EXPECT_EQ(failing().status, 3);
  EXPECT_TRUE(listening.prints("closed → open"));
  listening.signal(SIGINT);
  EXPECT_THAT(listening.wait().err, HasSubstr("1 transitions were missed"));  // the reset, of which no bus was told
}

// --- Kafka ---

TEST_F(program_test, hears_of_circuits_over_kafka) {
  test_support::kafka_cluster cluster;
  const std::string bus = "kafka://" + cluster.brokers() + "/" + cluster.new_topic();
  EXPECT_EQ(exec("exit 3", {"--failure-threshold", "1", "--bus", bus}, "backup").status, 3);
  process listening = start({"events", "--bus", bus});
  EXPECT_TRUE(listening.prints("= circuit backup is open"));
  EXPECT_EQ(exec("exit 0", {"--bus", bus, "--open-duration", "0s", "--success-threshold", "1"}, "import").status, 0);
  EXPECT_TRUE(listening.prints("= circuit import is closed"));
}

// --- demo ---

TEST_F(events_command, hears_of_the_demonstration) {
  process listening = listener();
  process demo = start({"demo", "--seconds", "5", "--bus", bus});
  EXPECT_TRUE(listening.prints("circuit payments closed → open"));
  EXPECT_TRUE(listening.prints("half_open → closed"));
  EXPECT_EQ(demo.wait().status, 0);
}

}  // namespace
