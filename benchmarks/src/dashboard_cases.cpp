// SPDX-License-Identifier: Apache-2.0
// What a dashboard costs the calls of the program that it is in.
#include "dashboard_cases.hpp"

#include "opaque.hpp"
#include "server_process.hpp"

#include <switchgear/dashboard.hpp>
#include <switchgear/registry.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using wall = std::chrono::steady_clock;

constexpr int circuits_shown = 20;
constexpr auto between_requests = 1ms;

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) throw std::runtime_error("no connection");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void send_get(int fd, std::string_view path, std::uint16_t port) {
  const std::string request =
      "GET " + std::string(path) + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\n\r\n";
  if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    throw std::runtime_error("the dashboard does not read");
  }
}

/// Reads one answer with a Content-Length.
void read_answer(int fd, std::string& buffer) {
  std::size_t head = std::string::npos, length = 0;
  while (head == std::string::npos || buffer.size() < head + length) {
    char piece[65536];
    const ssize_t n = ::read(fd, piece, sizeof piece);
    if (n <= 0) throw std::runtime_error("the dashboard has gone");
    buffer.append(piece, static_cast<std::size_t>(n));
    if (head != std::string::npos) continue;
    const auto end = buffer.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    head = end + 4;
    constexpr std::string_view name = "Content-Length: ";
    const auto at = buffer.find(name);
    if (at > head) throw std::runtime_error("an answer without a length");
    std::from_chars(buffer.data() + at + name.size(), buffer.data() + end, length);
  }
  buffer.erase(0, head + length);
}

void drain(int fd) {
  char piece[65536];
  pollfd readable{fd, POLLIN, 0};
  while (::poll(&readable, 1, 0) > 0 && ::read(fd, piece, sizeof piece) > 0) {
  }
}

using percentiles = bench::watched_calls::percentiles;

percentiles measure_calls(sg::circuit_breaker& breaker, wall::duration how_long) {
  std::vector<double> took;
  took.reserve(4'000'000);
  const auto end = wall::now() + how_long;
  for (auto start = wall::now(); start < end && took.size() < took.capacity();) {
    (void)breaker.call([] { return bench::opaque(1); });
    const auto stop = wall::now();
    took.push_back(std::chrono::duration<double, std::nano>(stop - start).count());
    start = wall::now();
  }
  const auto at = [&took](std::size_t percent) {
    const auto place = took.begin() + static_cast<std::ptrdiff_t>(took.size() * percent / 100);
    std::nth_element(took.begin(), place, took.end());
    return *place;
  };
  return {at(50), at(99)};
}

percentiles median(std::vector<percentiles> all) {
  const auto middle = [&all](double percentiles::*what) {
    std::ranges::sort(all, {}, what);
    return all[all.size() / 2].*what;
  };
  return {middle(&percentiles::p50), middle(&percentiles::p99)};
}

}  // namespace

int bench::ask_dashboard(std::uint16_t port) {
  try {
    const std::array streams{connect_to(port), connect_to(port)};
    for (const int stream : streams) send_get(stream, "/api/v1/events", port);
    const int fd = connect_to(port);
    std::string buffer;
    for (auto next = wall::now();; next = std::max(next + between_requests, wall::now() - 50ms)) {
      std::this_thread::sleep_until(next);
      send_get(fd, "/api/v1/circuits", port);
      read_answer(fd, buffer);
      for (const int stream : streams) drain(stream);
    }
  } catch (const std::exception&) {
    return 1;
  }
}

bench::watched_calls bench::measure_watched_calls(double seconds) {
  sg::registry plain, shown;
  for (int i = 0; i < circuits_shown; ++i) (void)shown.get("service-" + std::to_string(i));
  const sg::breaker_handle alone = plain.get("payments"), watched = shown.get("payments");
  sg::dashboard page(shown, {.listen = "127.0.0.1:0"});
  test_support::server_process asking({.command = {"/proc/self/exe", "--ask-dashboard", std::to_string(page.port())}});
  if (!test_support::eventually([&] { return page.metrics().requests > 100; })) throw std::runtime_error("nobody asks");

  // In turns, so that a slow moment of the machine falls on all of them.
  std::vector<percentiles> without, idle, asked;
  wall::duration spent{};
  std::uint64_t answered = 0;
  while (std::chrono::duration<double>(spent).count() < seconds || asked.size() < 3) {
    asking.stop();
    without.push_back(measure_calls(*alone, 100ms));
    idle.push_back(measure_calls(*watched, 100ms));
    asking.resume();
    std::this_thread::sleep_for(20ms);
    const auto start = wall::now();
    const auto before = page.metrics().requests;
    asked.push_back(measure_calls(*watched, 900ms));
    answered += page.metrics().requests - before;
    spent += wall::now() - start;
  }
  return {median(without), median(idle), median(asked),
          static_cast<double>(answered) / std::chrono::duration<double>(spent).count()};
}
