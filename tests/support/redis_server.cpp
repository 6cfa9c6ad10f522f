// SPDX-License-Identifier: Apache-2.0
#include "redis_server.hpp"

#include <stdexcept>
#include <utility>

namespace test_support {

redis_server::redis_server(settings with) : settings_(std::move(with)), port_(static_cast<std::uint16_t>(free_port())) {}

void redis_server::start() {
  if (start_once()) return;
  port_ = static_cast<std::uint16_t>(free_port());  // somebody else was quicker
  if (!start_once()) throw std::runtime_error("redis-server does not start");
}

void redis_server::restart_empty() {
  process_.kill();
  if (!start_once()) throw std::runtime_error("redis-server does not start again on its port");
}

bool redis_server::start_once() {
  const std::string folder = folder_.path().string();
  std::vector<std::string> command{"redis-server", "--port",      std::to_string(port_), "--save", "",
                                   "--appendonly", "no",          "--dir",               folder,   "--bind",
                                   "127.0.0.1",    "--io-threads", "1"};
  if (!settings_.password.empty()) command.insert(command.end(), {"--requirepass", settings_.password});
  if (!settings_.user.empty()) {
    command.insert(command.end(), {"--user", settings_.user, "on", ">" + settings_.user_password, "~*", "&*", "+@all"});
  }
  command.insert(command.end(), settings_.more.begin(), settings_.more.end());
  process_ = server_process({.command = command, .log = folder + "/log"});
  return eventually([&] { return !process_.running() || accepts_connections(port_); }) && process_.running();
}

}  // namespace test_support
