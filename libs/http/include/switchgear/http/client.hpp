// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/http/message.hpp>
#include <switchgear/http/options.hpp>
#include <switchgear/http/transport.hpp>

#include <optional>
#include <string>
#include <utility>

namespace switchgear::inline v1::http {

/// The request itself was wrong: not a URL, not http or https, a line break in a header, authorities that cannot be read.
/// Nothing was sent, and it is never evidence against the service.
class invalid_request : public error {
 public:
  invalid_request(std::string what, error_context context) : error(std::move(what)), context_(std::move(context)) {}
  [[nodiscard]] const error_context& context() const noexcept { return context_; }

 private:
  error_context context_;
};

/// What libcurl said of a failed transfer; nested in connection_error.
class transfer_error : public error {
 public:
  using error::error;
};

/// What became of a guarded call, without exceptions.
class [[nodiscard]] result {
 public:
  result(outcome o, switchgear::verdict v) : outcome_(std::move(o)), verdict_(v) {}
  explicit result(switchgear::rejection why) : rejection_(why) {}

  /// Whether there is a whole response, whatever its status.
  [[nodiscard]] explicit operator bool() const noexcept { return !rejected() && outcome_.ending == ending::complete; }
  /// Precondition: there is a response.
  [[nodiscard]] const response& operator*() const& noexcept { return outcome_.reply; }
  [[nodiscard]] response&& operator*() && noexcept { return std::move(outcome_.reply); }
  [[nodiscard]] const response* operator->() const noexcept { return &outcome_.reply; }

  /// Whether the circuit did not let the call through; nothing was sent then.
  [[nodiscard]] bool rejected() const noexcept { return rejection_.has_value(); }
  [[nodiscard]] const std::optional<switchgear::rejection>& rejection() const noexcept { return rejection_; }

  /// How the call counted; abandoned when it was rejected.
  [[nodiscard]] switchgear::verdict verdict() const noexcept { return verdict_; }
  /// How the transfer ended. Meaningless when the call was rejected.
  [[nodiscard]] const outcome& transfer() const& noexcept { return outcome_; }
  [[nodiscard]] outcome&& transfer() && noexcept { return std::move(outcome_); }

 private:
  std::optional<switchgear::rejection> rejection_;
  outcome outcome_;
  switchgear::verdict verdict_ = switchgear::verdict::abandoned;
};

/// An HTTP client whose calls go through a circuit breaker.
///
///     sg::circuit_breaker payments{"payments", {.failure_threshold = 5, .open_duration = 30s}};
///     sg::http::client client{payments, {.connect_timeout = 250ms, .timeout = 2s}};
///     sg::http::response r = client.get("http://payments.internal/receipts/7");
///
/// The verdict on a call is judge() of its outcome; the breaker's own classifier is not asked. Each call carries the
/// header X-Correlation-ID: the caller's, or a fresh UUID v4.
///
/// Errors of the throwing functions, each with `http`, the method and host:port as its context, none with a part of the
/// path, the query, a header or a password:
/// circuit_open_error (nothing was sent) · call_timeout_error (the transfer was ended; a connection_error with the
/// context nested in it) · connection_error (transfer_error nested) · cancelled_error (the stop token) ·
/// invalid_request · what a body_sink throws, unchanged. A response of any status is returned, a 503 too.
///
/// Thread safety: as transport: any number of threads at once. The breaker has to outlive the client.
class client {
 public:
  /// Throws config_error when a limit is out of range.
  explicit client(circuit_breaker& breaker, options o = {}) : breaker_(breaker), transport_(std::move(o)) {}

  [[nodiscard]] response get(std::string url) { return send({.url = std::move(url)}); }
  [[nodiscard]] response post(std::string url, std::string body, std::string content_type = "application/json");

  /// With a sink the body goes there piece by piece and is not kept.
  [[nodiscard]] response send(const request& r, const body_sink& sink = {});

  /// The same without exceptions (but for std::bad_alloc). A rejection costs no allocation.
  [[nodiscard]] result try_send(const request& r, const body_sink& sink = {});

  [[nodiscard]] circuit_breaker& breaker() const noexcept { return breaker_; }

 private:
  [[noreturn]] void raise(const request& r, const rejection& why) const;
  [[noreturn]] void raise(const request& r, outcome o) const;

  circuit_breaker& breaker_;
  transport transport_;
};

/// The rules of judge() for breakers that guard a transport or a client by their own call(): responses and outcomes by
/// their status and ending, invalid_request ignored.
[[nodiscard]] classifier rules(options with = {});

}  // namespace switchgear::inline v1::http
