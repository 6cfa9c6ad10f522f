// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/adapter.hpp>
#include <switchgear/http/transport.hpp>
#include <switchgear/vault/options.hpp>

#include <nlohmann/json_fwd.hpp>

#include <initializer_list>
#include <string>

namespace switchgear::inline v1::vault::detail {

/// Requests to the server, and what their statuses mean. Thread safety: any thread.
class connection {
 public:
  /// `name` is that of the target.
  connection(options o, std::string name);

  struct question {
    std::string method;
    std::string path;     ///< behind /v1, encoded, with its query
    std::string body{};
    std::string token{};  ///< empty: none is sent
  };

  /// The response, when its status is 2xx or one of `expected`; else the error that the status stands for.
  [[nodiscard]] http::response ask(const adapter::attempt& a, const question& q, std::initializer_list<int> expected = {});

  [[nodiscard]] const options& settings() const noexcept { return options_; }

 private:
  options options_;
  std::string name_;
  http::transport transport_;
};

/// As text; a text that is not UTF-8 is the caller's fault.
[[nodiscard]] std::string write(const adapter::attempt& a, const nlohmann::json& value);

}  // namespace switchgear::inline v1::vault::detail
