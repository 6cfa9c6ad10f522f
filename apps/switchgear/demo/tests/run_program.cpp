// SPDX-License-Identifier: Apache-2.0
#include "run_program.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace demo_test {
namespace {

using namespace std::chrono_literals;

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Of /proc/PID/stat, behind the name, which may have anything in it.
bool lives_in_group(const std::string& stat, pid_t group) {
  const auto end = stat.rfind(')');
  if (end == stat.npos) return false;
  std::istringstream fields(stat.substr(end + 1));
  char state = 0;
  pid_t parent = 0, its_group = 0;
  fields >> state >> parent >> its_group;
  return fields && its_group == group && state != 'Z' && state != 'X';
}

}  // namespace

running::running(const std::vector<std::string>& arguments) {
  std::vector<char*> argv{const_cast<char*>(SWITCHGEAR_PROGRAM)};
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  int out[2], err[2];
  if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) throw std::runtime_error("no pipes");
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("no process");
  if (pid_ == 0) {
    ::setpgid(0, 0);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    ::execv(SWITCHGEAR_PROGRAM, argv.data());
    ::_exit(127);
  }
  ::setpgid(pid_, pid_);  // whoever is first
  ::close(out[1]);
  ::close(err[1]);
  ends_[0] = out[0];
  ends_[1] = err[0];
  for (int i = 0; i < 2; ++i) {
    readers_[i] = std::thread([this, i] {
      char buffer[4096];
      for (ssize_t n = 0; (n = ::read(ends_[i], buffer, sizeof buffer)) > 0;) {
        texts_[i].append(buffer, static_cast<std::size_t>(n));
      }
    });
  }
}

running::~running() {
  ::kill(-pid_, SIGKILL);
  if (!waited_) ::waitpid(pid_, nullptr, 0);
  for (std::thread& t : readers_) {
    if (t.joinable()) t.join();
  }
  for (const int fd : ends_) ::close(fd);
}

void running::signal(int number) const { ::kill(pid_, number); }

void running::signal_group(int number) const { ::kill(-pid_, number); }

ending running::wait() {
  ending e;
  const auto limit = std::chrono::steady_clock::now() + 60s;
  for (int status = 0;;) {
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      waited_ = true;
      e.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
      e.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
      return e;
    }
    if (std::chrono::steady_clock::now() > limit) ::kill(pid_, SIGKILL);
    std::this_thread::sleep_for(5ms);
  }
}

std::string running::output() {
  if (readers_[0].joinable()) readers_[0].join();
  return texts_[0];
}

std::string running::errors() {
  if (readers_[1].joinable()) readers_[1].join();
  return texts_[1];
}

std::vector<pid_t> running::members(std::string_view with) const {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    if (!lives_in_group(content(entry.path() / "stat"), pid_)) continue;
    if (content(entry.path() / "cmdline").find(with) != std::string::npos) found.push_back(std::atoi(name.c_str()));
  }
  return found;
}

std::vector<pid_t> running::wait_for_members(std::string_view with, std::size_t count) const {
  const auto limit = std::chrono::steady_clock::now() + 20s;
  std::vector<pid_t> found = members(with);
  while (found.size() < count && std::chrono::steady_clock::now() < limit) {
    std::this_thread::sleep_for(5ms);
    found = members(with);
  }
  return found;
}

std::vector<pid_t> running::left_behind() const {
  const auto limit = std::chrono::steady_clock::now() + 5s;
  std::vector<pid_t> left = members();
  while (!left.empty() && std::chrono::steady_clock::now() < limit) {
    std::this_thread::sleep_for(5ms);
    left = members();
  }
  return left;
}

}  // namespace demo_test
