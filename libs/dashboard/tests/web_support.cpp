// SPDX-License-Identifier: Apache-2.0
#include "web_support.hpp"

#include "../src/web/server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace web_test {
namespace {

namespace detail = switchgear::detail;

constexpr int poll_patience = static_cast<int>(std::chrono::milliseconds(patience).count());

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

const detail::asset* find(std::string_view path) noexcept {
  static const detail::asset script{.path = "/assets/page.js",
                                    .content_type = "text/javascript; charset=utf-8",
                                    .bytes = "const x = 1;\n",
                                    .etag = "\"abc\""};
  static const detail::asset index{.path = "/",
                                   .content_type = "text/html; charset=utf-8",
                                   .bytes = "<!doctype html>",
                                   .etag = "\"i\""};
  if (path == script.path) return &script;
  return path == index.path ? &index : nullptr;
}

class handler final : public detail::web_handler {
 public:
  std::atomic<int> asked{0};

  detail::web_answer answer(const detail::web_request& r) override {
    ++asked;
    const auto text = [](std::string body) {
      return detail::web_answer{.content_type = "text/plain", .body = std::make_shared<const std::string>(std::move(body))};
    };
    if (r.path.size() == 1 && r.path[0] == "hello") return text("hello");
    if (r.path.size() == 1 && r.path[0] == "echo") return text(r.content_type + ":" + r.body);
    if (r.path.size() == 1 && r.path[0] == "failing") throw std::bad_alloc();
    if (r.path.size() == 1 && r.path[0] == "unsafe") {
      auto a = text("");
      a.headers.emplace_back("X-Text", "a\r\nSet-Cookie: b=c");
      return a;
    }
    if (r.path.size() == 2 && r.path[0] == "large") return text(std::string(std::stoul(r.path[1]), 'x'));
    return detail::error_answer(404, "not_found", "there is nothing of this name");
  }

  std::shared_ptr<void> open_stream(detail::stream_writer write) override {
    write(std::make_shared<const std::string>("event: first\n\n"));
    const std::lock_guard lock(mutex_);
    auto w = std::make_shared<detail::stream_writer>(std::move(write));
    writers_.emplace_back(w);
    return w;
  }

  void tell(std::string_view piece) {
    const auto shared = std::make_shared<const std::string>(piece);
    std::vector<std::shared_ptr<detail::stream_writer>> now;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& w : writers_) now.push_back(w.lock());
    }
    for (const auto& w : now) {
      if (w) (*w)(shared);
    }
  }

  std::size_t streams() {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(writers_.begin(), writers_.end(), [](const auto& w) { return !w.expired(); }));
  }

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<detail::stream_writer>> writers_;
};

}  // namespace

bool becomes_true(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

std::string answer::field(std::string_view name) const {
  std::string_view rest = head;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find("\r\n"), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 2, rest.size()));
    const std::size_t colon = line.find(": ");
    if (colon != line.npos && same_letters(line.substr(0, colon), name)) return std::string(line.substr(colon + 2));
  }
  return {};
}

client::client(std::uint16_t port, int receive_buffer) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer != 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    ::close(fd_);
    throw std::runtime_error("cannot connect to the server of the test");
  }
}

client::~client() {
  if (fd_ >= 0) ::close(fd_);
}

bool client::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void client::send_no_more() const { ::shutdown(fd_, SHUT_WR); }

bool client::read_more() {
  pollfd p{fd_, POLLIN, 0};
  if (::poll(&p, 1, poll_patience) <= 0) throw std::runtime_error("the server of the test neither answers nor closes");
  std::array<char, 65'536> bytes{};
  const ssize_t n = ::recv(fd_, bytes.data(), bytes.size(), 0);
  if (n <= 0) return false;
  kept_.append(bytes.data(), static_cast<std::size_t>(n));
  return true;
}

bool client::read_until(std::string_view text) {
  while (kept_.find(text) == kept_.npos) {
    if (!read_more()) return false;
  }
  return true;
}

answer client::read_answer(bool to_head) {
  answer a;
  if (!read_until("\r\n\r\n") || kept_.size() < 12) return a;
  const std::size_t end = kept_.find("\r\n\r\n") + 4;
  a.head = kept_.substr(0, end);
  a.status = std::atoi(a.head.c_str() + 9);
  kept_.erase(0, end);
  const std::size_t length = to_head ? 0 : static_cast<std::size_t>(std::atoll(a.field("Content-Length").c_str()));
  while (kept_.size() < length) {
    if (!read_more()) return {};
  }
  a.body = kept_.substr(0, length);
  kept_.erase(0, length);
  return a;
}

std::string client::read_all(bool& closed) {
  closed = is_closed_by_the_other_side();
  return std::exchange(kept_, {});
}

bool client::is_closed_by_the_other_side() {
  try {
    while (read_more()) {
    }
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

std::string request(std::string_view line, std::string_view fields, std::string_view body) {
  std::string text(line);
  text.append(" HTTP/1.1\r\nHost: localhost\r\n").append(fields);
  if (!body.empty()) text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  return text.append("\r\n").append(body);
}

struct site::parts {
  explicit parts(const site_options& o)
      : server({.access = {.listen = {boost::asio::ip::address_v4::loopback(), o.port}, .token = token},
                .find = find,
                .max_connections = o.max_connections,
                .client_timeout = o.client_timeout,
                .streams = {.bytes = o.stream_bytes, .pieces = o.stream_pieces},
                .on_notice = o.on_notice},
               asked) {
    server.start(100ms, o.work ? o.work : [] {});
  }
  handler asked;
  detail::web_server server;
};

site::site(site_options options) : parts_(std::make_unique<parts>(options)) {}
site::~site() = default;
void site::stop() { parts_.reset(); }
std::uint16_t site::port() const { return parts_->server.where().port; }
void site::tell(std::string_view piece) { parts_->asked.tell(piece); }
std::size_t site::streams() const { return parts_->asked.streams(); }
int site::asked() const { return parts_->asked.asked; }
std::uint64_t site::requests() const { return parts_->server.counters().requests; }
std::uint64_t site::refused() const { return parts_->server.counters().refused; }
std::uint64_t site::connections() const { return parts_->server.counters().connections; }
std::uint64_t site::turned_away() const { return parts_->server.counters().turned_away; }
std::uint64_t site::slow_clients() const { return parts_->server.counters().slow_clients; }
std::size_t site::open_connections() const { return parts_->server.counters().open_connections; }
std::size_t site::watching() const { return parts_->server.counters().watching; }

}  // namespace web_test
