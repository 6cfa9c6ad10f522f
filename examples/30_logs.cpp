// SPDX-License-Identifier: Apache-2.0
//
// What happens to circuits as lines of a log: JSON, one object a line. Of an outage's many rejections few are written, and the
// next line tells how many were left out.
#include "check.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/log.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace sg = switchgear;
using namespace std::chrono_literals;

/// The messages of the lines, since their times are different each time.
std::vector<std::string> messages_in(const std::string& lines) {
  std::vector<std::string> out;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    const std::string before = "\"message\":\"";
    const std::size_t begin = line.find(before) + before.size();
    out.push_back(line.substr(begin, line.find('"', begin) - begin));
  }
  return out;
}

int main() {
  sg::testing::manual_clock clock;
  sg::circuit_breaker payments{"payments", {.failure_threshold = 2, .open_duration = 30s, .success_threshold = 1}, clock};
  std::ostringstream out;  // std::clog, or a file

  // [log]
  sg::event_log log{sg::json_lines(out), {.least = sg::log_level::info, .lines_per_circuit = 1, .per = 10s}, clock};
  auto listening = payments.observe(log.handler(), sg::event_filter::problems);
  // [/log]

  const auto reject = [&](int times) {
    for (int i = 0; i < times; ++i) expect(!payments.try_acquire({.correlation_id = "order-" + std::to_string(i)}));
    sg::drain_events();  // events come on a thread of their own, and here the time is moved by hand
  };
  payments.try_acquire().failure("connection refused", {.correlation_id = "order-17"});
  payments.try_acquire().failure("connection refused", {.correlation_id = "order-18"});
  reject(100);
  clock.advance(10s);
  reject(5);
  clock.advance(20s);
  payments.try_acquire().success();
  sg::drain_events();

  std::cout << out.str();
  const std::vector<std::string> expected{
      "circuit payments failure: connection refused",
      "circuit payments failure: … and 1 more in the last 1 s",
      "circuit payments closed → open: 2 consecutive failures (threshold 2)",
      "circuit payments rejected: open",
      "circuit payments rejected: open … and 99 more in the last 10 s",
      "circuit payments rejected: … and 4 more in the last 20 s",
      "circuit payments open → half_open: open duration passed",
      "circuit payments half_open → closed: 1 probe succeeded (threshold 1)",
  };
  expect(messages_in(out.str()) == expected);
  expect(out.str().find("\"correlation_id\":\"order-17\"") != std::string::npos);
  expect(log.metrics().left_out == 1 + 99 + 4);

  // [flush]
  listening.end();
  log.flush();  // for programs that end: what was left out since
  // [/flush]
}
