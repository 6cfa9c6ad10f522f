// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http_stub.hpp"

#include <switchgear/consul/client.hpp>

#include <nlohmann/json.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <string>

namespace consul_test {

/// The state of an agent that is alone in its data centre, and the answers of its HTTP API as they are documented.
class fake_agent {
 public:
  static constexpr const char* token = "5f1c1e3d-agent-token-9a77";
  test_support::http_response answer(const test_support::http_request& r);
  std::atomic<bool> wants_token{false};

 private:
  struct stored {
    std::string value;
    std::uint64_t created, modified;
  };
  test_support::http_response key_value(const test_support::http_request& r, const std::string& key);
  test_support::http_response agent(const test_support::http_request& r, const std::string& rest);
  test_support::http_response health(const test_support::http_request& r, const std::string& name) const;
  test_support::http_response nodes(const std::string& name) const;
  test_support::http_response services() const;

  std::uint64_t index_ = 10;
  std::map<std::string, stored> keys_;
  std::map<std::string, nlohmann::json> services_;
  std::map<std::string, std::map<std::string, std::string>> checks_;  ///< by service: id and status
};

/// An agent behind a server; what `instead` holds is answered instead of what the agent would say.
struct fake_consul {
  fake_agent agent;
  test_support::answer_instead instead;
  test_support::http_stub server{[this](const test_support::http_request& r) {
    const auto other = instead.get();
    return other ? *other : agent.answer(r);
  }};

  [[nodiscard]] switchgear::consul::options options() const {
    switchgear::consul::options o;
    o.address = server.url();
    o.adapter.retry.max_attempts = 1;
    return o;
  }
};

}  // namespace consul_test
