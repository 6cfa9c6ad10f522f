// SPDX-License-Identifier: Apache-2.0
#include <switchgear/consul/options.hpp>

#include <switchgear/http/exchange.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace switchgear::inline v1::consul {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// What is no "false" asks for it: a token must not go out in plain text because of a word that we do not know.
bool asks_for_tls(const std::string& text) {
  constexpr std::array no{"", "0", "f", "F", "false", "False", "FALSE"};
  return std::find(no.begin(), no.end(), text) == no.end();
}

bool is_one_line(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

options options::from_env() {
  options o;
  if (const std::string address = variable("CONSUL_HTTP_ADDR"); !address.empty()) {
    o.address = address.find("://") == address.npos ? "http://" + address : address;
  }
  if (asks_for_tls(variable("CONSUL_HTTP_SSL")) && o.address.starts_with("http://")) o.address.replace(0, 4, "https");
  o.token = variable("CONSUL_HTTP_TOKEN");
  if (const std::string datacenter = variable("CONSUL_DATACENTER"); !datacenter.empty()) o.datacenter = datacenter;
  o.consul_namespace = variable("CONSUL_NAMESPACE");
  o.connection.certificate_authorities = variable("CONSUL_CACERT");
  return o;
}

std::vector<problem> options::validate() const {
  std::vector<problem> problems;
  if (auto wrong = http::problem_of_address(address)) problems.push_back(*std::move(wrong));
  if (!is_one_line(token)) problems.push_back({"token", "(not shown)", "", "it has a control character in it"});
  if (!is_one_line(datacenter)) problems.push_back({"datacenter", "(not shown)", "", "it has a control character in it"});
  if (max_reply == 0 || max_reply > (std::size_t{1} << 30)) {
    problems.push_back({"max_reply", std::to_string(max_reply), "1 … 1073741824", "out of range"});
  }
  return problems;
}

}  // namespace switchgear::inline v1::consul
