// SPDX-License-Identifier: Apache-2.0
//
// What a client does on an agent. With CONSUL_HTTP_ADDR set these run on that agent instead of the stand-in.
#include "fake_consul.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct consul_client : testing::Test {
  const bool real = std::getenv("CONSUL_HTTP_ADDR") != nullptr;
  consul_test::fake_consul fake;
  sg::consul::client consul{real ? sg::consul::options::from_env() : fake.options()};
  const std::string prefix = "switchgear-test-" + sg::make_uuid();

  ~consul_client() override {
    for (const auto& entry : consul.list(prefix)) consul.remove(entry.key);
    (void)consul.deregister_service(prefix);
  }

  [[nodiscard]] std::string key(const std::string& name) const { return prefix + "/" + name; }

  [[nodiscard]] sg::consul::service_registration service() const {
    return {.name = prefix,
            .address = "127.0.0.1",
            .port = 8080,
            .tags = {"blue"},
            .meta = {{"version", "7"}},
            .checks = {{.ttl = 60s}}};
  }
};

TEST_F(consul_client, reads_what_it_wrote) {
  EXPECT_TRUE(consul.put(key("limit"), "12"));
  const auto found = consul.get(key("limit"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key, key("limit"));
  EXPECT_EQ(found->value, "12");
  EXPECT_GT(found->modify_index, 0u);
}

TEST_F(consul_client, keeps_every_byte_of_a_value) {
  std::string value;
  for (int i = 0; i < 256; ++i) value += static_cast<char>(i);
  consul.put(key("bytes"), value);
  EXPECT_EQ(consul.get(key("bytes"))->value, value);
}

TEST_F(consul_client, keeps_an_empty_value) {
  consul.put(key("empty"), "");
  EXPECT_EQ(consul.get(key("empty"))->value, "");
}

TEST_F(consul_client, takes_keys_with_unusual_characters) {
  consul.put(key("a b/ü?#%&"), "1");
  EXPECT_EQ(consul.get(key("a b/ü?#%&"))->value, "1");
}

TEST_F(consul_client, finds_nothing_under_an_unknown_key) {
  EXPECT_EQ(consul.get(key("unknown")), std::nullopt) << "a missing key is no error";
  EXPECT_THAT(consul.list(key("unknown")), IsEmpty());
}

TEST_F(consul_client, lists_the_keys_below_a_prefix) {
  consul.put(key("list/b"), "2");
  consul.put(key("list/a"), "1");
  consul.put(key("other"), "3");
  std::vector<std::string> names;
  for (const auto& entry : consul.list(key("list/"))) names.push_back(entry.key);
  EXPECT_THAT(names, ElementsAre(key("list/a"), key("list/b")));
}

TEST_F(consul_client, removes_a_key_also_when_there_is_none) {
  consul.put(key("gone"), "1");
  consul.remove(key("gone"));
  EXPECT_FALSE(consul.get(key("gone")));
  EXPECT_NO_THROW(consul.remove(key("gone")));
}

TEST_F(consul_client, sets_a_key_only_if_it_is_unchanged) {
  EXPECT_TRUE(consul.compare_and_set(key("cas"), "1", 0));
  EXPECT_FALSE(consul.compare_and_set(key("cas"), "2", 0)) << "it exists";
  const auto seen = consul.get(key("cas"))->modify_index;
  EXPECT_TRUE(consul.compare_and_set(key("cas"), "3", seen));
  EXPECT_FALSE(consul.compare_and_set(key("cas"), "4", seen));
  EXPECT_EQ(consul.get(key("cas"))->value, "3");
}

TEST_F(consul_client, removes_a_key_only_if_it_is_unchanged) {
  consul.put(key("cas"), "1");
  const auto seen = consul.get(key("cas"))->modify_index;
  EXPECT_FALSE(consul.compare_and_remove(key("cas"), 0));
  EXPECT_FALSE(consul.compare_and_remove(key("cas"), seen + 1'000'000));
  EXPECT_TRUE(consul.get(key("cas")));
  EXPECT_TRUE(consul.compare_and_remove(key("cas"), seen));
  EXPECT_FALSE(consul.get(key("cas")));
}

TEST_F(consul_client, registers_a_service_that_its_check_makes_healthy) {
  consul.register_service(service());
  EXPECT_THAT(consul.service_health(prefix), IsEmpty());
  const auto all = consul.service_health(prefix, sg::consul::client::which::all);
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].health, sg::consul::health::critical);

  consul.pass_check("service:" + prefix, "all is well");
  const auto healthy = consul.service_health(prefix);
  ASSERT_THAT(healthy, SizeIs(1));
  EXPECT_EQ(healthy[0].id, prefix);
  EXPECT_EQ(healthy[0].address, "127.0.0.1");
  EXPECT_EQ(healthy[0].port, 8080);
  EXPECT_THAT(healthy[0].tags, ElementsAre("blue"));
  EXPECT_EQ(healthy[0].meta.at("version"), "7");
  EXPECT_EQ(healthy[0].health, sg::consul::health::passing);

  consul.fail_check("service:" + prefix);
  EXPECT_THAT(consul.service_health(prefix), IsEmpty());
}

