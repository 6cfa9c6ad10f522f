// SPDX-License-Identifier: Apache-2.0
#include <switchgear/dashboard.hpp>

#include "web/authority.hpp"
#include "web/text.hpp"
#include "web/token.hpp"

#include <switchgear/detail/validation.hpp>

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace switchgear::inline v1 {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_title = 200;
constexpr std::size_t longest_pattern = 200;

bool is_visible_ascii(char c) noexcept { return c > ' ' && c < 0x7f; }
bool has_control(std::string_view text) { return std::any_of(text.begin(), text.end(), detail::is_control); }

bool is_host(std::string_view text) {
  const auto read = detail::read_authority(text);
  return read && !read->port;
}

void check_listen(const dashboard_options& o, detail::validation& v) {
  const auto where = detail::read_listen_address(o.listen);
  if (!where) {
    v.expect(false, "listen", o.listen, "ADDRESS:PORT, an IP address in numbers, IPv6 in brackets",
             "this is no address to listen at");
    return;
  }
  v.expect(detail::is_loopback(where->address) || !o.token.empty() || o.tls_in_front, "listen", o.listen, "",
           "everybody who reaches this address could read all circuits: give a `token`, or say `tls_in_front` when something in "
           "front of it speaks TLS and decides who comes through, or listen at 127.0.0.1");
}

}  // namespace

std::vector<problem> dashboard_options::validate() const {
  detail::validation v;
  check_listen(*this, v);
  const bool good_token = token.size() >= detail::shortest_token && token.size() <= detail::longest_token &&
                          std::all_of(token.begin(), token.end(), is_visible_ascii);
  v.expect(token.empty() || good_token, "token", "(not shown)", "16 … 256 visible ASCII characters, or empty: nobody can act",
           "it is too short, too long, or has other characters in it");
  for (const std::string& host : hosts) {
    v.expect(is_host(host), "hosts", host, "a name or an address, without scheme, port and path", "this is no name of a host");
  }
  v.in_range("refresh", refresh, 100ms, 1min);
  for (const std::string& pattern : critical) {
    v.expect(!pattern.empty() && pattern.size() <= longest_pattern && !has_control(pattern), "critical", pattern,
             "1 … 200 bytes without control characters", "no circuit can have this name");
  }
  v.expect(audit_file.find('\0') == audit_file.npos, "audit_file", "(not shown)", "", "it has a NUL in it");
  // Compared as it is: a number that no signed one can hold is out of range too.
  v.expect(max_connections >= 1 && max_connections <= 100'000, "max_connections", std::to_string(max_connections), "1 … 100000",
           "out of range");
  v.in_range("client_timeout", client_timeout, 100ms, 1h);
  v.expect(!title.empty() && title.size() <= longest_title && !has_control(title), "title", title,
           "1 … 200 bytes without control characters", "it is empty, too long, or has a control character in it");
  v.expect(std::find(collectables.begin(), collectables.end(), nullptr) == collectables.end(), "collectables", "", "",
           "one of them is null");
  return v.take();
}

std::string make_token() {
  std::array<unsigned char, 32> random{};
  for (std::size_t filled = 0; filled < random.size();) {
    const ssize_t n = ::getrandom(random.data() + filled, random.size() - filled, 0);
    if (n < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "no randomness for a token");
    if (n > 0) filled += static_cast<std::size_t>(n);
  }
  // Base64 of RFC 4648, section 5, which needs no escapes in an address; 43 characters for 256 bits.
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string token;
  std::uint32_t bits = 0;
  int held = 0;
  for (const unsigned char byte : random) {
    bits = (bits << 8 | byte) & 0xffff;
    held += 8;
    for (; held >= 6; held -= 6) token += alphabet[bits >> (held - 6) & 63];
  }
  token += alphabet[bits << (6 - held) & 63];
  return token;
}

}  // namespace switchgear::inline v1
