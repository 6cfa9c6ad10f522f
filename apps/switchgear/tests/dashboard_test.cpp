// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"
#include "redis_server.hpp"

#include <switchgear/http/transport.hpp>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <fstream>
#include <set>

namespace {

using namespace program_tests;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
namespace http = switchgear::http;

/// A dashboard that runs, and its address.
struct page {
  process program;
  std::string url;  ///< `http://127.0.0.1:PORT`
  std::string token;

  [[nodiscard]] http::outcome get(const std::string& path) const { return transport().send({.url = url + path}); }
  [[nodiscard]] json read(const std::string& path) const { return json::parse(get(path).reply.body); }
  [[nodiscard]] int post(const std::string& path, const json& body, const std::string& with_token) const {
    http::request r{.method = "POST", .url = url + path, .headers = {{"Content-Type", "application/json"}}};
    if (!with_token.empty()) r.headers.push_back({"Authorization", "Bearer " + with_token});
    r.body = body.dump();
    return static_cast<int>(transport().send(r).reply.status);
  }
  [[nodiscard]] json circuit(const std::string& name) const { return read("/api/v1/circuits/" + name).value("circuit", json::object()); }

 private:
  static http::transport& transport() {
    static http::transport one({.environment_proxy = false});
    return one;
  }
};

class dashboard_command : public program_test {
 protected:
  [[nodiscard]] page open(std::vector<std::string> options = {}) const {
    options.insert(options.begin(), {"dashboard", "--listen", "127.0.0.1:0", "--json", "--refresh", "100ms"});
    process program = start(options);
    EXPECT_TRUE(program.prints("}\n"));
    const json said = json::parse(program.output());
    std::string url = said.at("url"), token;
    url.pop_back();
    if (said.contains("url_with_token")) {
      const std::string whole = said.at("url_with_token");
      token = whole.substr(whole.find('=') + 1);
    }
    return {std::move(program), url, token};
  }
  [[nodiscard]] std::string token_file(std::filesystem::perms mode) const {
    const auto path = folder() / "token";
    std::ofstream(path) << "0123456789abcdefghij\n";
    std::filesystem::permissions(path, mode);
    return path.string();
  }
};

TEST_F(dashboard_command, shows_the_circuits_of_exec_as_they_change) {
  const page p = open();
  EXPECT_EQ(p.read("/api/v1/circuits").at("circuits"), json::array()) << "no folder yet";
  ASSERT_EQ(exec("exit 3", {"--failure-threshold", "1"}, "backup").status, 3);
  EXPECT_TRUE(eventually([&] { return p.circuit("backup").value("state", "") == "open"; }));
  const json detail = p.read("/api/v1/circuits/backup");
  EXPECT_EQ(detail.at("history").back().at("to_state"), "open");
  EXPECT_THAT(detail.at("configuration").dump(), HasSubstr("failure_threshold"));
  EXPECT_EQ(detail.at("circuit").at("last_failure").at("text"), "exit status 3");
}

TEST_F(dashboard_command, acts_on_them_for_who_knows_the_token) {
  ASSERT_EQ(exec("true", {}, "backup").status, 0);
  const page p = open();
  ASSERT_TRUE(eventually([&] { return p.circuit("backup").contains("state"); }));
  const json body{{"owner", "ann"}, {"reason", "disk swap"}, {"ttl", "2h"}};
  EXPECT_EQ(p.post("/api/v1/circuits/backup/force-open", body, ""), 401);
  EXPECT_EQ(p.post("/api/v1/circuits/backup/force-open", body, "not the token at all"), 403);
  EXPECT_EQ(p.post("/api/v1/circuits/backup/force-open", body, p.token), 200);
  EXPECT_EQ(exec("true", {}, "backup").status, 75);
  EXPECT_EQ(fact("now.override.owner", "backup"), "ann");
  EXPECT_EQ(p.read("/api/v1/audit").at("entries").at(0).at("reason"), "disk swap");
}

TEST_F(dashboard_command, says_when_a_file_cannot_be_read_and_shows_the_others) {
  ASSERT_EQ(exec("true", {}, "good").status, 0);
  std::ofstream(state_file("bad.circuit")) << "nonsense";
  std::filesystem::permissions(state_file("bad.circuit"), std::filesystem::perms(0600));
  const page p = open();
  const json all = p.read("/api/v1/circuits");
  EXPECT_EQ(all.at("circuits").size(), 1u);
  EXPECT_THAT(all.at("problems").dump(), HasSubstr("bad.circuit"));
}

TEST_F(dashboard_command, tells_of_each_failure_once) {
  ASSERT_EQ(exec("true", {"--failure-threshold", "9"}, "backup").status, 0);
  const page p = open();
  ASSERT_TRUE(eventually([&] { return p.circuit("backup").contains("state"); }));
  const auto failures = [&] { return p.read("/api/v1/circuits/backup").at("recent_failures").size(); };
  for (std::size_t n = 1; n <= 3; ++n) {
    ASSERT_EQ(exec("exit 3", {}, "backup").status, 3);
    ASSERT_TRUE(eventually([&] { return failures() == n; })) << failures();
  }
  std::set<std::string> refreshes;
  ASSERT_TRUE(eventually([&] { return refreshes.insert(p.read("/api/v1/circuits").at("time")), refreshes.size() > 3; }));
  EXPECT_EQ(failures(), 3u);
}

TEST_F(dashboard_command, read_only_lets_nobody_act) {
  ASSERT_EQ(exec("true", {}, "backup").status, 0);
  const page p = open({"--read-only", "--token-file", token_file(std::filesystem::perms(0600))});
  EXPECT_EQ(p.post("/api/v1/circuits/backup/reset", {{"owner", "a"}, {"reason", "b"}}, "0123456789abcdefghij"), 403);
}

TEST_F(dashboard_command, refuses_to_listen_beyond_loopback_without_a_token_or_tls_in_front) {
  const outcome refused = run({"dashboard", "--listen", "0.0.0.0:0"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("listen"), HasSubstr("token"), HasSubstr("tls_in_front")));
}

TEST_F(dashboard_command, listens_beyond_loopback_with_a_token_and_asks_for_it_when_somebody_reads) {
  ASSERT_EQ(exec("true", {}, "backup").status, 0);
  process program =
      start({"dashboard", "--listen", "0.0.0.0:0", "--json", "--token-file", token_file(std::filesystem::perms(0600))});
  ASSERT_TRUE(program.prints("}\n"));
  const std::string url = "http://127.0.0.1:" + json::parse(program.output()).at("port").dump();
  http::transport transport({.environment_proxy = false});
  EXPECT_EQ(transport.send({.url = url + "/api/v1/circuits"}).reply.status, 401);
  const http::header token{"Authorization", "Bearer 0123456789abcdefghij"};
  EXPECT_EQ(transport.send({.url = url + "/api/v1/circuits", .headers = {token}}).reply.status, 200);
  EXPECT_EQ(transport.send({.url = url + "/healthz"}).reply.status, 200);
}

TEST_F(dashboard_command, refuses_a_token_that_others_can_read) {
  const outcome refused = run({"dashboard", "--listen", "127.0.0.1:0", "--token-file", token_file(std::filesystem::perms(0644))});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("chmod 600"), Not(HasSubstr("0123456789"))));
}

