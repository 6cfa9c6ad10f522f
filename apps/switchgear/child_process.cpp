// SPDX-License-Identifier: Apache-2.0
#include "child_process.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using steady = std::chrono::steady_clock;

constexpr int ending_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

bool is_ignored(int signal) {
  struct sigaction now{};
  return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

/// The terminal that the shell and we belong to, if there is one.
class terminal {
 public:
  terminal() : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {}
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;
  ~terminal() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] bool is_ours() const { return fd_ >= 0 && ::tcgetpgrp(fd_) == ::getpgrp(); }
  [[nodiscard]] bool is_of(pid_t group) const { return fd_ >= 0 && ::tcgetpgrp(fd_) == group; }
  void give(pid_t group) const {
    if (fd_ >= 0) ::tcsetpgrp(fd_, group);
  }

 private:
  int fd_;
};

struct started {
  pid_t process = -1;
  int error = 0;
};

[[noreturn]] void become(const std::vector<char*>& arguments, const signal_keeper& signals, int report) {
  ::setpgid(0, 0);
  ::signal(SIGCHLD, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &signals.before(), nullptr);
  ::execvp(arguments[0], arguments.data());
  const int error = errno;
  while (::write(report, &error, sizeof error) < 0 && errno == EINTR) {
  }
  ::_exit(127);
}

started start(const std::vector<std::string>& command, const signal_keeper& signals) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  int report[2];
  if (::pipe2(report, O_CLOEXEC) != 0) return {-1, errno};
  const pid_t process = ::fork();
  if (process == 0) become(arguments, signals, report[1]);
  const int fork_error = errno;
  ::close(report[1]);
  started out{process, process < 0 ? fork_error : 0};
  if (process > 0) {
    ::setpgid(process, process);  // here too, so that the group is there whoever runs first
    int error = 0;
    ssize_t got = 0;
    while ((got = ::read(report[0], &error, sizeof error)) < 0 && errno == EINTR) {
    }
    if (got == sizeof error) {
      ::waitpid(process, nullptr, 0);
      out = {-1, error};
    }
  }
  ::close(report[0]);
  return out;
}

/// What happens between start and end, one wake-up after the other.
class supervision {
 public:
  supervision(pid_t process, const signal_keeper& signals, const child_limits& limits)
      : group_(process), signals_(signals), limits_(limits), started_at_(steady::now()) {}

  child_end run() {
    for (;;) {
      take_news();
      if (done()) break;
      enforce_limits();
      handle(wait_for_signal());
    }
    if (tty_.is_of(group_)) tty_.give(::getpgrp());
    // Ctrl-C while the command has the terminal goes to the command alone; dying of it is the caller's wish all the
    // same.
    if (had_terminal_ && (out_.signal == SIGINT || out_.signal == SIGQUIT) && out_.cancelled_by == 0) {
      out_.cancelled_by = out_.signal;
    }
    return out_;
  }

 private:
  [[nodiscard]] bool group_lives() const { return ::kill(-group_, 0) == 0 || errno == EPERM; }
  void signal_group(int signal) const { ::kill(-group_, signal); }