TEST_F(consul_client, finds_a_service_in_the_catalog) {
  consul.register_service(service());
  const auto nodes = consul.service_nodes(prefix);
  ASSERT_THAT(nodes, SizeIs(1));
  EXPECT_EQ(nodes[0].name, prefix);
  EXPECT_EQ(nodes[0].port, 8080);
  EXPECT_THAT(consul.services().at(prefix), ElementsAre("blue"));
}

TEST_F(consul_client, deregisters_a_service_and_says_when_there_was_none) {
  consul.register_service(service());
  EXPECT_TRUE(consul.deregister_service(prefix));
  EXPECT_THAT(consul.service_nodes(prefix), IsEmpty());
  EXPECT_FALSE(consul.deregister_service(prefix));
}

TEST_F(consul_client, is_refused_the_report_of_an_unknown_check) {
  try {
    consul.pass_check("service:" + prefix);
    FAIL();
  } catch (const sg::refused_error& e) {
    EXPECT_EQ(e.code(), "404");
    EXPECT_EQ(e.context().transport, "consul");
    EXPECT_EQ(e.context().operation, "update_check");
    EXPECT_EQ(e.context().target, "consul.dc1");
  }
}

TEST_F(consul_client, sends_token_data_centre_namespace_and_correlation_id) {
  if (real) GTEST_SKIP();
  auto o = fake.options();
  o.token = fake.agent.token;
  o.consul_namespace = "team";
  fake.agent.wants_token = true;
  sg::consul::client with_token{o};
  with_token.put("a", "1", {.correlation_id = "abc-1"});
  const auto seen = fake.server.requests().back();
  EXPECT_EQ(seen.header("X-Consul-Token"), fake.agent.token);
  EXPECT_EQ(seen.header("X-Correlation-ID"), "abc-1");
  EXPECT_EQ(seen.parameter("dc"), "dc1");
  EXPECT_EQ(seen.parameter("ns"), "team");
  fake.agent.wants_token = false;
}

TEST_F(consul_client, writes_checks_as_the_agent_reads_them) {
  if (real) GTEST_SKIP();
  auto with_checks = service();
  with_checks.checks = {{.http = "http://127.0.0.1/health", .interval = 1500ms, .timeout = 500ms},
                        {.tcp = "127.0.0.1:1", .deregister_after = 60s}};
  consul.register_service(with_checks);
  const auto body = nlohmann::json::parse(fake.server.requests().back().body);
  EXPECT_EQ(body["Checks"][0],
            nlohmann::json::parse(R"({"HTTP": "http://127.0.0.1/health", "Interval": "1.5s", "Timeout": "500ms"})"));
  EXPECT_EQ(body["Checks"][1]["TCP"], "127.0.0.1:1");
  EXPECT_EQ(body["Checks"][1]["Interval"], "10s");
  EXPECT_EQ(body["Checks"][1]["DeregisterCriticalServiceAfter"], "1m");
}

}  // namespace
