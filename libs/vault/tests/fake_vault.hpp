// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http_stub.hpp"

#include <switchgear/vault/client.hpp>

#include <nlohmann/json.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace vault_test {

/// A server with AppRole, one key-value engine of version 2 at `secret` and leases; its answers as they are documented.
class fake_server {
 public:
  static constexpr const char* root = "hvs.root-token-hunter2";
  static constexpr const char* role_id = "role-hunter2";
  static constexpr const char* secret_id = "secret-id-hunter2";
  static constexpr const char* lease_id = "database/creds/billing/lease-hunter2";

  enum class mood { active, sealed, standby, uninitialised };
  std::atomic<mood> is{mood::active};
  std::atomic<int> logins{0};
  std::atomic<int> lease_seconds{3600};

  test_support::http_response answer(const test_support::http_request& r);
  void revoke_all() {
    const std::lock_guard lock(mutex_);
    tokens_ = {root};
  }

 private:
  struct version {
    nlohmann::json data;
    std::string deleted;
  };
  test_support::http_response health() const;
  test_support::http_response auth(const test_support::http_request& r, const std::string& rest);
  test_support::http_response data(const test_support::http_request& r, const std::string& path);
  test_support::http_response metadata(const test_support::http_request& r, const std::string& path);
  test_support::http_response renew(const test_support::http_request& r) const;
  nlohmann::json granted(const std::string& token) const;

  std::mutex mutex_;
  std::set<std::string> tokens_{root};
  std::map<std::string, std::vector<version>> secrets_;
};

/// The server on a port; what `instead` holds is answered instead of what it would say.
struct fake_vault {
  fake_server vault;
  test_support::answer_instead instead;
  test_support::http_stub server{[this](const test_support::http_request& r) {
    const auto other = instead.get();
    return other ? *other : vault.answer(r);
  }};

  [[nodiscard]] switchgear::vault::options options() const {
    switchgear::vault::options o;
    o.address = server.url();
    o.token = fake_server::root;
    o.adapter.retry.max_attempts = 1;
    return o;
  }
  [[nodiscard]] switchgear::vault::options with_role() const {
    auto o = options();
    o.token = "";
    o.role_id = fake_server::role_id;
    o.secret_id = fake_server::secret_id;
    return o;
  }
};

}  // namespace vault_test
