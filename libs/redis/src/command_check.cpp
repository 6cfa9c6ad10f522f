// SPDX-License-Identifier: Apache-2.0
#include "command_check.hpp"

#include <switchgear/errors.hpp>

#include <algorithm>
#include <array>
#include <cctype>

namespace switchgear::inline v1::redis::detail {
namespace {

constexpr std::array<std::string_view, 18> changing{
    "SELECT",     "AUTH",         "HELLO",        "RESET", "QUIT",  "MONITOR",  "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE",
    "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE", "SYNC",  "PSYNC", "REPLCONF", "ASKING",    "READONLY",   "READWRITE",
};

[[noreturn]] void refuse(const std::string& name, std::string why) {
  throw config_error({{.key = "command", .value = name, .allowed = {}, .message = std::move(why)}});
}

std::string upper(std::string_view word) {
  std::string out(word);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); });
  return out;
}

}  // namespace

std::string shown_name(std::string_view first_word) {
  const bool is_name = !first_word.empty() && first_word.size() <= 32 &&
                       std::all_of(first_word.begin(), first_word.end(), [](char c) {
                         return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
                       });
  return is_name ? upper(first_word) : "command";
}

void command_check::see(std::string_view first_word, std::string_view second_word) {
  if (first_word.empty()) refuse("", "a command begins with its name");
  const std::string name = shown_name(first_word);
  const bool silences = name == "CLIENT" && upper(second_word) == "REPLY";
  if (silences || std::find(changing.begin(), changing.end(), name) != changing.end()) {
    refuse(name, "changes the connection for the callers after this one; use redis::connection");
  }
  if (name == "MULTI") in_transaction_ = true;
  if (name == "WATCH") watching_ = true;
  if (name == "EXEC" || (name == "DISCARD" && in_transaction_)) in_transaction_ = watching_ = false;
  if (name == "UNWATCH" && !in_transaction_) watching_ = false;
}

void command_check::end() const {
  if (in_transaction_) refuse("MULTI", "a transaction ends in the pipeline in which it begins");
  if (watching_) refuse("WATCH", "what is watched is forgotten with EXEC or UNWATCH in the same pipeline; use redis::connection");
}

}  // namespace switchgear::inline v1::redis::detail
