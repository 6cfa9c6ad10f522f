// SPDX-License-Identifier: Apache-2.0
#include "upstream.hpp"

#include "../http_server.hpp"
#include "overlap.hpp"

#include <nlohmann/json.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <system_error>

namespace switchgear::demo::fleet {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

/// A socket bound to that address; port 0 is any.
descriptor bound(const std::string& address, int port) {
  descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) errno = EINVAL, fail(address);
  if (socket.get() < 0 || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    fail("cannot take " + address + ":" + std::to_string(port));
  }
  return socket;
}

int number_in(std::string_view text) {
  int n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

class server final : public http_server {
 public:
  server(const std::vector<int>& listeners, int reports, int control) : http_server(listeners, control), reports_(reports) {}

 private:
  work begin(std::uint64_t id, std::string_view head) override {
    const auto kind = probe_kind_of(header_of(head, probe_header).value_or("none")).value_or(probe_kind::none);
    const int status = sick_ ? 503 : 200;
    ++requests_;
    if (kind == probe_kind::none) return {.takes = 1ms + requests_ * 7 % 10 * 200us, .status = status};
    const int instance = number_in(header_of(head, instance_header).value_or(""));
    probes_.begin(id, kind, instance);
    // Numbers at the same time, this one included: they may have been less a moment ago, never more.
    tell({{"probe", to_string(kind)},
          {"instance", instance},
          {"fleet", probes_.fleet()},
          {"local", probes_.local()},
          {"local_of_instance", probes_.local_of(instance)},
          {"status", status}});
    return {.takes = 30ms + ++probe_count_ * 17 % 51 * 1ms, .status = status};
  }

  void end(std::uint64_t id) override { probes_.end(id); }

  void controlled(std::string_view line) override {
    if (line == "sick") sick_ = true;
    if (line == "well") sick_ = false;
  }

  void tell(const json& j) { (void)write_line(reports_, j.dump()); }

  const int reports_;
  bool sick_ = false;
  std::uint64_t requests_ = 0, probe_count_ = 0;
  overlap probes_;
};

}  // namespace

kept_port::kept_port() {
  sockets_.push_back(bound("127.0.0.1", 0));
  sockaddr_in address{};
  socklen_t length = sizeof address;
  if (::getsockname(sockets_.front().get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) fail("no port");
  number_ = ntohs(address.sin_port);
  addresses_.push_back("127.0.0.1:" + std::to_string(number_));
}

void kept_port::keep_on(const std::string& address) {
  sockets_.push_back(bound(address, number_));
  addresses_.push_back(address + ":" + std::to_string(number_));
}

int run_fleet_upstream(const std::vector<std::string>& addresses) {
  std::vector<descriptor> sockets;
  std::vector<int> listeners;
  for (const std::string& a : addresses) {
    const auto colon = a.rfind(':');
    sockets.push_back(bound(a.substr(0, colon), number_in(a.substr(colon + 1))));
    if (::listen(sockets.back().get(), SOMAXCONN) != 0) fail("cannot listen on " + a);
    listeners.push_back(sockets.back().get());
  }
  if (!write_line(first_inherited, R"({"ready": true})")) return 1;
  server(listeners, first_inherited, first_inherited + 1).run();
  return 0;
}

}  // namespace switchgear::demo::fleet
