// SPDX-License-Identifier: Apache-2.0
#include "server.hpp"

#include "connection.hpp"

#include <switchgear/dashboard.hpp>
#include <switchgear/detail/library_thread.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#include <exception>
#include <string>
#include <utility>

namespace switchgear::inline v1::detail {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

/// After a failure to accept: how long until the next try. Without it, one that stays would be a loop without end.
constexpr auto pause_after_failure = std::chrono::milliseconds(50);

/// Programs that the process starts inherit no socket of ours.
void close_on_exec(int fd) noexcept { ::fcntl(fd, F_SETFD, FD_CLOEXEC); }

std::string peer_of(const tcp::endpoint& from) { return to_string(listen_address{from.address(), from.port()}); }

std::string advice(const error_code& e) {
  if (e == asio::error::address_in_use) return "; end what listens there, or take another port: 0 is any free one";
  if (e == asio::error::access_denied) return "; ports below 1024 need a privilege, take a higher one";
  if (e == boost::system::errc::address_not_available) return "; this host has no such address";
  return {};
}

/// While it lives, threads begin with signals blocked: none that is meant for the program is to land in ours. Those that a thread
/// brings upon itself, and the one of profilers, stay as they are.
class signals_blocked {
 public:
  signals_blocked() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF}) ::sigdelset(&all, own);
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  signals_blocked(const signals_blocked&) = delete;
  signals_blocked& operator=(const signals_blocked&) = delete;
  ~signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

void web_service::notice(std::initializer_list<std::string_view> parts) noexcept {
  if (!options.on_notice || !notices_.take(rate_budget::time_point::clock::now())) return;
  try {
    std::string line;
    for (const std::string_view part : parts) line += part;
    options.on_notice(line);
  } catch (...) {
    // What a handler throws is dropped, and a line for which there is no memory.
  }
}

struct web_server::state {
  state(web_options options, web_handler& handler) : service(std::move(options), handler) {}

  void listen(const listen_address& at);
  void accept();
  void on_accepted(error_code ec, tcp::socket socket);
  void take(tcp::socket socket);
  bool make_room();
  void work_now();
  void close_all();
  void run();

  web_service service;
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  asio::steady_timer again{io};
  asio::steady_timer next{io};
  std::chrono::steady_clock::duration period{};
  std::function<void()> work;
  bool failing = false;  ///< told already
};

void web_server::state::listen(const listen_address& at) {
  const tcp::endpoint endpoint(at.address, at.port);
  error_code failed;
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) close_on_exec(acceptor.native_handle());
  // The port is free again at once when a program is started anew; another one that listens still keeps it.
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) throw listen_error("cannot listen at " + to_string(at) + ": " + failed.message() + advice(failed));
}

void web_server::state::accept() {
  acceptor.async_accept([this](error_code ec, tcp::socket socket) { on_accepted(ec, std::move(socket)); });
}

void web_server::state::on_accepted(error_code ec, tcp::socket socket) {
  if (!acceptor.is_open()) return;
  if (!ec) {
    failing = false;
    try {
      take(std::move(socket));
    } catch (const std::exception&) {
      // The client is gone already, or there is no memory for it.
    }
    return accept();
  }
  again.expires_after(pause_after_failure);
  again.async_wait([this](error_code cancelled) {
    if (!cancelled && acceptor.is_open()) accept();
  });
  (void)make_room();  // there may be no file descriptor left
  if (!std::exchange(failing, true)) service.notice({"a connection could not be accepted: ", ec.message()});
}

void web_server::state::take(tcp::socket socket) {
  close_on_exec(socket.native_handle());
  if (service.counters.open_connections >= service.options.max_connections && !make_room()) {
    ++service.counters.turned_away;
    service.notice({"a connection was turned away: ", std::to_string(service.options.max_connections), " are open and busy"});
    return;
  }
  ++service.counters.connections;
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  std::string peer = peer_of(socket.remote_endpoint());
  auto client = std::make_shared<connection>(std::move(socket), std::move(peer), service);
  service.busy.push_back(client);
  client->start(std::prev(service.busy.end()));
}

bool web_server::state::make_room() {
  if (service.idle.empty()) return false;
  const auto longest = service.idle.front();
  longest->close();
  return true;
}

void web_server::state::work_now() {
  try {
    work();
  } catch (const std::exception& e) {
    service.notice({"the circuits could not be read: ", e.what()});
  } catch (...) {
    service.notice({"the circuits could not be read"});
  }
  const auto now = asio::steady_timer::clock_type::now();
  const auto due = next.expiry() + period;
  next.expires_at(due > now ? due : now + period);
  next.async_wait([this](error_code cancelled) {
    if (!cancelled && acceptor.is_open()) work_now();
  });
}

void web_server::state::close_all() {
  error_code ignored;
  acceptor.close(ignored);
  again.cancel();
  next.cancel();
  for (auto* list : {&service.busy, &service.idle}) {
    while (!list->empty()) {
      const auto client = list->front();
      client->close();
    }
  }
}

void web_server::state::run() {
  own_no_lane();
  for (;;) {
    try {
      io.run();
      return;
    } catch (const std::exception& e) {  // no memory for one client: the others go on
      service.notice({"something was given up: ", e.what()});
    }
  }
}

web_server::web_server(web_options options, web_handler& handler)
    : where_(options.access.listen) {
  state_ = std::make_unique<state>(std::move(options), handler);
  state_->listen(where_);
  where_.port = state_->acceptor.local_endpoint().port();
}

web_server::~web_server() {
  if (!thread_.joinable()) return;
  state_->io.stop();  // after what it does now, and needs no memory
  thread_.join();
  state_->close_all();  // now everything is this thread's
}

void web_server::start(std::chrono::nanoseconds period, std::function<void()> work) {
  state_->period = std::chrono::duration_cast<std::chrono::steady_clock::duration>(period);
  state_->work = std::move(work);
  asio::post(state_->io, [this] {
    state_->next.expires_at(asio::steady_timer::clock_type::now());
    state_->work_now();
    state_->accept();
  });
  const signals_blocked in_the_new_thread;
  thread_ = std::thread([this] { state_->run(); });
}

const web_counters& web_server::counters() const noexcept { return state_->service.counters; }

}  // namespace switchgear::inline v1::detail
