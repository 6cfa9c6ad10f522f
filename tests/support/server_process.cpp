// SPDX-License-Identifier: Apache-2.0
#include "server_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace test_support {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

// Between fork and exec: system calls only. Returns when something failed.
void become(char* const* command, int log, const passwd* user, pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return;
  if (getppid() != parent) _exit(0);
  if (user != nullptr) {
    if (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0) return;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return;  // forgotten when the user changes
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (input < 0 || dup2(input, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) return;
  close_range(3, ~0u, 0);
  execvp(command[0], command);
}

}  // namespace

temporary_folder::temporary_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "switchgear-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
  path_ = name;
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

int free_port() {
  static int last = 0;
  for (;;) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    const bool got = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
    ::close(fd);
    if (!got) throw std::runtime_error("there is no free port");
    const int port = ntohs(address.sin_port);
    if (std::exchange(last, port) != port) return port;
  }
}

bool accepts_connections(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool connected = fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

bool eventually(const std::function<bool()>& condition, std::chrono::seconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

server_process::server_process(const settings& with) {
  std::vector<char*> command;
  for (const std::string& word : with.command) command.push_back(const_cast<char*>(word.c_str()));
  command.push_back(nullptr);
  const passwd* user = nullptr;
  if (!with.user.empty() && ::geteuid() == 0) {
    user = ::getpwnam(with.user.c_str());
    if (user == nullptr) throw std::runtime_error("there is no user " + with.user);
  }
  const std::string file = with.log.empty() ? "/dev/null" : with.log;
  const int log = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) throw std::runtime_error("cannot write " + file);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    become(command.data(), log, user, parent);
    _exit(127);
  }
  ::close(log);
  if (pid_ < 0) throw std::runtime_error("cannot start " + with.command.front());
}

bool server_process::running() noexcept {
  if (pid_ <= 0) return false;
  if (::waitpid(pid_, nullptr, WNOHANG) == 0) return true;
  pid_ = -1;
  return false;
}

void server_process::stop() noexcept {
  if (pid_ > 0) ::kill(pid_, SIGSTOP);
}
void server_process::resume() noexcept {
  if (pid_ > 0) ::kill(pid_, SIGCONT);
}
void server_process::terminate() noexcept { end_with(SIGTERM); }
void server_process::kill() noexcept { end_with(SIGKILL); }

void server_process::end_with(int signal) noexcept {
  if (pid_ <= 0) return;
  ::kill(pid_, signal);
  if (signal != SIGKILL) ::kill(pid_, SIGCONT);  // one that was stopped hears nothing else
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

}  // namespace test_support
