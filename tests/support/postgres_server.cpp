// SPDX-License-Identifier: Apache-2.0
#include "postgres_server.hpp"

#include <pwd.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace test_support {
namespace {

namespace fs = std::filesystem;

std::string find_programs() {
  std::string newest;
  std::error_code none;
  for (const fs::directory_entry& version : fs::directory_iterator("/usr/lib/postgresql", none)) {
    if (fs::exists(version.path() / "bin/initdb")) newest = std::max(newest, (version.path() / "bin").string());
  }
  if (newest.empty()) throw std::runtime_error("there is no PostgreSQL server in /usr/lib/postgresql");
  return newest;
}

std::string text_of(const fs::path& file) {
  // Not by iterators, which throw when the process that the file is about has gone meanwhile.
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return std::move(text).str();
}

/// Line `number` (from 1) of the file in which a server writes down what it holds.
std::string line_of_pid_file(const std::string& data, int number) {
  std::istringstream lines(text_of(data + "/postmaster.pid"));
  std::string line;
  while (number-- > 0) {
    if (!std::getline(lines, line)) return {};
  }
  return line;
}

/// The state and the parent, as /proc has them; no state when there is no such process.
std::pair<char, pid_t> look_at(pid_t pid) {
  const std::string text = text_of("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = text.rfind(')');  // the name may contain anything
  if (name_end == std::string::npos) return {'\0', 0};
  std::istringstream rest(text.substr(name_end + 1));
  char state = '\0';
  pid_t parent = 0;
  rest >> state >> parent;
  return {state, parent};
}

}  // namespace

postgres_server::postgres_server() : programs_(find_programs()), data_(folder() + "/data"), port_(free_port()) {
  const std::string secret = folder() + "/password", log = folder() + "/initdb.log";
  std::ofstream(secret) << password << "\n";
  // PostgreSQL refuses to work for root.
  if (::geteuid() == 0) {
    const passwd* const owner = ::getpwnam("postgres");
    if (owner == nullptr || ::chown(folder().c_str(), owner->pw_uid, owner->pw_gid) != 0 ||
        ::chown(secret.c_str(), owner->pw_uid, owner->pw_gid) != 0) {
      throw std::runtime_error("there is no user postgres");
    }
  }
  server_process initdb({.command = {programs_ + "/initdb", "-D", data_, "-U", user, "-A", "scram-sha-256", "--pwfile=" + secret,
                                     "--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C"},
                         .log = log,
                         .user = "postgres"});
  (void)eventually([&] { return !initdb.running(); }, std::chrono::seconds(120));
  start();
}

postgres_server::~postgres_server() { end_with(SIGQUIT); }

void postgres_server::start() {
  if (process_.running()) return;
  const std::string log = folder() + "/server.log";
  process_ = server_process({.command = {programs_ + "/postgres", "-D", data_, "-p", std::to_string(port_),
                                         "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + folder(),
                                         "-c", "fsync=off", "-c", "max_connections=30", "-c", "shared_buffers=16MB",
                                         "-c", "dynamic_shared_memory_type=mmap", "-c", "deadlock_timeout=50ms"},
                             .log = log,
                             .user = "postgres"});
  const auto ready = [&] {
    return line_of_pid_file(data_, 8).starts_with("ready") && line_of_pid_file(data_, 1) == std::to_string(process_.pid());
  };
  if (!eventually([&] { return ready() || !process_.running(); }, std::chrono::seconds(60)) || !process_.running()) {
    throw std::runtime_error("PostgreSQL does not start:\n" + text_of(folder() + "/initdb.log") + text_of(log));
  }
}

std::vector<pid_t> postgres_server::sessions() const {
  // Each session leads a process group of its own, so the group of the server is no help.
  std::vector<pid_t> found;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", none)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const pid_t pid = static_cast<pid_t>(std::stol(name));
    if (look_at(pid).second == process_.pid()) found.push_back(pid);
  }
  return found;
}

void postgres_server::stop() noexcept {
  if (!process_.running()) return;
  process_.stop();  // first, so that it starts no other
  (void)eventually([&] { return look_at(process_.pid()).first == 'T'; });
  for (const pid_t pid : sessions()) {
    ::kill(pid, SIGSTOP);
    (void)eventually([&] { return look_at(pid).first == 'T' || look_at(pid).first == 'Z'; });
  }
}

void postgres_server::resume() noexcept {
  if (!process_.running()) return;
  for (const pid_t pid : sessions()) ::kill(pid, SIGCONT);
  process_.resume();
}

void postgres_server::kill() noexcept {
  if (!process_.running()) return;
  process_.stop();
  (void)eventually([&] { return look_at(process_.pid()).first == 'T'; });
  // A stopped server buries nobody, so no number can have been given to somebody else.
  const std::vector<pid_t> all = sessions();
  for (const pid_t pid : all) ::kill(pid, SIGKILL);
  for (const pid_t pid : all) {
    (void)eventually([&] { return look_at(pid).first == 'Z' || look_at(pid).first == '\0'; });
  }
  process_.kill();
  clean_up();
}

void postgres_server::shut_down() noexcept { end_with(SIGINT); }

void postgres_server::end_with(int signal) noexcept {
  if (!process_.running()) return;
  resume();
  ::kill(process_.pid(), signal);
  if (!eventually([&] { return !process_.running(); })) kill();
}

void postgres_server::clean_up() noexcept {
  // What the kernel keeps of a server that was killed: a segment of shared memory, "key id" in line 7. The next one would
  // remove it, but there may be no next one.
  std::istringstream line(line_of_pid_file(data_, 7));
  long key = 0;
  int id = -1;
  if (line >> key >> id) ::shmctl(id, IPC_RMID, nullptr);
}

}  // namespace test_support
