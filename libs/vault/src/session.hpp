// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "connection.hpp"

#include <switchgear/clock.hpp>
#include <switchgear/vault/model.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string>

namespace switchgear::inline v1::vault::detail {

/// The token of a client: the configured one, or that of the last login. Thread safety: any thread. The lock is never held
/// during a request; of several threads that need a token one logs in, and the others wait, each for at most the time that one
/// request may take: were they to log in one after the other at a server that hangs, the last would wait for them all.
class session {
 public:
  session(connection& to, clock& source);

  /// Asks with the token. With a role: a token that Vault does not accept any more is replaced, and the question asked once
  /// again. `used` is told which token it was in the end.
  [[nodiscard]] http::response ask(const adapter::attempt& a, connection::question q, std::initializer_list<int> expected = {},
                                   std::uint64_t* used = nullptr);

  /// That token was renewed. Nothing happens when another one is in use by now.
  void renewed(std::uint64_t token, const lease& l);

 private:
  struct held {
    std::string token;
    std::uint64_t generation = 0;
    bool fresh = false;  ///< this very call logged in
  };
  /// A token that is newer than the generation `older_than`.
  [[nodiscard]] held current(const adapter::attempt& a, std::uint64_t older_than);
  /// Until nobody logs in.
  void wait_for_login(std::unique_lock<std::mutex>& lock, const adapter::attempt& a);
  [[nodiscard]] std::string log_in(const adapter::attempt& a, lease& granted);
  [[nodiscard]] bool is_valid(const adapter::attempt& a, const std::string& token);
  [[nodiscard]] std::optional<std::chrono::nanoseconds> end_of(const lease& l) const;

  connection& connection_;
  clock& clock_;
  const bool has_role_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool logging_in_ = false;
  std::string token_;
  std::uint64_t generation_ = 0;  ///< grows with every login; 0: there was none
  std::optional<std::chrono::nanoseconds> expires_{};
};

}  // namespace switchgear::inline v1::vault::detail