  void take_news() {
    int status = 0;
    // The orphans of the command come to us (see run_child), so all of them are collected here.
    for (pid_t who = 0; (who = ::waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0;) {
      if (who != group_) continue;
      if (WIFSTOPPED(status)) {
        stopped(WSTOPSIG(status));
      } else {
        ended_ = true;
        out_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        out_.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      }
    }
  }

  void stopped(int signal) {
    // Ctrl-Z may come while the command stops for another reason; continuing it would swallow the wish.
    if (stop_wanted_) return stop_ourselves(SIGTSTP);
    const bool wants_terminal = signal == SIGTTIN || signal == SIGTTOU;
    if (wants_terminal && (tty_.is_ours() || tty_.is_of(group_))) return continue_child();
    if (signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) stop_ourselves(signal);
  }

  /// Continues it before it gets the terminal: a Ctrl-Z in between comes to us then, while one that came to a command
  /// that is still stopped would be forgotten by the system. Should it ask for the terminal once more, it is continued
  /// once more.
  void continue_child() {
    signal_group(SIGCONT);
    if (tty_.is_ours()) {
      tty_.give(group_);
      had_terminal_ = true;
    }
  }

  /// Stops us as the command was stopped, so that the shell sees its job stop, and goes on when we are continued.
  void stop_ourselves(int signal) {
    stop_wanted_ = false;
    if (tty_.is_of(group_)) tty_.give(::getpgrp());
    sigset_t one, all;
    sigemptyset(&one);
    sigaddset(&one, signal);
    ::kill(::getpid(), signal);
    ::sigprocmask(SIG_UNBLOCK, &one, &all);  // stops here
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    sigset_t pending;
    sigpending(&pending);
    const bool was_stopped = sigismember(&pending, SIGCONT) == 1;
    // Where no shell is left to continue us the system does not stop us; it ends what waits for a terminal then, and so
    // do we.
    if (!was_stopped && signal != SIGTSTP) signal_group(SIGHUP);
    resume();
  }

  /// The terminal goes to the command when it had it; otherwise when it asks for it.
  void resume() {
    if (had_terminal_) return continue_child();
    signal_group(SIGCONT);
  }

  void enforce_limits() {
    const auto now = steady::now();
    if (limits_.timeout && !limit_passed_ && !ended_ && now - started_at_ >= *limits_.timeout) {
      limit_passed_ = true;
      out_.timed_out = out_.cancelled_by == 0;
      if (out_.timed_out && limits_.at_timeout) limits_.at_timeout();
      signal_group(SIGTERM);
      signal_group(SIGCONT);
      kill_at_ = steady::now() + limits_.grace;
    }
    if (kill_at_ && !killed_at_ && now >= *kill_at_) {
      signal_group(SIGKILL);
      killed_at_ = now;
    }
  }

  /// After a timeout the end of the command is not enough: its group has to be gone, or killed a second ago.
  [[nodiscard]] bool done() const {
    if (!ended_ || !limit_passed_ || !group_lives()) return ended_;
    return killed_at_ && steady::now() - *killed_at_ > std::chrono::seconds(1);
  }

  int wait_for_signal() const {
    using namespace std::chrono_literals;
    const auto now = steady::now();
    // Nobody tells us when a process of the group that is not our child ends.
    std::chrono::nanoseconds pause = ended_ ? 10ms : 1h;
    if (limits_.timeout && !limit_passed_) {
      const auto left = *limits_.timeout - (now - started_at_);
      pause = std::min(pause, std::chrono::duration_cast<std::chrono::nanoseconds>(left));
    }
    if (kill_at_ && !killed_at_) pause = std::min<std::chrono::nanoseconds>(pause, *kill_at_ - now);
    pause = std::max<std::chrono::nanoseconds>(pause, 0ns);
    const timespec t{.tv_sec = pause.count() / 1'000'000'000, .tv_nsec = pause.count() % 1'000'000'000};
    return ::sigtimedwait(&signals_.kept(), nullptr, &t);
  }

  void handle(int signal) {
    if (signal <= 0 || signal == SIGCHLD) return;
    if (signal == SIGTSTP) {
      stop_wanted_ = true;
      signal_group(SIGTSTP);  // its stop comes back as news and stops us too
    } else if (signal == SIGCONT) {
      stop_wanted_ = false;
      resume();
    } else {
      if (!out_.timed_out && out_.cancelled_by == 0) out_.cancelled_by = signal;
      signal_group(signal);
      signal_group(SIGCONT);
    }
  }

  pid_t group_;
  const signal_keeper& signals_;
  const child_limits& limits_;
  steady::time_point started_at_;
  terminal tty_;
  bool had_terminal_ = false;
  bool stop_wanted_ = false;
  bool ended_ = false;
  bool limit_passed_ = false;
  std::optional<steady::time_point> kill_at_;
  std::optional<steady::time_point> killed_at_;
  child_end out_;
};

}  // namespace

signal_keeper::signal_keeper() {
  ::signal(SIGCHLD, SIG_DFL);  // whoever started us may have ignored it, and then nobody could be waited for
  sigset_t blocked;
  sigemptyset(&kept_);
  sigaddset(&kept_, SIGCHLD);
  sigaddset(&kept_, SIGCONT);
  if (!is_ignored(SIGTSTP)) sigaddset(&kept_, SIGTSTP);
  for (const int s : ending_signals) {
    if (!is_ignored(s)) sigaddset(&kept_, s);  // nohup stays nohup, for us and for the command
  }
  blocked = kept_;
  sigaddset(&blocked, SIGTTOU);  // or taking the terminal back would stop us
  ::sigprocmask(SIG_BLOCK, &blocked, &before_);
}

signal_keeper::~signal_keeper() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

child_end run_child(const std::vector<std::string>& command, const signal_keeper& signals, const child_limits& limits) {
  // What the command leaves behind becomes our child, so that a group that was ended is collected and no zombie stays.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const started child = start(command, signals);
  if (child.process < 0) return {.start_error = child.error};
  return supervision(child.process, signals, limits).run();
}
