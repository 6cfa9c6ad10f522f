// SPDX-License-Identifier: Apache-2.0
#include "target.hpp"

#include "text.hpp"

#include <algorithm>

namespace switchgear::inline v1::detail {
namespace {

int digit_of(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decoded(std::string_view text, bool plus_is_space) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = digit_of(text[i + 1]);
      const int low = digit_of(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high << 4 | low);
      i += 2;
    } else if (plus_is_space && c == '+') {
      c = ' ';
    }
    if (is_control(c)) return std::nullopt;
    result += c;
  }
  return result;
}

/// Calls `piece` with each piece between the separators until it returns false; whether it never did.
template <class F>
bool each_piece(std::string_view text, char separator, F&& piece) {
  for (;;) {
    const std::size_t end = text.find(separator);
    if (!piece(text.substr(0, end))) return false;
    if (end == text.npos) return true;
    text.remove_prefix(end + 1);
  }
}

bool is_sent_plainly(char c) noexcept { return c > ' ' && c < 0x7f && c != '#' && c != '\\' && c != '"' && c != '<' && c != '>'; }

constexpr std::string_view bad_escape = "a percent escape that is none, or one of a control character";

std::string_view read_path(std::string_view text, web_target& into) {
  if (text == "/") return {};
  std::string_view error;
  each_piece(text.substr(1), '/', [&](std::string_view piece) {
    auto segment = decoded(piece, false);
    if (!segment) {
      error = bad_escape;
    } else if (*segment == "." || *segment == "..") {
      error = "a path is not taken with the segments . and ..";
    } else {
      into.path.push_back(std::move(*segment));
    }
    return error.empty();
  });
  return error;
}

std::string_view read_query(std::string_view text, web_target& into) {
  std::string_view error;
  each_piece(text, '&', [&](std::string_view piece) {
    if (piece.empty()) return true;
    const std::size_t equals = piece.find('=');
    auto name = decoded(piece.substr(0, equals), true);
    auto value = decoded(equals == piece.npos ? std::string_view() : piece.substr(equals + 1), true);
    if (!name || !value) {
      error = bad_escape;
    } else if (into.query.size() == most_parameters) {
      error = "too many query parameters";
    } else {
      into.query.emplace_back(std::move(*name), std::move(*value));
    }
    return error.empty();
  });
  return error;
}

}  // namespace

std::optional<std::string> web_target::plain_path() const {
  std::string text;
  for (const std::string& segment : path) {
    if (segment.find('/') != segment.npos) return std::nullopt;
    text += '/';
    text += segment;
  }
  return text.empty() ? "/" : text;
}

target_reading read_target(std::string_view text) {
  if (text.size() > longest_target) return {{}, "the address is too long"};
  if (!text.starts_with('/')) return {{}, "the address has to be a path that begins with a slash"};
  if (!std::all_of(text.begin(), text.end(), is_sent_plainly)) {
    return {{}, "the address has a character in it that has to be sent as a percent escape"};
  }
  web_target result;
  const std::size_t mark = text.find('?');
  std::string_view error = read_path(text.substr(0, mark), result);
  if (error.empty() && mark != text.npos) error = read_query(text.substr(mark + 1), result);
  if (!error.empty()) return {{}, error};
  return {std::move(result), {}};
}

}  // namespace switchgear::inline v1::detail
