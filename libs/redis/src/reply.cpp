// SPDX-License-Identifier: Apache-2.0
#include <switchgear/redis/connection.hpp>

#include "evidence.hpp"

#include <algorithm>
#include <cctype>

namespace switchgear::inline v1::redis {
namespace {

bool is_code(std::string_view word) {
  return !word.empty() && word.size() <= 32 && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

bool says_what_a_script_says(std::string_view text, std::string_view command) {
  std::string name(command);
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
  return name.starts_with("EVAL") || name.starts_with("FCALL") || name == "SCRIPT" || name == "FUNCTION" ||
         text.find("user_script") != std::string_view::npos || text.find("user_function") != std::string_view::npos;
}

// What stands between the first and the last quotation mark is a word of the command, or several. The texts of a server in
// trouble are its own, and have the apostrophes of plain English.
std::string without_quotes(std::string_view text, bool own_words) {
  const auto is_mark = [&](std::size_t i) {
    if (text[i] == '"' || text[i] == '`') return true;
    if (text[i] != '\'') return false;
    return !(own_words && i > 0 && i + 1 < text.size() && is_letter(text[i - 1]) && is_letter(text[i + 1]));
  };
  std::size_t first = 0;
  while (first < text.size() && !is_mark(first)) ++first;
  if (first == text.size()) return std::string(text);
  std::size_t last = text.size() - 1;
  while (last > first && !is_mark(last)) --last;
  const std::string_view tail = last == first ? std::string_view() : text.substr(last + 1);
  return std::string(text.substr(0, first)) + "…" + std::string(tail);
}

}  // namespace

std::string reply::error_code() const {
  if (is != kind::error) return {};
  const std::string word = text.substr(0, text.find(' '));
  return is_code(word) ? word : "ERR";
}

server_error describe_error(const reply& error, std::string_view command) {
  std::string code = error.error_code();
  if (says_what_a_script_says(error.text, command)) return {code, code + " from a script"};
  if (code == "NOPERM") return {code, "NOPERM the user has no permission for this"};  // some servers name the user
  std::string text = without_quotes(error.text, detail::is_evidence(code, error.text));
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return std::iscntrl(static_cast<unsigned char>(c)) != 0; }),
             text.end());
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return {std::move(code), std::move(text)};
}

}  // namespace switchgear::inline v1::redis
