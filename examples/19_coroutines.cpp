// SPDX-License-Identifier: Apache-2.0
//
// The policies as asynchronous operations of Boost.Asio, for coroutines, callbacks and futures.
#include "check.hpp"

#include <switchgear/asio/call.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/testing/manual_clock.hpp>
#include <switchgear/timeout.hpp>

#include <boost/asio.hpp>
#include <future>
#include <string>

namespace sg = switchgear;
namespace asio = boost::asio;
using namespace std::chrono_literals;

/// A client of a server that refuses the next requests, and after those answers, or hangs.
struct http_client {
  asio::steady_timer server;
  int refusals = 0;
  bool hangs = false;

  auto async_post(std::string prompt, auto token) {
    server.expires_at(hangs ? asio::steady_timer::time_point::max() : asio::steady_timer::time_point::min());
    const bool refuses = refusals-- > 0;
    return server.async_wait(asio::deferred([refuses, prompt](boost::system::error_code e) {
      if (refuses) e = asio::error::connection_refused;
      return asio::deferred.values(e, "reply to " + prompt);
    }))(std::move(token));
  }
};

int main() {
  asio::io_context io;
  sg::testing::manual_clock clock;
  http_client http{asio::steady_timer(io)};
  sg::circuit_breaker llm{"llm", {.failure_threshold = 3}, clock};

  // [ask]
  const auto guarded = sg::pipeline(sg::retry({.max_attempts = 3}, clock), sg::guard(llm), sg::timeout(2s, clock));
  const auto ask = [&](std::string prompt) -> asio::awaitable<std::string> {
    co_return co_await sg::asio::call(guarded, [&](auto token) { return http.async_post(prompt, token); }, asio::use_awaitable);
  };
  // [/ask]

  std::string last;
  asio::cancellation_signal signal;
  const auto run = [&](const auto& meanwhile) {
    last.clear();
    asio::co_spawn(io, ask("hello"), asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, std::string reply) {
      last = e ? "failed" : reply;
    }));
    for (io.restart(), io.poll(), meanwhile(); last.empty(); io.restart(), io.poll()) clock.advance(100ms);
    return last;
  };

  // A failure that does not last is retried away; the wait is on a timer, and holds no thread.
  http.refusals = 1;
  expect(run([] {}) == "reply to hello" && llm.snapshot().metrics.failures == 1);

  // The caller gives up: the operation is cancelled, and that is no evidence.
  http.hangs = true;
  expect(run([&] { signal.emit(asio::cancellation_type::terminal); }) == "failed" && llm.snapshot().metrics.ignored == 1);

  // Our time limit passes: the operation is cancelled too, and that is a failure, three times.
  expect(run([] {}) == "failed" && llm.snapshot().metrics.timeouts == 3 && llm.is_open());

  // The same pipeline serves callbacks, futures, and blocking code.
  // [tokens]
  const auto post = [&](auto token) { return http.async_post("hello", token); };
  sg::asio::call(io, guarded, post, [&](std::exception_ptr e, std::string) { last = e ? "rejected" : "called"; });
  std::future<std::string> reply = sg::asio::call(io, guarded, post, asio::use_future);
  // [/tokens]
  for (io.restart(); io.poll() > 0;) {}
  reply.wait();
  expect(last == "rejected");
}
