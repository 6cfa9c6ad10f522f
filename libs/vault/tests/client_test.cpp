// SPDX-License-Identifier: Apache-2.0
//
// What a client does on a server. With VAULT_ADDR set (and a token or a role, and a key-value engine of version 2 at
// `secret`) those of
// vault_secrets_engine run on that server instead of the stand-in.
#include "fake_vault.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using status = sg::vault::version_info::status;

struct vault_secrets_engine : testing::Test {
  vault_test::fake_vault fake;
  sg::vault::client vault{std::getenv("VAULT_ADDR") != nullptr ? sg::vault::options::from_env() : fake.options()};
  const std::string folder = "switchgear-test-" + sg::make_uuid();
  const std::string path = folder + "/database";

  ~vault_secrets_engine() override {
    for (const auto& name : vault.list(folder)) vault.remove_all(folder + "/" + name);
  }
};

TEST_F(vault_secrets_engine, reads_what_it_wrote) {
  const auto written = vault.write(path, {{"user", "app"}, {"password", "p\"ä\\"}});
  EXPECT_EQ(written.version, 1u);
  const auto found = vault.read(path);
  ASSERT_TRUE(found);
  EXPECT_TRUE(*found);
  EXPECT_THAT(found->data, ElementsAre(Pair("password", "p\"ä\\"), Pair("user", "app")));
  EXPECT_EQ(found->info.version, 1u);
  EXPECT_FALSE(found->info.created.empty());
  EXPECT_EQ(nlohmann::json::parse(found->json)["user"], "app");
}

TEST_F(vault_secrets_engine, keeps_versions) {
  vault.write(path, {{"a", "1"}});
  vault.write(path, {{"a", "2"}});
  EXPECT_EQ(vault.read(path)->data.at("a"), "2");
  EXPECT_EQ(vault.read_version(path, 1)->data.at("a"), "1");
  EXPECT_FALSE(vault.read_version(path, 9));
}

TEST_F(vault_secrets_engine, finds_nothing_at_an_unknown_path) {
  EXPECT_FALSE(vault.read(path));
  EXPECT_THAT(vault.list(folder), IsEmpty());
}

TEST_F(vault_secrets_engine, tells_a_deleted_version_from_a_missing_one) {
  vault.write(path, {{"a", "1"}});
  vault.remove(path);
  const auto found = vault.read(path);
  ASSERT_TRUE(found);
  EXPECT_FALSE(*found);
  EXPECT_EQ(found->info.state, status::deleted);
  EXPECT_EQ(found->info.version, 1u);
  EXPECT_FALSE(found->info.deleted.empty());
  EXPECT_THAT(found->data, IsEmpty());
  EXPECT_EQ(found->json, "");
}

TEST_F(vault_secrets_engine, removes_all_versions) {
  vault.write(path, {{"a", "1"}});
  vault.write(path, {{"a", "2"}});
  vault.remove_all(path);
  EXPECT_FALSE(vault.read(path));
  EXPECT_NO_THROW(vault.remove_all(path));
}

TEST_F(vault_secrets_engine, writes_only_over_the_version_that_it_knows) {
  EXPECT_EQ(vault.write_if(path, {{"a", "1"}}, 0)->version, 1u);
  EXPECT_FALSE(vault.write_if(path, {{"a", "2"}}, 0)) << "there is a version now";
  EXPECT_EQ(vault.write_if(path, {{"a", "3"}}, 1)->version, 2u);
  EXPECT_FALSE(vault.write_if(path, {{"a", "4"}}, 1));
  EXPECT_EQ(vault.read(path)->data.at("a"), "3");
}

TEST_F(vault_secrets_engine, lists_secrets_and_folders) {
  vault.write(folder + "/b", {{"a", "1"}});
  vault.write(folder + "/c", {{"a", "1"}});
  EXPECT_THAT(vault.list(folder), ElementsAre("b", "c"));
  const auto all = vault.list("");
  EXPECT_THAT(all, testing::Contains(folder + "/"));
}

