// SPDX-License-Identifier: Apache-2.0
#include <switchgear/bus_url.hpp>
#include <switchgear/errors.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace switchgear::inline v1 {
namespace {

constexpr std::string_view form = "SCHEME: or SCHEME://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]…][/PATH][?KEY=VALUE&…]";
constexpr std::size_t longest = 4096;

[[noreturn]] void refuse(std::string why) { throw config_error({{"url", "", std::string(form), std::move(why)}}); }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// `%41` → `A`. `part` is for the message, which shows nothing of the text. Control characters are refused however they are
/// written: they would end up in commands, file names and logs.
std::string decoded(std::string_view text, const std::string& part) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex(text[i + 1]) : -1, low = i + 2 < text.size() ? hex(text[i + 2]) : -1;
      if (high < 0 || low < 0) refuse("a % without two hexadecimal digits in " + part);
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) refuse("a control character in " + part);
    out += c;
  }
  return out;
}

std::string read_scheme(std::string_view text) {
  if (text.empty() || !is_letter(text.front())) refuse("the scheme has to begin with a letter");
  std::string out;
  for (const char c : text) {
    if (!is_letter(c) && !is_digit(c) && c != '+' && c != '-' && c != '.') {
      refuse("the scheme has a character that no scheme has");
    }
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

std::uint16_t read_port(std::string_view text, const std::string& part) {
  unsigned value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value == 0 || value > 65'535) {
    refuse("the port of " + part + " is not 1 … 65535");
  }
  return static_cast<std::uint16_t>(value);
}

bus_url::address read_address(std::string_view text, std::size_t number) {
  const std::string part = "host " + std::to_string(number);
  bus_url::address out;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) refuse(part + " begins with a bracket that does not close");
    const std::string_view inside = text.substr(1, end - 1);
    const bool plausible = inside.find(':') != std::string_view::npos && std::ranges::all_of(inside, [](char c) {
      return hex(c) >= 0 || c == ':' || c == '.';
    });
    if (!plausible) refuse(part + " has no IPv6 address in its brackets");
    out.host = inside;
    text.remove_prefix(end + 1);
    if (!text.empty() && !text.starts_with(':')) refuse("something stands behind the bracket of " + part);
  } else {
    const std::size_t colon = text.find(':');
    out.host = decoded(text.substr(0, colon), part);
    text.remove_prefix(std::min(colon, text.size()));
    const auto odd = [](char c) { return c == ' ' || c == '/' || c == '@' || c == '[' || c == ']' || c == ':' || c == ','; };
    if (std::ranges::any_of(out.host, odd)) refuse(part + " has a character that no host has");
  }
  if (out.host.empty()) refuse(part + " is empty");
  if (!text.empty()) out.port = read_port(text.substr(1), part);
  return out;
}

std::map<std::string, std::string> read_query(std::string_view text) {
  std::map<std::string, std::string> out;
  for (std::size_t number = 1;; ++number) {
    const std::size_t end = text.find('&');
    const std::string_view pair = text.substr(0, end);
    const std::string part = "parameter " + std::to_string(number);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0) refuse(part + " is not KEY=VALUE");
    if (!out.emplace(decoded(pair.substr(0, equals), part), decoded(pair.substr(equals + 1), part)).second) {
      refuse(part + " has a key that stands before already");
    }
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

bus_url parse_bus_url(std::string_view text) {
  if (text.size() > longest) refuse("longer than " + std::to_string(longest) + " bytes");
  bus_url url;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) refuse("no scheme");
  url.scheme = read_scheme(text.substr(0, colon));
  text.remove_prefix(colon + 1);
  if (text.find('#') != std::string_view::npos) refuse("a # that is not written as %23");

  if (const std::size_t question = text.find('?'); question != std::string_view::npos) {
    // Before it an @ ends the user's name and password; behind it, it is one that was not written as %40.
    if (text.find('@', question) != std::string_view::npos) refuse("an @ or a ? that is not written as %40 or %3F");
    url.query = read_query(text.substr(question + 1));
    text = text.substr(0, question);
  }
  if (text.empty()) return url;
  if (!text.starts_with("//")) refuse("// is missing behind the scheme");
  text.remove_prefix(2);

  const std::size_t slash = text.find('/');
  std::string_view authority = text.substr(0, slash);
  if (slash != std::string_view::npos) {
    if (text.find('@', slash) != std::string_view::npos) refuse("an @ or a / that is not written as %40 or %2F");
    url.path = decoded(text.substr(slash + 1), "the path");
  }
  if (const std::size_t at = authority.find('@'); at != std::string_view::npos) {
    if (authority.find('@', at + 1) != std::string_view::npos) refuse("more than one @");
    const std::string_view person = authority.substr(0, at);
    const std::size_t separator = person.find(':');
    url.user = decoded(person.substr(0, separator), "the user");
    if (separator != std::string_view::npos) url.password = decoded(person.substr(separator + 1), "the password");
    authority.remove_prefix(at + 1);
  }
  for (std::size_t number = 1;; ++number) {
    const std::size_t comma = authority.find(',');
    url.hosts.push_back(read_address(authority.substr(0, comma), number));
    if (comma == std::string_view::npos) return url;
    authority.remove_prefix(comma + 1);
  }
}

std::string without_secrets(const bus_url& url) {
  const auto encoded = [](std::string_view text, std::string_view kept) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (is_letter(c) || is_digit(c) || kept.find(c) != std::string_view::npos) {
        out += c;
      } else {
        out.append(1, '%').append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
      }
    }
    return out;
  };
  std::string out = url.scheme + ":";
  if (url.hosts.empty()) return out;
  out += "//";
  for (std::size_t i = 0; i < url.hosts.size(); ++i) {
    const bus_url::address& a = url.hosts[i];
    if (i != 0) out += ',';
    out += a.host.find(':') != std::string::npos ? "[" + a.host + "]" : encoded(a.host, "-._~");
    if (a.port != 0) out += ":" + std::to_string(a.port);
  }
  return url.path.empty() ? out : out + "/" + encoded(url.path, "-._~/");
}

}  // namespace switchgear::inline v1
