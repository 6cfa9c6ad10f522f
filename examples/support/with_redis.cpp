// SPDX-License-Identifier: Apache-2.0
//
// with_redis PROGRAM ARGUMENTS…: runs it with the URL of a redis-server of its own as one more argument, and ends as it does.
#include "redis_server.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  try {
    test_support::redis_server server;
    server.start();
    const std::string url = "redis://127.0.0.1:" + std::to_string(server.port()) + "/0";
    std::vector<char*> command(argv + 1, argv + argc);
    command.push_back(const_cast<char*>(url.c_str()));
    command.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      ::execv(command[0], command.data());
      ::_exit(127);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
