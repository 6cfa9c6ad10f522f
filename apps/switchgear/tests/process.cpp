// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace program_tests {

using steady = std::chrono::steady_clock;

process::process(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment) {
  int out[2], err[2];
  if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, out[1], 1);
  posix_spawn_file_actions_adddup2(&files, err[1], 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigemptyset(&all);
  for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD, SIGPIPE}) sigaddset(&all, s);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<char*> arguments, variables;
  std::vector<std::string> lines;
  for (const auto& a : command) arguments.push_back(const_cast<char*>(a.c_str()));
  for (const auto& [name, value] : environment) lines.push_back(name + "=" + value);
  for (auto& line : lines) variables.push_back(line.data());
  arguments.push_back(nullptr);
  variables.push_back(nullptr);
  const int error = ::posix_spawn(&id_, arguments[0], &files, &attributes, arguments.data(), variables.data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  ::close(out[1]);
  ::close(err[1]);
  out_ = out[0];
  err_ = err[0];
  if (error != 0) throw std::runtime_error("cannot start " + command[0]);
}

process::process(process&& other) noexcept
    : id_(std::exchange(other.id_, -1)), out_(std::exchange(other.out_, -1)), err_(std::exchange(other.err_, -1)),
      collected_(std::exchange(other.collected_, true)), so_far_(std::move(other.so_far_)) {}

process::~process() {
  if (!collected_) {
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }
  if (out_ >= 0) ::close(out_);
  if (err_ >= 0) ::close(err_);
}

void process::signal(int number) const { ::kill(id_, number); }

bool process::read_some(steady::time_point deadline) {
  pollfd both[] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}};
  if (out_ < 0 && err_ < 0) return false;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady::now()).count();
  if (left <= 0 || ::poll(both, 2, static_cast<int>(left)) <= 0) return false;
  char buffer[4096];
  const auto drain = [&](const pollfd& from, int& fd, std::string& into) {
    if ((from.revents & (POLLIN | POLLHUP)) == 0) return;
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n > 0) {
      into.append(buffer, static_cast<std::size_t>(n));
    } else {
      ::close(std::exchange(fd, -1));
    }
  };
  drain(both[0], out_, so_far_.out);
  drain(both[1], err_, so_far_.err);
  return true;
}

bool process::prints(const std::string& text) {
  const auto deadline = steady::now() + 20s;
  while (so_far_.out.find(text) == std::string::npos) {
    if (!read_some(deadline)) return false;
  }
  return true;
}

outcome process::wait() {
  const auto deadline = steady::now() + 60s;
  int status = 0;
  // The output may be held open by what the program left behind, so its end is not waited for.
  for (;;) {
    const pid_t done = ::waitpid(id_, &status, WNOHANG);
    if (done == id_) break;
    if (steady::now() >= deadline) {
      ADD_FAILURE() << "the program did not end: " << so_far_.out << so_far_.err;
      return so_far_;
    }
    if (!read_some(std::min(deadline, steady::now() + 5ms)) && out_ < 0 && err_ < 0) std::this_thread::yield();
  }
  collected_ = true;
  while (read_some(steady::now() + 5ms)) {
  }
  so_far_.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return so_far_;
}

bool eventually(const std::function<bool()>& is_so) {
  const auto deadline = steady::now() + 20s;
  while (!is_so()) {
    if (steady::now() >= deadline) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

program_test::program_test() {
  std::string pattern = (std::filesystem::temp_directory_path() / "switchgear-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = pattern;
  const char* path = std::getenv("PATH");
  environment = {{"PATH", path == nullptr ? "/usr/bin:/bin" : path},
                 {"HOME", folder_.string()},
                 {"SWITCHGEAR_STATE_DIR", state().string()}};
  for (const char* sanitizer : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"}) {
    if (const char* value = std::getenv(sanitizer)) environment[sanitizer] = value;
  }
}

program_test::~program_test() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

process program_test::start(const std::vector<std::string>& arguments) const {
  std::vector<std::string> command = {SWITCHGEAR_PROGRAM};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return {command, environment};
}

process program_test::start_exec(const std::string& script, const std::vector<std::string>& options,
                                 const std::string& name) const {
  std::vector<std::string> arguments = {"exec", "--name", name};
  arguments.insert(arguments.end(), options.begin(), options.end());
  for (const char* a : {"--", "sh", "-c"}) arguments.emplace_back(a);
  arguments.push_back(script);
  return start(arguments);
}

outcome program_test::exec(const std::string& script, const std::vector<std::string>& options,
                           const std::string& name) const {
  return start_exec(script, options, name).wait();
}

std::string program_test::fact(const std::string& path, const std::string& name) const {
  const outcome seen = run({"status", "--json", "--", name});
  if (seen.status != 0) return "status failed: " + seen.err;
  std::string pointer = "/0/" + path;
  for (char& c : pointer) c = c == '.' ? '/' : c;
  const auto value = nlohmann::json::parse(seen.out).at(nlohmann::json::json_pointer(pointer));
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace program_tests
