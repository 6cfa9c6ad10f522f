// SPDX-License-Identifier: Apache-2.0
#include "store.hpp"

#include <switchgear/bus_url.hpp>
#include <switchgear/redis/connection.hpp>
#include <switchgear/redis/options.hpp>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace switchgear::demo::fleet {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 10s;  ///< for a server to start

std::string random_word() {
  std::random_device source;
  std::string word;
  for (int i = 0; i < 6; ++i) {
    char text[9];
    std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(source()));
    word += text;
  }
  return word;
}

/// Something to read that is gone with its descriptor.
descriptor file_with(const std::string& text) {
  descriptor file(::memfd_create("settings", MFD_CLOEXEC));
  if (file.get() < 0 || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::lseek(file.get(), 0, SEEK_SET) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot write the settings of redis-server");
  }
  return file;
}

redis::connection connect(const std::string& url, std::chrono::nanoseconds limit) {
  redis::options o = redis::options_of(parse_bus_url(url));
  o.connect_timeout = limit;
  o.timeout = limit;
  return redis::connection::open(o);
}

bool answers(const std::string& url) {
  try {
    return connect(url, 1s).command({"PING"}).text == "PONG";
  } catch (const error&) {
    return false;  // not yet there, or still loading
  }
}

/// The keeper: waits for our end and takes the folder away. It is in no terminal's group, so that no Ctrl-C takes it before us.
[[noreturn]] void keep(int until, const std::filesystem::path& folder) {
  ::setsid();
  if (until != 0) ::dup2(until, 0);
  ::close_range(1, ~0U, 0);
  char nothing = 0;
  while (::read(0, &nothing, 1) < 0 && errno == EINTR) {
  }
  // A server that is dying may still be writing.
  std::error_code failed;
  for (int i = 0; i < 100; ++i) {
    std::filesystem::remove_all(folder, failed);
    if (!std::filesystem::exists(folder)) break;
    std::this_thread::sleep_for(10ms);
  }
  ::_exit(0);
}

}  // namespace

store::store() : password_(random_word()) {
  std::string name = (std::filesystem::temp_directory_path() / "switchgear-demo-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder for redis-server");
  folder_ = name;
  pipe_ends ends = make_pipe();
  keeper_pid_ = ::fork();
  if (keeper_pid_ == 0) keep(ends.read.get(), folder_);
  if (keeper_pid_ < 0) {
    std::filesystem::remove_all(folder_);
    throw std::runtime_error("cannot start a process");
  }
  keeper_ = std::move(ends.write);
}

store::~store() {
  process_.kill_and_wait();
  keeper_.close();
  while (::waitpid(keeper_pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::string store::url(const std::string& address) const {
  return "redis://:" + password_ + "@" + address + ":" + std::to_string(port_) + "/0";
}

std::string store::settings() const {
  return "bind " + addresses_ + "\nport " + std::to_string(port_) + "\nrequirepass " + password_ + "\ndir " + folder_.string() +
         "\nsave \"\"\nappendonly no\ndaemonize no\nlogfile \"\"\n";
}

bool store::start_once() {
  const descriptor input = file_with(settings());
  process_ = child(launch{.arguments = {"-"}, .inherited = {}, .program = "redis-server", .input = input.get(),
                         .own_group = true});
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!answers(url())) {
    siginfo_t gone{};
    const bool ended = ::waitid(P_PID, static_cast<id_t>(process_.pid()), &gone, WEXITED | WNOHANG | WNOWAIT) == 0 &&
                       gone.si_pid != 0;
    if (ended && gone.si_code == CLD_EXITED && gone.si_status == 127) throw std::runtime_error("there is no redis-server");
    if (ended || std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

void store::start() {
  if (port_ != 0) {
    if (!start_once()) throw std::runtime_error("redis-server does not start again on its port");
    return;
  }
  for (int attempt = 0; attempt < 3; ++attempt) {
    port_ = listen_on_loopback().port;  // free a moment ago; somebody else may be quicker
    if (start_once()) return;
  }
  throw std::runtime_error("redis-server does not start");
}

void store::kill_and_forget() {
  process_.kill_and_wait();
  std::error_code none;
  std::filesystem::remove(folder_ / "dump.rdb", none);
}

void store::save_and_end() {
  try {
    (void)connect(url(), 5s).command({"SHUTDOWN", "SAVE"});
  } catch (const redis::io_error&) {
    // How one hears that it has ended.
  }
  process_.wait();
}

void store::stop() const { process_.signal(SIGSTOP); }
void store::resume() const { process_.signal(SIGCONT); }
void store::flush() const { (void)connect(url(), 5s).command({"FLUSHALL"}); }

std::size_t flush_namespace(const std::string& url, const std::string& name) {
  auto to = connect(url, 5s);
  std::size_t deleted = 0;
  for (std::string cursor = "0";;) {
    const redis::reply found = to.command({"SCAN", cursor, "MATCH", "sg:{" + name + "}:*", "COUNT", "1000"});
    for (const redis::reply& key : found.elements.at(1).elements) {
      deleted += static_cast<std::size_t>(to.command({"DEL", key.text}).integer);
    }
    cursor = found.elements.at(0).text;
    if (cursor == "0") return deleted;
  }
}

}  // namespace switchgear::demo::fleet
