// SPDX-License-Identifier: Apache-2.0
#include <switchgear/vault/options.hpp>

#include <switchgear/http/exchange.hpp>

#include <algorithm>
#include <cstdlib>

namespace switchgear::inline v1::vault {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

bool is_one_line(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

options options::from_env() {
  options o;
  if (std::string address = variable("VAULT_ADDR"); !address.empty()) o.address = std::move(address);
  o.token = variable("VAULT_TOKEN");
  o.vault_namespace = variable("VAULT_NAMESPACE");
  o.role_id = variable("VAULT_ROLE_ID");
  o.secret_id = variable("VAULT_SECRET_ID");
  o.connection.certificate_authorities = variable("VAULT_CACERT");
  return o;
}

std::vector<problem> options::validate() const {
  std::vector<problem> problems;
  const auto hidden = [&](const char* key, const char* message) { problems.push_back({key, "(not shown)", "", message}); };
  if (auto wrong = http::problem_of_address(address)) problems.push_back(*std::move(wrong));
  if (!is_one_line(cluster)) hidden("cluster", "it has a control character in it");
  if (!is_one_line(vault_namespace)) hidden("vault_namespace", "it has a control character in it");
  if (!is_one_line(token)) hidden("token", "it has a control character in it");
  if (role_id.empty() != secret_id.empty()) hidden("role_id", "role_id and secret_id are given together or not at all");
  if (!http::is_plain_path(approle_mount)) hidden("approle_mount", "it is not a path");
  if (!http::is_plain_path(mount)) hidden("mount", "it is not a path");
  if (max_reply == 0 || max_reply > (std::size_t{1} << 30)) {
    problems.push_back({"max_reply", std::to_string(max_reply), "1 … 1073741824", "out of range"});
  }
  return problems;
}

}  // namespace switchgear::inline v1::vault
