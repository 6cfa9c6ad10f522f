// SPDX-License-Identifier: Apache-2.0
#include "tcp_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace test_support {
namespace {

using clock_type = std::chrono::steady_clock;
using namespace std::chrono_literals;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

void reset(int fd) {
  const linger at_once{1, 0};
  (void)::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(fd);
}

struct chunk {
  clock_type::time_point due;
  std::string bytes;
};

struct direction {
  int from, to;
  std::deque<chunk> queue{};
  bool ended = false;  // nothing more will come
  static constexpr std::size_t most_chunks = 64;
};

struct link {
  int client, server;
  direction up{client, server}, down{server, client};
};

}  // namespace

struct tcp_proxy::loop {
  explicit loop(std::uint16_t to) : server_port(to), wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!listen()) throw std::runtime_error("the proxy has no port");
    thread = std::thread([this] { run(); });
  }
  ~loop() {
    post([this] { ending = true; });
    thread.join();
    cut();
    ::close(wake);
  }

  bool listen() {
    listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    (void)::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address = loopback(port);
    socklen_t length = sizeof address;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), length) == 0 && ::listen(listener, 128) == 0 &&
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) == 0) {
      if (port == 0) port = ntohs(address.sin_port);  // read by others later on
      return true;
    }
    ::close(std::exchange(listener, -1));
    return false;
  }

  void cut() {
    if (listener >= 0) ::close(std::exchange(listener, -1));
    for (const link& l : links) drop(l);
    links.clear();
    bytes_left.reset();
  }
  static void drop(const link& l) {
    reset(l.client);
    reset(l.server);
  }

  // Runs `action` on the thread of the loop, and returns when it has run.
  void post(const std::function<void()>& action) {
    std::unique_lock lock(mutex);
    const std::uint64_t mine = ++posted;
    actions.push_back(&action);
    const std::uint64_t one = 1;
    (void)!::write(wake, &one, sizeof one);
    changed.wait(lock, [&] { return done >= mine; });
  }
  void run_actions() {
    std::uint64_t ignored = 0;
    (void)!::read(wake, &ignored, sizeof ignored);
    const std::lock_guard lock(mutex);
    for (const auto* action : actions) (*action)();
    done += actions.size();
    actions.clear();
    changed.notify_all();
  }

  void accept_all() {
    for (;;) {
      const int client = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (client < 0) return;
      ++accepted;
      const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in address = loopback(server_port);
      if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(server);
        reset(client);
        continue;
      }
      links.push_back({client, server});
    }
  }

  // False when the link is over.
  bool take(direction& d) {
    if (d.ended || d.queue.size() >= direction::most_chunks) return true;
    std::array<char, 16 * 1024> buffer;
    const ssize_t got = ::recv(d.from, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) d.ended = true;
    if (got > 0) d.queue.push_back({clock_type::now() + latency, std::string(buffer.data(), static_cast<std::size_t>(got))});
    return true;
  }
  bool pass(direction& d, bool counted) {
    while (!d.queue.empty() && d.queue.front().due <= clock_type::now()) {
      std::string& bytes = d.queue.front().bytes;
      std::size_t most = bytes.size();
      if (counted && bytes_left) most = std::min(most, *bytes_left);
      const ssize_t sent = most == 0 ? 0 : ::send(d.to, bytes.data(), most, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN || errno == EINTR;
      if (counted && bytes_left) *bytes_left -= static_cast<std::size_t>(sent);
      if (counted && bytes_left && *bytes_left == 0) {
        cut_due = true;
        return true;
      }
      bytes.erase(0, static_cast<std::size_t>(sent));
      if (bytes.empty()) d.queue.pop_front();
    }
    return !(d.ended && d.queue.empty());
  }

  void run() {
    while (!ending) {
      wait();
      run_actions();
      if (listener >= 0) accept_all();
      if (!hole) {
        std::erase_if(links, [&](link& l) {
          const bool lives = take(l.up) && take(l.down) && pass(l.up, false) && pass(l.down, true);
          if (!lives) drop(l);
          return !lives;
        });
      }
      // What was passed before the cut is read before the reset is: the client's side is closed in order.
      if (std::exchange(cut_due, false)) {
        for (link& l : links) {
          ::close(l.client);
          reset(l.server);
        }
        links.clear();
        cut();
      }
    }
  }

  void wait() {
    std::vector<pollfd> watched{{wake, POLLIN, 0}};
    if (listener >= 0) watched.push_back({listener, POLLIN, 0});
    int limit = -1;
    if (!hole) {
      for (const link& l : links) {
        for (const direction* d : {&l.up, &l.down}) {
          if (!d->ended && d->queue.size() < direction::most_chunks) watched.push_back({d->from, POLLIN, 0});
          if (d->queue.empty()) continue;
          const auto left = std::chrono::ceil<std::chrono::milliseconds>(d->queue.front().due - clock_type::now()).count();
          if (left <= 0) watched.push_back({d->to, POLLOUT, 0});
          if (left > 0) limit = limit < 0 ? static_cast<int>(left) : std::min(limit, static_cast<int>(left));
        }
      }
    }
    (void)::poll(watched.data(), watched.size(), limit);
  }

  const std::uint16_t server_port;
  std::uint16_t port = 0;
  const int wake;
  int listener = -1;
  std::list<link> links;
  std::size_t accepted = 0;
  std::optional<std::size_t> bytes_left;
  std::chrono::milliseconds latency{0};
  bool hole = false, cut_due = false, ending = false;

  std::mutex mutex;  // the rest, except the thread
  std::condition_variable changed;
  std::vector<const std::function<void()>*> actions;
  std::uint64_t posted = 0, done = 0;
  std::thread thread;
};

tcp_proxy::tcp_proxy(std::uint16_t server_port) : loop_(std::make_unique<loop>(server_port)) {}
tcp_proxy::~tcp_proxy() = default;

std::uint16_t tcp_proxy::port() const noexcept { return loop_->port; }
void tcp_proxy::cut() {
  loop_->post([&] { loop_->cut(); });
}
void tcp_proxy::heal() {
  bool listens = false;
  loop_->post([&] {
    loop_->latency = 0ms;
    loop_->hole = false;
    loop_->bytes_left.reset();
    listens = loop_->listener >= 0 || loop_->listen();
  });
  if (!listens) throw std::runtime_error("the port of the proxy was taken");
}
void tcp_proxy::cut_after(std::size_t bytes) {
  loop_->post([&] { loop_->bytes_left = bytes; });
}
void tcp_proxy::delay(std::chrono::milliseconds by) {
  loop_->post([&] { loop_->latency = by; });
}
void tcp_proxy::black_hole(bool on) {
  loop_->post([&] { loop_->hole = on; });
}
std::size_t tcp_proxy::connections() const {
  std::size_t n = 0;
  loop_->post([&] { n = loop_->links.size(); });
  return n;
}
std::size_t tcp_proxy::accepted() const {
  std::size_t n = 0;
  loop_->post([&] { n = loop_->accepted; });
  return n;
}

}  // namespace test_support
