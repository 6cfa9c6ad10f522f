// SPDX-License-Identifier: Apache-2.0
//
// Input: the URL of a bus. What stands before the @ is shown neither in what is wrong with it nor in the form for logs, and that
// form reads back as the same servers.
#include "fuzz.hpp"

#include <switchgear/bus_url.hpp>
#include <switchgear/errors.hpp>

#include <string>

namespace sg = switchgear;
using sg::fuzz::require;

namespace {

constexpr std::string_view secret = "QsecretQ";

/// The input with the secret put into its user and password.
void check_hidden(std::string_view text) {
  const std::size_t slashes = text.find("://");
  if (slashes == std::string_view::npos) return;
  std::string with(text.substr(0, slashes + 3));
  with.append(secret).append(":").append(secret).append("@").append(text.substr(slashes + 3));
  try {
    const sg::bus_url url = sg::parse_bus_url(with);
    require(url.password == secret, "the password is the one that was given");
    require(without_secrets(url).find(secret) == std::string::npos, "the form for logs shows no password");
  } catch (const sg::config_error& e) {
    require(std::string_view(e.what()).find(secret) == std::string_view::npos, "a refusal shows no password");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sg::fuzz::text_of(data, size);
  if (text.find(secret) == std::string_view::npos) check_hidden(text);
  try {
    sg::bus_url url = sg::parse_bus_url(text);
    const std::string shown = without_secrets(url);
    url.user.clear();
    url.password.clear();
    url.query.clear();
    require(sg::parse_bus_url(shown) == url, "what is shown is the same without secrets");
  } catch (const sg::config_error& e) {
    require(!e.problems().empty(), "a refusal says why");
  }
  return 0;
}
