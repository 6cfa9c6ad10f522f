// SPDX-License-Identifier: Apache-2.0
//
// A breaker around what any other coroutine library awaits. The library here is the smallest there can be.
#include "check.hpp"

#include <switchgear/awaitable_guard.hpp>
#include <switchgear/circuit_breaker.hpp>

#include <coroutine>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace sg = switchgear;
using namespace std::chrono_literals;

/// Of the library: a coroutine that runs at once, and ends with this object.
struct task {
  struct promise_type {
    task get_return_object() { return task{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  explicit task(std::coroutine_handle<promise_type> h) : handle(h) {}
  task(task&& other) noexcept : handle(std::exchange(other.handle, {})) {}
  ~task() { if (handle) handle.destroy(); }
  std::coroutine_handle<promise_type> handle;
};

/// Of the library: something to wait for. An empty answer is an error.
struct reply {
  std::coroutine_handle<> waiting{};
  std::string text{};

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> h) { waiting = h; }
  std::string await_resume() { return text.empty() ? throw std::runtime_error("connection reset") : text; }
  void arrives(std::string t) {
    text = std::move(t);
    std::exchange(waiting, {}).resume();
  }
};

// [guarded]
task ask(sg::circuit_breaker& llm, reply& from_server, std::string& answer) {
  try {
    answer = co_await sg::guarded(llm, from_server);
  } catch (const sg::circuit_open_error& e) {  // rejected: nothing was awaited
    answer = "later";
  } catch (const std::runtime_error& e) {
    answer = e.what();
  }
}
// [/guarded]

int main() {
  sg::circuit_breaker llm{"llm", {.failure_threshold = 1, .open_duration = 0s, .success_threshold = 1}};
  std::string answer;
  reply from_server;

  const task first = ask(llm, from_server, answer);
  from_server.arrives("hello");
  expect(answer == "hello" && llm.snapshot().metrics.successes == 1);

  const task second = ask(llm, from_server, answer);
  from_server.arrives("");
  expect(answer == "connection reset" && llm.snapshot().metrics.failures == 1);

  // Half-open: the next is a probe. While it waits there is no place for another, and nothing is awaited.
  {
    const task probe = ask(llm, from_server, answer);
    const task rejected = ask(llm, from_server, answer);
    expect(answer == "later" && rejected.handle.done() && !probe.handle.done());
  }  // destroyed while it waits: it gives its place back, and is no evidence
  expect(llm.snapshot().probes_in_flight == 0 && llm.snapshot().metrics.abandoned == 1);
}
