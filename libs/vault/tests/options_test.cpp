// SPDX-License-Identifier: Apache-2.0
#include <switchgear/vault/client.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <optional>

namespace {

namespace sg = switchgear;

/// Sets the variables of Vault for a test, and puts back what was there.
struct vault_environment : testing::Test {
  std::map<std::string, std::optional<std::string>> before;

  vault_environment() {
    for (const char* name :
         {"VAULT_ADDR", "VAULT_TOKEN", "VAULT_NAMESPACE", "VAULT_ROLE_ID", "VAULT_SECRET_ID", "VAULT_CACERT"}) {
      const char* value = std::getenv(name);
      before[name] = value == nullptr ? std::nullopt : std::optional<std::string>(value);
      ::unsetenv(name);
    }
  }
  ~vault_environment() override {
    for (const auto& [name, value] : before) value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
  }
};

TEST_F(vault_environment, may_say_nothing) {
  const auto o = sg::vault::options::from_env();
  EXPECT_EQ(o.address, "http://127.0.0.1:8200");
  EXPECT_EQ(o.mount, "secret");
  EXPECT_EQ(sg::vault::client(o).target(), "vault.127.0.0.1:8200");
}

TEST_F(vault_environment, says_where_vault_is_and_who_we_are) {
  ::setenv("VAULT_ADDR", "https://vault.internal", 1);
  ::setenv("VAULT_TOKEN", "t", 1);
  ::setenv("VAULT_NAMESPACE", "team", 1);
  ::setenv("VAULT_ROLE_ID", "r", 1);
  ::setenv("VAULT_SECRET_ID", "s", 1);
  ::setenv("VAULT_CACERT", "/etc/ca.pem", 1);
  const auto o = sg::vault::options::from_env();
  EXPECT_EQ(o.token, "t");
  EXPECT_EQ(o.vault_namespace, "team");
  EXPECT_EQ(o.role_id, "r");
  EXPECT_EQ(o.secret_id, "s");
  EXPECT_EQ(o.connection.certificate_authorities, "/etc/ca.pem");
  EXPECT_EQ(sg::vault::client(o).target(), "vault.vault.internal:443");
}

TEST(vault_options, are_refused_with_every_problem_and_no_secret) {
  sg::vault::options o;
  o.address = "http://user:hunter2@vault";
  o.token = "hunter3\r\n";
  o.secret_id = "hunter4";
  o.mount = "../sys";
  try {
    sg::vault::client vault{o};
    FAIL();
  } catch (const sg::config_error& e) {
    EXPECT_EQ(e.problems().size(), 4u);
    EXPECT_EQ(std::string(e.what()).find("hunter"), std::string::npos);
  }
}

}  // namespace
