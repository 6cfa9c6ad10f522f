// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace switchgear::inline v1::detail {

/// `ADDRESS:PORT` in numbers, IPv6 in brackets.
struct listen_address {
  boost::asio::ip::address address;
  std::uint16_t port = 0;
};
[[nodiscard]] std::optional<listen_address> read_listen_address(std::string_view text);

/// `127.0.0.1:8600`, `[::1]:8600`
[[nodiscard]] std::string to_string(const listen_address& where);

/// 127.0.0.0/8 and ::1, and the former written as IPv6.
[[nodiscard]] bool is_loopback(const boost::asio::ip::address& address);

/// Host and port as the Host header names them.
struct authority {
  std::string host;  ///< lower case; IPv6 addresses without their brackets
  std::optional<std::uint16_t> port;
  /// The host as an address, if it is one in its usual form.
  std::optional<boost::asio::ip::address> address;
};
/// Nothing for what is none: user information, other characters than those of names and addresses, a port that is none.
[[nodiscard]] std::optional<authority> read_authority(std::string_view text);

/// Whether a page of that origin (`https://status.example.org`) was served under that Host: the same name or address, the same
/// port. Without a port, the one of the origin's scheme.
[[nodiscard]] bool is_same_site(std::string_view origin, const authority& host);

}  // namespace switchgear::inline v1::detail