TEST_F(dashboard_command, says_when_its_port_is_taken) {
  const page first = open();
  const std::string port = first.url.substr(first.url.rfind(':') + 1);
  const outcome second = run({"dashboard", "--listen", "127.0.0.1:" + port});
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.err, HasSubstr(port));
}

TEST_F(dashboard_command, ends_at_ctrl_c) {
  page p = open();
  p.program.signal(SIGINT);
  EXPECT_EQ(p.program.wait().status, 0);
}

TEST_F(dashboard_command, shows_a_fleet_from_a_bus) {
  test_support::redis_server redis;
  redis.start();
  const std::string bus = "redis://127.0.0.1:" + std::to_string(redis.port()) + "/0";
  ASSERT_EQ(exec("exit 3", {"--failure-threshold", "1", "--bus", bus}, "backup").status, 3);
  const page p = open({"--bus", bus});
  ASSERT_TRUE(eventually([&] { return p.circuit("backup").value("state", "") == "open"; }));
  const json row = p.circuit("backup");
  EXPECT_EQ(row.at("counted"), false);
  EXPECT_NE(row.at("not_operable"), "");
  EXPECT_EQ(p.post("/api/v1/circuits/backup/reset", {{"owner", "a"}, {"reason", "b"}}, p.token), 409);
}

