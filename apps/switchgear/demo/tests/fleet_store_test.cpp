// SPDX-License-Identifier: Apache-2.0
#include "../fleet/network.hpp"
#include "../fleet/store.hpp"

#include <switchgear/bus_url.hpp>
#include <switchgear/redis/connection.hpp>
#include <switchgear/redis/options.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using switchgear::demo::child;
using switchgear::demo::make_pipe;
using switchgear::demo::pipe_ends;
using switchgear::demo::fleet::flush_namespace;
using switchgear::demo::fleet::store;
using switchgear::demo::fleet::wires;
namespace redis = switchgear::redis;

namespace {

redis::connection open(const std::string& url) {
  redis::options o = redis::options_of(switchgear::parse_bus_url(url));
  o.connect_timeout = o.timeout = 300ms;
  return redis::connection::open(o);
}

TEST(fleet_store, wants_its_password) {
  store s;
  s.start();
  auto stranger = open("redis://127.0.0.1:" + std::to_string(s.port()));
  EXPECT_THROW((void)stranger.command({"PING"}), redis::server_error);
  EXPECT_EQ(open(s.url()).command({"PING"}).text, "PONG");
}

TEST(fleet_store, forgets_everything_when_it_is_killed_and_nothing_when_it_ends) {
  store s;
  s.start();
  const int port = s.port();
  (void)open(s.url()).command({"SET", "a", "1"});
  s.save_and_end();
  EXPECT_THROW((void)open(s.url()), redis::io_error);
  s.start();
  EXPECT_EQ(open(s.url()).command({"GET", "a"}).text, "1");
  s.kill_and_forget();
  EXPECT_THROW((void)open(s.url()), redis::io_error);
  s.start();
  EXPECT_EQ(s.port(), port);
  EXPECT_TRUE(open(s.url()).command({"GET", "a"}).is_nil());
}

TEST(fleet_store, hangs_when_it_is_stopped_and_keeps_its_connections) {
  store s;
  s.start();
  auto c = open(s.url());
  s.stop();
  EXPECT_EQ(c.poll(0ns), std::nullopt);
  c.append({"PING"});
  EXPECT_EQ(c.poll(100ms), std::nullopt);
  s.resume();
  EXPECT_EQ(c.poll(5s).value().text, "PONG");
}

TEST(fleet_store, flushes_everything_or_one_fleet_alone) {
  store s;
  s.start();
  auto c = open(s.url());
  for (const char* key : {"sg:{demo-1}:m", "sg:{demo-1}:c:x", "sg:{demo-2}:m", "other"}) (void)c.command({"SET", key, "1"});
  EXPECT_EQ(flush_namespace(s.url(), "demo-1"), 2u);
  EXPECT_EQ(c.command({"DBSIZE"}).integer, 2);
  s.flush();
  EXPECT_EQ(c.command({"DBSIZE"}).integer, 0);
}

TEST(fleet_store, leaves_no_folder_behind_whatever_ends_us) {
  std::string all = (std::filesystem::temp_directory_path() / "switchgear-test-XXXXXX").string();
  ASSERT_NE(::mkdtemp(all.data()), nullptr);
  for (const bool killed : {false, true}) {
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      ::setenv("TMPDIR", all.c_str(), 1);
      {
        store s;
        s.start();
        s.save_and_end();
        if (std::filesystem::is_empty(all)) ::_exit(2);
        if (killed) ::raise(SIGKILL);
      }
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, killed ? SIGKILL : 0);
    for (int i = 0; i < 500 && !std::filesystem::is_empty(all); ++i) std::this_thread::sleep_for(10ms);
    EXPECT_TRUE(std::filesystem::is_empty(all)) << killed;
  }
  std::filesystem::remove_all(all);
}

// Asks the store from inside the network of another process.
std::string ask_from(pid_t inside, const std::string& url) {
  return child({.arguments = {"-t", std::to_string(inside), "-n", "timeout", "1", "redis-cli", "-u", url, "PING"},
                .inherited = {},
                .program = "nsenter"})
      .wait();
}

TEST(fleet_wires, reach_us_until_they_are_cut_and_again_when_they_are_mended) {
  if (const auto why = wires::missing()) GTEST_SKIP() << *why;
  store s;
  pipe_ends ready = make_pipe();
  const child apart({.arguments = {"-c", "echo >&3; exec sleep 600"},
                     .inherited = {ready.write.get()},
                     .program = "sh",
                     .own_network = true});
  char line = 0;
  ASSERT_EQ(::read(ready.read.get(), &line, 1), 1) << "it is in its namespace now";
  const wires w(apart.pid());
  s.listen_also_on(w.store_address());
  s.start();
  EXPECT_EQ(ask_from(apart.pid(), s.url(w.store_address())), "exit status 0");
  w.cut();
  EXPECT_EQ(ask_from(apart.pid(), s.url(w.store_address())), "exit status 124") << "what is sent is lost, and nobody is told";
  EXPECT_EQ(open(s.url()).command({"PING"}).text, "PONG") << "nobody else notices";
  w.mend();
  EXPECT_EQ(ask_from(apart.pid(), s.url(w.store_address())), "exit status 0");
}

}  // namespace
