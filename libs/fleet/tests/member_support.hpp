// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "redis_server.hpp"

#include <switchgear/fleet/member.hpp>
#include <switchgear/redis/connection.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace test_support {

namespace sg = switchgear;
namespace fleet = switchgear::fleet;
using namespace std::chrono_literals;
using real_clock = std::chrono::steady_clock;

/// What a member was told; outlives it.
class notice_book {
 public:
  std::function<void(const fleet::notice&)> writer() {
    return [this](const fleet::notice& n) {
      const std::lock_guard lock(mutex_);
      all_.push_back(n);
    };
  }
  [[nodiscard]] std::vector<fleet::notice> all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  [[nodiscard]] std::ptrdiff_t count(fleet::notice::kind is) const {
    const auto all = this->all();
    return std::count_if(all.begin(), all.end(), [is](const auto& n) { return n.is == is; });
  }
  [[nodiscard]] std::string last() const {
    const auto all = this->all();
    return all.empty() ? std::string() : all.back().text;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<fleet::notice> all_;
};

/// One host of a fleet: its circuits and its member.
struct host {
  explicit host(fleet::options o, sg::registry_options circuits_options = {.environment = sg::variables{}})
      : circuits(std::move(circuits_options)) {
    o.on_notice = notices.writer();
    member.emplace(circuits, std::move(o));
  }
  notice_book notices;
  sg::registry circuits;
  std::optional<fleet::member> member;

  [[nodiscard]] bool shared() const { return member->link_state() == fleet::link::shared; }
  [[nodiscard]] bool local() const { return member->link_state() == fleet::link::local; }
};

inline fleet::options options_for(std::uint16_t port, std::string name = "test") {
  fleet::options o;
  o.url = "redis://127.0.0.1:" + std::to_string(port);
  o.name = std::move(name);
  o.ramp = {};
  o.patience = 500ms;  // servers of tests share few cores
  o.adopt_within = 5s;
  return o;
}

/// Opens at the third failure in a row, for long.
inline sg::config quick_to_open(std::chrono::nanoseconds open_for = 60s) {
  return {.failure_threshold = 3, .open_duration = open_for, .success_threshold = 1};
}

inline void fail(sg::breaker_handle& circuit, int times) {
  for (int i = 0; i < times; ++i) {
    auto p = circuit.try_acquire();
    if (p) p.failure("refused");
  }
}

inline bool soon(const std::function<bool()>& condition, std::chrono::nanoseconds limit) {
  const auto until = real_clock::now() + limit;
  while (!condition()) {
    if (real_clock::now() >= until) return condition();
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

inline double ms_since(real_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(real_clock::now() - start).count();
}

class member_test : public testing::Test {
 protected:
  member_test() { server_.start(); }

  std::unique_ptr<host> make(fleet::options o) { return std::make_unique<host>(std::move(o)); }
  std::unique_ptr<host> make() { return make(options_for(server_.port())); }
  sg::redis::reply command(std::initializer_list<std::string_view> words) {
    return sg::redis::connection::open({.port = server_.port()}).command(words);
  }

  redis_server server_;
};

}  // namespace test_support
