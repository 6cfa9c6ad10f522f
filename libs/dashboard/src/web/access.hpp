// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "authority.hpp"
#include "message.hpp"
#include "token.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchgear::inline v1::detail {

struct access_rules {
  listen_address listen;
  std::string token{};
  bool read_only = false;
  std::vector<std::string> hosts{};
};

/// The head of a request, as far as access depends on it. Names of fields in any case.
struct request_head {
  std::string_view method;
  unsigned version = 11;  ///< 10 or 11
  std::vector<std::pair<std::string_view, std::string_view>> fields;

  /// The value of the only field of that name, without blanks around it.
  [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const;
};

struct access_ruling {
  std::optional<web_answer> refusal;
  bool knows_token = false;
  bool may_act = false;
};

/// Who may do what. Pure: no sockets, and the time is an argument.
///
/// Thread safety: one thread; it counts the wrong tokens.
class access {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  /// So many wrong tokens are answered a second, from all clients together; the rest is told to come later.
  static constexpr int wrong_tokens_per_second = 10;

  explicit access(access_rules rules);

  /// What is wrong before the path matters: fields that must be there once, a name that this dashboard does not go by.
  [[nodiscard]] std::optional<web_answer> refuse_head(const request_head& head) const;

  /// For a head that was not refused.
  [[nodiscard]] access_ruling judge(const request_head& head, const std::vector<std::string>& path, time_point now);

  /// Whether reading needs the token.
  [[nodiscard]] bool reading_needs_token() const noexcept { return reading_needs_token_; }

 private:
  [[nodiscard]] bool goes_by(const authority& host) const;
  [[nodiscard]] static bool is_foreign(const request_head& head);

  access_rules rules_;
  secret_token token_;
  bool on_loopback_;
  bool reading_needs_token_;
  rate_budget wrong_tokens_{wrong_tokens_per_second};
};

}  // namespace switchgear::inline v1::detail