TEST_F(vault_secrets_engine, takes_paths_with_unusual_characters) {
  vault.write(folder + "/a b#%", {{"a", "1"}});
  EXPECT_EQ(vault.read(folder + "/a b#%")->data.at("a"), "1");
}

TEST_F(vault_secrets_engine, answers_that_it_is_active) {
  EXPECT_EQ(vault.health().state, sg::vault::server_state::active);
}

struct vault_client : testing::Test {
  vault_test::fake_vault fake;
  sg::vault::client vault{fake.options()};
  using mood = vault_test::fake_server::mood;
};

TEST_F(vault_client, shows_values_that_are_no_texts_as_json) {
  fake.instead = {.body = R"({"data": {"data": {"port": 5432, "hosts": ["a", "b"], "none": null},
      "metadata": {"version": 3, "created_time": "t", "deletion_time": "", "destroyed": false}}})"};
  EXPECT_THAT(vault.read("a")->data, ElementsAre(Pair("hosts", R"(["a","b"])"), Pair("none", "null"), Pair("port", "5432")));
}

TEST_F(vault_client, tells_a_destroyed_version) {
  fake.instead = {.status = 404, .body = R"({"data": {"data": null,
      "metadata": {"version": 3, "created_time": "t", "deletion_time": "", "destroyed": true}}})"};
  EXPECT_EQ(vault.read("a")->info.state, status::destroyed);
}

TEST_F(vault_client, renews_leases_and_its_token) {
  const auto lease = vault.renew_lease(vault_test::fake_server::lease_id, 120s);
  EXPECT_EQ(lease.duration, 120s);
  EXPECT_TRUE(lease.renewable);
  EXPECT_EQ(vault.renew_token().duration, 3600s);
}

TEST_F(vault_client, is_refused_an_unknown_lease) {
  try {
    (void)vault.renew_lease("unknown");
    FAIL();
  } catch (const sg::refused_error& e) {
    EXPECT_EQ(e.code(), "400");
    EXPECT_EQ(e.context().transport, "vault");
    EXPECT_EQ(e.context().operation, "renew_lease");
    EXPECT_EQ(e.context().target, "vault." + fake.server.host());
  }
}

TEST_F(vault_client, says_what_the_server_is) {
  using sg::vault::server_state;
  EXPECT_EQ(vault.health().version, "1.17.2");
  EXPECT_EQ(vault.health().cluster_name, "vault-cluster-1");
  fake.vault.is = mood::sealed;
  EXPECT_EQ(vault.health().state, server_state::sealed);
  fake.vault.is = mood::standby;
  EXPECT_EQ(vault.health().state, server_state::standby);
  fake.vault.is = mood::uninitialised;
  EXPECT_EQ(vault.health().state, server_state::uninitialised);
  fake.instead = {.status = 472, .body = R"({"initialized": true, "sealed": false})"};
  EXPECT_EQ(vault.health().state, server_state::recovery_secondary);
  fake.instead = {.status = 473, .body = R"({"initialized": true, "sealed": false})"};
  EXPECT_EQ(vault.health().state, server_state::performance_standby);
  EXPECT_EQ(fake.server.requests().back().header("X-Vault-Token"), "") << "nobody needs a token for this";
}

TEST_F(vault_client, sends_token_namespace_and_correlation_id) {
  auto o = fake.options();
  o.vault_namespace = "team";
  o.cluster = "production";
  sg::vault::client other{o};
  other.write("a", {}, {.correlation_id = "abc-1"});
  const auto seen = fake.server.requests().back();
  EXPECT_EQ(seen.header("X-Vault-Token"), vault_test::fake_server::root);
  EXPECT_EQ(seen.header("X-Vault-Namespace"), "team");
  EXPECT_EQ(seen.header("X-Correlation-ID"), "abc-1");
  EXPECT_EQ(seen.header("X-Vault-Request"), "true");
  EXPECT_EQ(other.target(), "vault.production");
}

}  // namespace
