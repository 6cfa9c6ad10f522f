// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/errors.hpp>
#include <switchgear/http/client.hpp>
#include <switchgear/http/transport.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// For adapters of services that speak JSON over HTTP: one question and its answer, and what can be wrong with one.
namespace switchgear::inline v1::http {

/// The service answered with a status that says that it could not do its work; nested in connection_error.
class status_error : public error {
 public:
  explicit status_error(int status) : error("HTTP status " + std::to_string(status)), status_(status) {}
  [[nodiscard]] int status() const noexcept { return status_; }

 private:
  int status_;
};

/// The reply is not what the service is documented to answer: not JSON, a part missing or of the wrong type, or too long. Never
/// quotes the reply, which may hold secrets.
class malformed_reply : public error {
 public:
  using error::error;
};

/// Sends one request and returns the whole response, whatever its status, with at most `most` bytes of body.
///
/// Errors: transfer_error (no connection, reset, cut off) · malformed_reply (too long; the transfer is ended) ·
/// call_timeout_error named `name` with a connection_error in `context` nested (a limit of the transport) · cancelled_error (the
/// stop token) · invalid_request (nothing was sent). None has a part of the URL, a header or a body.
[[nodiscard]] response exchange(transport& through, const request& r, std::size_t most, const error_context& context,
                                const std::string& name);

/// A limit has passed: throws call_timeout_error named `name`, nested in it a connection_error in `context` that says what was
/// missing.
[[noreturn]] void throw_timeout(const std::string& name, std::chrono::nanoseconds limit, const std::string& missing,
                                const error_context& context, const std::string& correlation_id);

/// As it may stand in a URL: everything but letters, digits and -._~ as %XX; slashes are kept on demand, for paths.
[[nodiscard]] std::string percent_encode(std::string_view text, bool keep_slashes = false);

/// Whether brackets and braces of JSON are nested deeper than `levels`. To be asked before a recursive reader or writer is let
/// near a text from outside. Of a text that is not JSON the answer is some number of brackets.
[[nodiscard]] bool nests_deeper_than(std::string_view json, std::size_t levels) noexcept;

/// Whether the path keeps its place when it is put behind a prefix: no segment is empty, one dot or two (libraries and servers on
/// the way would resolve those, and another path would be asked for), and no character is a control character. One slash at
/// the end is fine.
[[nodiscard]] bool is_plain_path(std::string_view path) noexcept;

/// What is wrong with the address of a service, if something is: it has to be http or https, a host, perhaps a port and a path;
/// no user, password, query or fragment. The address itself is not shown.
[[nodiscard]] std::optional<problem> problem_of_address(const std::string& address);

}  // namespace switchgear::inline v1::http
