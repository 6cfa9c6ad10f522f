// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config.hpp>
#include <switchgear/state.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <vector>

namespace switchgear::inline v1 {

/// What an adapter was doing for whom.
struct error_context {
  std::string transport;  ///< `http`, `kafka`, `redis`, `consul`, `vault`, `postgres`, …
  std::string operation;  ///< `GET`, `publish`, `register_service`, …
  std::string target;     ///< `consul.dc1`, `kafka.production`, `api.example:443`; never with credentials
};

/// The base of everything that switchgear throws itself.
class error : public std::exception {
 public:
  explicit error(std::string what) : what_(std::move(what)) {}
  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_;
};

/// A policy did not let a call through; the function was not called. Never evidence for a breaker further out.
class rejected_error : public error {
 public:
  explicit rejected_error(std::string what, std::optional<std::chrono::nanoseconds> retry_after = {})
      : error(std::move(what)), retry_after_(retry_after) {}
  /// When to come back, where it is known: never negative, 0 for "any moment".
  [[nodiscard]] std::optional<std::chrono::nanoseconds> retry_after() const noexcept { return retry_after_; }

 private:
  std::optional<std::chrono::nanoseconds> retry_after_;
};

/// The caller himself gave up. Never evidence.
class cancelled_error : public error {
 public:
  using error::error;
};

/// A call was rejected by a circuit breaker. retry_after() is the time until the next probe may pass: 0 when the probes are
/// all out, nothing when only an operator can end it.
class circuit_open_error : public rejected_error {
 public:
  /// What the error says.
  struct details {
    std::string name{};
    switchgear::state state = switchgear::state::open;
    rejection_reason reason = rejection_reason::open;
    std::optional<std::chrono::nanoseconds> retry_after{};
    std::uint32_t failure_count = 0;
    std::string correlation_id{};  ///< a fresh UUID v4 is made when empty
    error_context context{};
  };

  explicit circuit_open_error(details d);

  [[nodiscard]] const std::string& name() const noexcept { return details_.name; }
  [[nodiscard]] switchgear::state state() const noexcept { return details_.state; }
  [[nodiscard]] rejection_reason reason() const noexcept { return details_.reason; }
  [[nodiscard]] std::uint32_t failure_count() const noexcept { return details_.failure_count; }
  [[nodiscard]] const std::string& correlation_id() const noexcept { return details_.correlation_id; }
  [[nodiscard]] const error_context& context() const noexcept { return details_.context; }

 private:
  details details_;
};

/// A call took longer than its limit. The limit was ours; a timeout error that the function throws itself stays its own.
class call_timeout_error : public error {
 public:
  call_timeout_error(std::string name, std::chrono::nanoseconds limit);
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::chrono::nanoseconds limit() const noexcept { return limit_; }

 private:
  std::string name_;
  std::chrono::nanoseconds limit_;
};

/// A configuration or a name that no breaker can be built from, with every problem.
class config_error : public error {
 public:
  explicit config_error(std::vector<problem> problems);
  [[nodiscard]] const std::vector<problem>& problems() const noexcept { return problems_; }

 private:
  std::vector<problem> problems_;
};

/// An adapter could not reach its dependency or got no usable answer. The cause is nested (std::rethrow_if_nested) when it
/// was an exception.
class connection_error : public error {
 public:
  connection_error(std::string what, error_context context, std::string correlation_id);
  [[nodiscard]] const error_context& context() const noexcept { return context_; }
  [[nodiscard]] const std::string& correlation_id() const noexcept { return correlation_id_; }

 private:
  error_context context_;
  std::string correlation_id_;
};

/// A random UUID (RFC 9562, version 4), lower case. Any thread.
[[nodiscard]] std::string make_uuid();

}  // namespace switchgear::inline v1
