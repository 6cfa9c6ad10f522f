// SPDX-License-Identifier: Apache-2.0
//
// switchgear_page_service --upstream PORT [--port PORT] [--token TOKEN] [--read-only] [--critical PATTERN]
//
// A service with a dashboard, for the tests of its page. Calls http://127.0.0.1:UPSTREAM/ all the time through the circuits
// `payments` and `storage:save_task`. Its first line is `port N`; then it obeys lines of its standard input, each answered by
// `ok`, and ends with it:
//
//   circuits N     makes circuits `many-00001` … with a call each
//   name HEX       makes a circuit of that name
//   busy N         from now on, calls N of the circuits `many-…` ten times a second
//   trip N         trips the first N of them
//   view HEX STATE LINK   from now on, an instance of that name sees every circuit so
//   token          answers with a line `token TOKEN` first
//   quit           ends
#include <switchgear/dashboard.hpp>
#include <switchgear/http/client.hpp>
#include <switchgear/registry.hpp>
#include <switchgear/registry_source.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <iterator>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;

struct arguments {
  std::string upstream;
  sg::dashboard_options dashboard{.listen = "127.0.0.1:0", .refresh = 200ms, .title = "page tests"};
};

arguments parse(int count, char** values) {
  arguments a;
  for (int i = 1; i < count; ++i) {
    const std::string key = values[i];
    if (key == "--read-only") {
      a.dashboard.read_only = true;
      continue;
    }
    if (i + 1 == count) throw std::invalid_argument(key + " needs a value");
    const std::string value = values[++i];
    if (key == "--upstream") a.upstream = "http://127.0.0.1:" + value + "/";
    else if (key == "--port") a.dashboard.listen = "127.0.0.1:" + value;
    else if (key == "--token") a.dashboard.token = value;
    else if (key == "--critical") a.dashboard.critical.push_back(value);
    else throw std::invalid_argument("unknown argument " + key);
  }
  if (a.upstream.empty()) throw std::invalid_argument("--upstream PORT is missing");
  return a;
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

/// Real calls, one after the other, until it is destroyed.
class caller {
 public:
  caller(sg::breaker_handle circuit, const std::string& url, std::chrono::milliseconds pause)
      : circuit_(std::move(circuit)), thread_([this, url, pause](const std::stop_token& stop) {
          sg::http::client client{*circuit_, {.connect_timeout = 1s, .timeout = 2s, .environment_proxy = false}};
          while (!stop.stop_requested()) {
            (void)client.try_send({.url = url});
            std::this_thread::sleep_for(pause);
          }
        }) {}

 private:
  sg::breaker_handle circuit_;
  std::jthread thread_;
};

/// The circuits that only stand in the list.
class crowd {
 public:
  explicit crowd(sg::registry& circuits) : circuits_(circuits) {}

  void grow(int amount) {
    const std::lock_guard lock(mutex_);
    for (int i = 0; i < amount; ++i) {
      char name[32];
      std::snprintf(name, sizeof name, "many-%05zu", handles_.size() + 1);
      handles_.push_back(circuits_.get(name));
      handles_.back().call([] {});
    }
  }

  void add(const std::string& name) {
    const std::lock_guard lock(mutex_);
    named_.push_back(circuits_.get(name));
    named_.back().call([] {});
  }

  void call(std::size_t amount) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < amount && !handles_.empty(); ++i) {
      if (sg::permit p = handles_[next_++ % handles_.size()].try_acquire()) p.success();
    }
  }

  void trip(std::size_t amount) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < amount && i < handles_.size(); ++i) handles_[i].trip("tripped by the test");
  }

 private:
  sg::registry& circuits_;
  std::mutex mutex_;
  std::vector<sg::breaker_handle> handles_;
  std::vector<sg::breaker_handle> named_;
  std::size_t next_ = 0;
};

/// What a fleet would tell, had this service one.
class fleet {
 public:
  void add(const std::string& instance, const std::string& state, const std::string& link) {
    constexpr sg::state all[] = {sg::state::closed, sg::state::open, sg::state::half_open, sg::state::forced_open,
                                 sg::state::disabled};
    const auto found = std::ranges::find_if(all, [&](sg::state s) { return to_string(s) == state; });
    if (found == std::end(all)) throw std::invalid_argument("there is no state " + state);
    const std::lock_guard lock(mutex_);
    views_.push_back({.instance = instance, .state = *found, .in_state = 125s, .calls = 12'345, .failures = 67,
                      .rejections = 8, .link = link});
  }
  std::vector<sg::instance_reading> views() {
    const std::lock_guard lock(mutex_);
    return views_;
  }

 private:
  std::mutex mutex_;
  std::vector<sg::instance_reading> views_;
};

void obey(crowd& many, fleet& others, std::atomic<std::size_t>& busy, const std::string& token) {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb;
    std::string value;
    words >> verb >> value;
    if (verb == "quit") return;
    if (verb == "circuits") many.grow(std::stoi(value));
    else if (verb == "name") many.add(from_hex(value));
    else if (verb == "view") {
      std::string state, link;
      words >> state >> link;
      others.add(from_hex(value), state, link);
    }
    else if (verb == "busy") busy = std::stoul(value);
    else if (verb == "trip") many.trip(std::stoul(value));
    else if (verb == "token") std::cout << "token " << token << "\n";
    else throw std::invalid_argument("unknown command " + line);
    std::cout << "ok" << std::endl;
  }
}

void serve(arguments a) {
  sg::registry circuits{{.environment = sg::variables{}, .timer = true}};
  auto payments = circuits.get("payments", {.failure_threshold = 3, .open_duration = 3s, .success_threshold = 2});
  auto storage = circuits.get("storage:save_task", {.failure_threshold = 5, .open_duration = 4s, .success_threshold = 2});
  crowd many{circuits};
  std::atomic<std::size_t> busy = 0;
  const caller first{payments, a.upstream + "receipts", 15ms};
  const caller second{storage, a.upstream + "tasks", 40ms};
  const std::jthread third{[&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      many.call(busy);
      std::this_thread::sleep_for(100ms);
    }
  }};
  const std::string token = a.dashboard.token;
  fleet others;
  const sg::dashboard page{std::make_shared<sg::registry_source>(circuits, [&](std::string_view) { return others.views(); }),
                           std::move(a.dashboard)};
  std::cout << "port " << page.port() << std::endl;
  obey(many, others, busy, token);
}

}  // namespace

int main(int count, char** values) {
  try {
    serve(parse(count, values));
    return 0;
  } catch (const std::exception& e) {
    std::cerr << "switchgear_page_service: " << e.what() << "\n";
    return 1;
  }
}
