// SPDX-License-Identifier: Apache-2.0
#include <switchgear/consul/client.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <optional>

namespace {

namespace sg = switchgear;

/// Sets the variables of Consul for a test, and puts back what was there.
struct consul_environment : testing::Test {
  std::map<std::string, std::optional<std::string>> before;

  consul_environment() {
    for (const char* name :
         {"CONSUL_HTTP_ADDR", "CONSUL_HTTP_SSL", "CONSUL_HTTP_TOKEN", "CONSUL_DATACENTER", "CONSUL_NAMESPACE", "CONSUL_CACERT"}) {
      const char* value = std::getenv(name);
      before[name] = value == nullptr ? std::nullopt : std::optional<std::string>(value);
      ::unsetenv(name);
    }
  }
  ~consul_environment() override {
    for (const auto& [name, value] : before) value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
  }
};

TEST_F(consul_environment, may_say_nothing) {
  const auto o = sg::consul::options::from_env();
  EXPECT_EQ(o.address, "http://127.0.0.1:8500");
  EXPECT_EQ(o.datacenter, "dc1");
  EXPECT_EQ(o.token, "");
}

TEST_F(consul_environment, says_where_the_agent_is_and_who_we_are) {
  ::setenv("CONSUL_HTTP_ADDR", "consul.internal:8501", 1);
  ::setenv("CONSUL_HTTP_SSL", "true", 1);
  ::setenv("CONSUL_HTTP_TOKEN", "secret", 1);
  ::setenv("CONSUL_DATACENTER", "dc2", 1);
  ::setenv("CONSUL_NAMESPACE", "team", 1);
  ::setenv("CONSUL_CACERT", "/etc/ca.pem", 1);
  const auto o = sg::consul::options::from_env();
  EXPECT_EQ(o.address, "https://consul.internal:8501");
  EXPECT_EQ(o.token, "secret");
  EXPECT_EQ(o.datacenter, "dc2");
  EXPECT_EQ(o.consul_namespace, "team");
  EXPECT_EQ(o.connection.certificate_authorities, "/etc/ca.pem");
  EXPECT_EQ(sg::consul::client(o).target(), "consul.dc2");
}

TEST_F(consul_environment, never_asks_for_tls_in_vain) {
  ::setenv("CONSUL_HTTP_SSL", "TRUE", 1);
  EXPECT_EQ(sg::consul::options::from_env().address, "https://127.0.0.1:8500");
  ::setenv("CONSUL_HTTP_ADDR", "http://agent:1", 1);
  EXPECT_EQ(sg::consul::options::from_env().address, "https://agent:1");
  ::setenv("CONSUL_HTTP_SSL", "false", 1);
  EXPECT_EQ(sg::consul::options::from_env().address, "http://agent:1");
}

TEST_F(consul_environment, may_give_a_whole_url_and_empty_variables) {
  ::setenv("CONSUL_HTTP_ADDR", "http://agent:1", 1);
  ::setenv("CONSUL_DATACENTER", "", 1);
  const auto o = sg::consul::options::from_env();
  EXPECT_EQ(o.address, "http://agent:1");
  EXPECT_EQ(o.datacenter, "dc1");
}

TEST(consul_options, without_a_data_centre_mean_that_of_the_agent) {
  sg::consul::options o;
  o.datacenter = "";
  EXPECT_EQ(sg::consul::client(o).target(), "consul");
}

TEST(consul_options, are_refused_with_every_problem_and_no_secret) {
  sg::consul::options o;
  o.address = "http://user:hunter2@agent";
  o.token = "hunter3\r\n";
  o.max_reply = 0;
  try {
    sg::consul::client consul{o};
    FAIL();
  } catch (const sg::config_error& e) {
    EXPECT_EQ(e.problems().size(), 3u);
    EXPECT_EQ(std::string(e.what()).find("hunter"), std::string::npos);
  }
}

TEST(consul_options, have_the_breaker_of_the_infrastructure_adapters) {
  const sg::consul::client consul;
  const sg::config c = consul.breaker().configuration();
  EXPECT_EQ(c.failure_threshold, 5);
  EXPECT_EQ(c.open_duration, std::chrono::seconds(30));
}

}  // namespace
