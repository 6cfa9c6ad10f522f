// SPDX-License-Identifier: Apache-2.0
#include "network.hpp"

#include "../process.hpp"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace switchgear::demo::fleet {
namespace {

bool succeeds(const launch& how) { return child(how).wait() == "exit status 0"; }

void must(const std::vector<std::string>& command) {
  if (succeeds({.arguments = {command.begin() + 1, command.end()}, .inherited = {}, .program = command.front()})) return;
  std::string words;
  for (const std::string& w : command) words += (words.empty() ? "" : " ") + w;
  throw std::runtime_error("`" + words + "` has failed");
}

/// One of the pairs of addresses in 198.18.0.0/15, which is for tests of networks and nobody's: of four each, the first is the
/// network, the second is ours, the third the other end's. Processes that live at the same time get different ones, mostly.
std::string address(pid_t process, int wire, int end) {
  const unsigned n = static_cast<unsigned>(process) % 16384 * 8 + static_cast<unsigned>(wire) * 4 + static_cast<unsigned>(end);
  return "198." + std::to_string(18 + (n >> 16)) + "." + std::to_string(n >> 8 & 255) + "." + std::to_string(n & 255);
}

/// At most 15 characters.
std::string wire_name(pid_t process, int wire) { return "sg" + std::to_string(process) + "w" + std::to_string(wire); }

void lay(pid_t process, int wire) {
  const std::string pid = std::to_string(process), ours = wire_name(process, wire);
  const std::string theirs = "wire" + std::to_string(wire);
  must({"ip", "link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", pid});
  must({"ip", "addr", "add", address(process, wire, 1) + "/30", "dev", ours});
  must({"ip", "link", "set", ours, "up"});
  must({"nsenter", "-t", pid, "-n", "ip", "addr", "add", address(process, wire, 2) + "/30", "dev", theirs});
  must({"nsenter", "-t", pid, "-n", "ip", "link", "set", theirs, "up"});
}

}  // namespace

std::optional<std::string> wires::missing() {
  if (!succeeds({.arguments = {"-V"}, .inherited = {}, .program = "ip"})) return "there is no program `ip`";
  if (!succeeds({.arguments = {"-V"}, .inherited = {}, .program = "nsenter"})) return "there is no program `nsenter`";
  if (!succeeds({.arguments = {"link", "set", "lo", "up"}, .inherited = {}, .program = "ip", .own_network = true})) {
    return "network namespaces are not for us (root, or CAP_SYS_ADMIN and CAP_NET_ADMIN, is needed)";
  }
  return std::nullopt;
}

wires::wires(pid_t process)
    : store_wire_(wire_name(process, 0)), store_(address(process, 0, 1)), upstream_(address(process, 1, 1)) {
  lay(process, 0);
  lay(process, 1);
}

// Not by `ip`: in the middle of a phase there is no time to start a program.
void wires::set_store_wire(bool up) const {
  const descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, store_wire_.c_str(), IFNAMSIZ - 1);
  bool done = ::ioctl(socket.get(), SIOCGIFFLAGS, &request) == 0;
  if (done) {
    const int flags = up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP;
    request.ifr_flags = static_cast<short>(flags);
    done = ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;
  }
  if (!done) throw std::system_error(errno, std::generic_category(), "cannot switch the wire " + store_wire_);
}

}  // namespace switchgear::demo::fleet