TEST_F(dashboard_command, acts_on_what_lives_here_though_a_bus_takes_no_orders) {
  test_support::redis_server redis;
  redis.start();
  const std::string bus = "redis://127.0.0.1:" + std::to_string(redis.port()) + "/0";
  ASSERT_EQ(exec("true", {}, "local").status, 0);
  const page p = open({"--bus", bus, "--state-dir", state().string()});
  ASSERT_TRUE(eventually([&] { return p.circuit("local").is_object(); }));
  EXPECT_EQ(p.post("/api/v1/circuits/local/trip", {{"owner", "a"}, {"reason", "b"}}, p.token), 200);
}

TEST_F(dashboard_command, shows_a_circuit_once_that_is_in_the_folder_and_on_the_bus_and_acts_on_it) {
  test_support::redis_server redis;
  redis.start();
  const std::string bus = "redis://127.0.0.1:" + std::to_string(redis.port()) + "/0";
  ASSERT_EQ(exec("true", {"--bus", bus}, "backup").status, 0);
  ASSERT_EQ(run({"status", "--bus", bus}).status, 0);
  const page p = open({"--bus", bus, "--state-dir", state().string()});
  ASSERT_TRUE(eventually([&] { return p.circuit("backup").contains("state"); }));
  EXPECT_EQ(p.read("/api/v1/circuits").at("circuits").size(), 1u);
  EXPECT_EQ(p.post("/api/v1/circuits/backup/trip", {{"owner", "ann"}, {"reason", "trying"}}, p.token), 200);
  EXPECT_EQ(fact("state", "backup"), "open");
}

/// The demonstration while it runs, and its page.
class demo_page : public program_test {
 protected:
  [[nodiscard]] page open() const {
    process program = start({"demo", "--seconds", "20", "--listen", "127.0.0.1:0"});
    EXPECT_TRUE(program.prints("breaker  5 failures"));
    const std::string& said = program.output();
    const auto begin = said.find("http://", said.find("  page "));
    const std::string whole = said.substr(begin, said.find('\n', begin) - begin);
    return {std::move(program), whole.substr(0, whole.find("/#")), whole.substr(whole.find('=') + 1)};
  }
  [[nodiscard]] static json circuits(const page& p) { return p.read("/api/v1/circuits").at("circuits"); }
};

TEST_F(demo_page, shows_the_circuits_of_both_clients_while_they_are_called) {
  const page p = open();
  EXPECT_TRUE(eventually([&] {
    const json all = circuits(p);
    return all.size() == 4 &&
           std::ranges::all_of(all, [](const json& row) { return row.at("metrics").at("successes").get<int>() > 0; });
  })) << circuits(p);
  EXPECT_TRUE(eventually([&] { return circuits(p).dump().find("\"state\":\"open\"") != std::string::npos; }));
}

TEST_F(demo_page, acts_on_the_circuit_of_one_client_alone) {
  const page p = open();
  ASSERT_TRUE(eventually([&] { return circuits(p).size() == 4; }));
  const std::string instance = circuits(p).back().at("instance");
  const json body{{"owner", "ann"}, {"reason", "trying"}, {"ttl", "1h"}};
  EXPECT_EQ(p.post("/api/v1/circuits/search/disable?instance=" + instance, body, p.token), 200);
  EXPECT_TRUE(eventually([&] {
    const json all = circuits(p);
    return all.at(3).at("instance") == instance && all.at(3).at("state") == "disabled" && all.at(2).at("state") == "closed";
  })) << circuits(p);
}

TEST_F(dashboard_command, status_shows_that_fleet_too) {
  test_support::redis_server redis;
  redis.start();
  const std::string bus = "redis://127.0.0.1:" + std::to_string(redis.port()) + "/0";
  ASSERT_EQ(exec("exit 3", {"--failure-threshold", "1", "--bus", bus}, "backup").status, 3);
  const outcome o = run({"status", "--bus", bus});
  EXPECT_EQ(o.status, 0) << o.err;
  EXPECT_THAT(o.out, AllOf(HasSubstr("backup @"), HasSubstr("open"), HasSubstr("1 consecutive failure")));
}

}  // namespace
