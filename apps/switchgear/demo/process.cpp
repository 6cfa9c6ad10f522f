// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

namespace switchgear::demo {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, s);
  return set;
}

// Between fork and exec: system calls only. Returns when something failed.
void become(char* const* arguments, const launch& how, pid_t parent) {
  // The kernel kills us when the parent is gone. If it was gone before we asked, we have another parent by now.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return;
  if (getppid() != parent) _exit(0);

  // Ctrl-C reaches the whole group: the parent decides what it means, and its death ends us.
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGINT, &ignore, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);

  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0 || dup2(how.input < 0 ? null : how.input, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0) return;
  if (how.own_group && setpgid(0, 0) != 0) return;
  if (how.own_network && unshare(CLONE_NEWNET) != 0) return;

  // First out of the way, then into place: a place may be taken by another one that has not moved yet.
  int moved[8];
  std::size_t count = 0;
  for (const int fd : how.inherited) {
    if (count == std::size(moved)) return;
    moved[count] = fcntl(fd, F_DUPFD_CLOEXEC, 64);
    if (moved[count++] < 0) return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (dup2(moved[i], first_inherited + static_cast<int>(i)) < 0) return;
  }
  // What other parts of the program have open is not always marked to be closed: sockets of the page, for one.
  close_range(first_inherited + static_cast<unsigned>(count), ~0U, CLOSE_RANGE_CLOEXEC);
  how.program.empty() ? execv("/proc/self/exe", arguments) : execvp(how.program.c_str(), arguments);
}

}  // namespace

void descriptor::close() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

listener listen_on_loopback() {
  listener l{descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (l.socket.get() < 0 || ::bind(l.socket.get(), generic, length) != 0 || ::listen(l.socket.get(), SOMAXCONN) != 0 ||
      ::getsockname(l.socket.get(), generic, &length) != 0) {
    fail("cannot listen on 127.0.0.1");
  }
  l.port = ntohs(address.sin_port);
  return l;
}

pipe_ends make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("cannot make a pipe");
  return {descriptor(ends[0]), descriptor(ends[1])};
}

bool write_line(int fd, std::string_view line) {
  const std::string whole = std::string(line) + "\n";
  for (std::size_t done = 0; done < whole.size();) {
    const ssize_t n = ::write(fd, whole.data() + done, whole.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

child::child(const launch& how) {
  std::vector<char*> argv{const_cast<char*>(how.program.empty() ? "switchgear" : how.program.c_str())};
  for (const std::string& a : how.arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) fail("cannot start a process");
  if (pid_ == 0) {
    become(argv.data(), how, parent);
    // Another program may be asked for only to see whether it is there.
    static constexpr char text[] = "switchgear demo: cannot start a process of its own\n";
    if (how.program.empty()) (void)!::write(STDERR_FILENO, text, sizeof text - 1);
    ::_exit(127);
  }
}

void child::kill_and_wait() noexcept {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

void child::signal(int number) const noexcept {
  if (pid_ > 0) ::kill(pid_, number);
}

std::string child::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFSIGNALED(status)) {
    const int s = WTERMSIG(status);
    return "signal " + std::to_string(s) + " (" + ::strsignal(s) + ")";
  }
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

signal_inbox::signal_inbox() {
  const sigset_t set = ending_signals();
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) fail("cannot block signals");
  fd_ = descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (fd_.get() < 0) fail("cannot receive signals");
}

signal_inbox::~signal_inbox() {
  const sigset_t set = ending_signals();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

std::optional<int> signal_inbox::take() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace switchgear::demo
