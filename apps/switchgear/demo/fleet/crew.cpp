// SPDX-License-Identifier: Apache-2.0
#include "crew.hpp"

#include "../conductor.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

namespace switchgear::demo::fleet {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 15s;  ///< for a process to start or to end

}  // namespace

member::member(std::string its_name, int its_number, launch how) : name(std::move(its_name)), number(its_number) {
  pipe_ends up = make_pipe(), down = make_pipe();
  how.inherited = {up.write.get(), down.read.get()};
  process = child(how);
  reports = std::move(up.read);
  control = std::move(down.write);
}

member& crew::add(std::string name, int number, launch how) {
  members_.push_back(std::make_unique<member>(std::move(name), number, std::move(how)));
  return *members_.back();
}

void crew::remove(member& which) {
  which.may_end = true;
  which.process.kill_and_wait();
  while (!which.ended) receive(which);
  std::erase_if(members_, [&](const auto& m) { return m.get() == &which; });
}

void crew::wait_until_ready(const member& which) {
  if (!listen_until(clock::now() + patience, [&] { return which.ready; })) {
    throw std::runtime_error(which.name + " did not start within 15 s");
  }
}

void crew::dismiss(member& which) {
  which.may_end = true;
  which.control.close();
  if (!listen_until(clock::now() + patience, [&] { return which.ended; })) {
    throw std::runtime_error(which.name + " did not end as it was asked to");
  }
  which.process.wait();
}

bool crew::listen_until(clock::time_point end, const std::function<bool()>& done) {
  while (!done()) {
    const auto left = end - clock::now();
    if (left <= 0ns) return false;
    listen(std::min<std::chrono::nanoseconds>(left, 5ms));
  }
  return true;
}

void crew::listen(std::chrono::nanoseconds longest) {
  std::vector<member*> alive;
  std::vector<pollfd> fds{{signals_.get(), POLLIN, 0}};
  for (const auto& m : members_) {
    if (m->ended) continue;
    alive.push_back(m.get());
    fds.push_back({m->reports.get(), POLLIN, 0});
  }
  const timespec time{longest / 1s, (longest % 1s).count()};
  if (::ppoll(fds.data(), fds.size(), &time, nullptr) <= 0) return;
  // First of all: after Ctrl-C nothing that a child does is worth a word.
  if (const auto signal = signals_.take()) throw interrupted(*signal);
  for (std::size_t i = 0; i < alive.size(); ++i) {
    if (fds[i + 1].revents != 0) receive(*alive[i]);
  }
}

void crew::receive(member& m) {
  char buffer[64 * 1024];
  const ssize_t n = ::read(m.reports.get(), buffer, sizeof buffer);
  if (n < 0 && errno == EINTR) return;
  if (n <= 0) {
    m.ended = true;
    if (!m.may_end) throw std::runtime_error(m.name + " ended before its time: " + m.process.wait());
    return;
  }
  m.received.append(buffer, static_cast<std::size_t>(n));
  std::size_t begin = 0;
  for (auto end = m.received.find('\n'); end != m.received.npos; end = m.received.find('\n', begin)) {
    const auto line = nlohmann::json::parse(m.received.begin() + static_cast<std::ptrdiff_t>(begin),
                                            m.received.begin() + static_cast<std::ptrdiff_t>(end));
    begin = end + 1;
    if (line.contains("ready")) {
      m.ready = true;
    } else {
      heard_(m, line);
    }
  }
  m.received.erase(0, begin);
}

}  // namespace switchgear::demo::fleet
