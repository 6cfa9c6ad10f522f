// SPDX-License-Identifier: Apache-2.0
#include "message.hpp"

#include <switchgear/json.hpp>

namespace switchgear::inline v1::detail {

std::string_view web_request::parameter(std::string_view name) const noexcept {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

web_answer error_answer(unsigned status, std::string_view code, std::string_view message) {
  return {.status = status,
          .body = std::make_shared<const std::string>("{\"error\":{\"code\":" + json_string(code) +
                                                      ",\"message\":" + json_string(message) + "}}")};
}

bool web_handler::asks_for_stream(const web_request& request) {
  return request.method == "GET" && request.path.size() == 3 && request.path[0] == "api" && request.path[1] == "v1" &&
         request.path[2] == "events";
}

}  // namespace switchgear::inline v1::detail
