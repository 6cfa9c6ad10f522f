// SPDX-License-Identifier: Apache-2.0
#include "authority.hpp"

#include "text.hpp"

#include <algorithm>
#include <charconv>

namespace switchgear::inline v1::detail {
namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t longest_host = 253;

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  if (text.empty() || text.size() > 5) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

struct host_and_port {
  std::string_view host;
  std::optional<std::string_view> port;
  bool in_brackets = false;
};

std::optional<host_and_port> split(std::string_view text) {
  host_and_port parts;
  std::size_t end = text.find(':');
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == text.npos) return std::nullopt;
    parts.in_brackets = true;
    parts.host = text.substr(1, bracket - 1);
    end = bracket + 1;
    if (end != text.size() && text[end] != ':') return std::nullopt;
  } else {
    parts.host = text.substr(0, end);
  }
  if (end < text.size()) parts.port = text.substr(end + 1);
  if (parts.host.empty() || parts.host.size() > longest_host) return std::nullopt;
  return parts;
}

bool belongs_to_a_name(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

std::optional<ip::address> read_address(std::string_view text, bool is_v6) {
  boost::system::error_code error;
  const std::string copy(text);
  if (is_v6) {
    const auto v6 = ip::make_address_v6(copy, error);
    if (!error) return v6;
  } else {
    const auto v4 = ip::make_address_v4(copy, error);
    if (!error) return v4;
  }
  return std::nullopt;
}

}  // namespace

std::optional<listen_address> read_listen_address(std::string_view text) {
  const auto parts = split(text);
  if (!parts || !parts->port) return std::nullopt;
  const auto port = read_port(*parts->port);
  const auto address = read_address(parts->host, parts->in_brackets);
  if (!port || !address) return std::nullopt;
  return listen_address{*address, *port};
}

std::string to_string(const listen_address& where) {
  const std::string address = where.address.to_string();
  return (where.address.is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(where.port);
}

bool is_loopback(const ip::address& address) {
  if (address.is_v4()) return address.to_v4().is_loopback();
  const ip::address_v6 v6 = address.to_v6();
  return v6.is_loopback() || (v6.is_v4_mapped() && ip::make_address_v4(ip::v4_mapped, v6).is_loopback());
}

std::optional<authority> read_authority(std::string_view text) {
  const auto parts = split(text);
  if (!parts) return std::nullopt;
  authority result;
  if (parts->port) {
    result.port = read_port(*parts->port);
    if (!result.port) return std::nullopt;
  }
  result.host = lowered(parts->host);
  // A scope (`fe80::1%eth0`) means something on one host only, and reading one asks the system.
  if (result.host.find('%') != result.host.npos) return std::nullopt;
  result.address = read_address(result.host, parts->in_brackets);
  if (parts->in_brackets ? !result.address : !std::all_of(result.host.begin(), result.host.end(), belongs_to_a_name)) {
    return std::nullopt;
  }
  return result;
}

bool is_same_site(std::string_view origin, const authority& host) {
  constexpr std::string_view plain = "http://";
  constexpr std::string_view secure = "https://";
  const bool is_secure = origin.starts_with(secure);
  if (!is_secure && !origin.starts_with(plain)) return false;  // `null` among others
  origin.remove_prefix((is_secure ? secure : plain).size());
  const auto page = read_authority(origin);
  const std::uint16_t usual = is_secure ? 443 : 80;
  return page && page->host == host.host && page->port.value_or(usual) == host.port.value_or(usual);
}

}  // namespace switchgear::inline v1::detail
