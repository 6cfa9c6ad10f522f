// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/errors.hpp>
#include <switchgear/http/message.hpp>
#include <switchgear/http/options.hpp>
#include <switchgear/state.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>

namespace switchgear::inline v1::http {

/// How a transfer ended.
enum class ending : std::uint8_t {
  complete,   ///< there is a whole response, whatever its status
  failed,     ///< refused, reset, cut off, not resolved, no TLS: `reason` says what
  timed_out,  ///< our limit passed: `limit` says which
  cancelled,  ///< the request's stop token
  invalid,    ///< the caller's fault: `reason` says what; nothing was sent
  sink_threw  ///< the body_sink did: `thrown` is what
};

/// What became of one transfer.
struct outcome {
  http::ending ending = http::ending::failed;
  response reply{};                    ///< whole when complete, else what had come by then
  std::string reason{};                ///< one phrase, never with any part of the URL, the headers or the body
  std::chrono::nanoseconds limit{0};   ///< the limit that passed
  std::chrono::nanoseconds took{0};
  std::exception_ptr thrown{};
};

/// Contract section 3: failed and a status of 500 or more are failures, timed out is a timeout, everything that is
/// the caller's doing (cancelled, invalid, a throwing sink, 4xx) is ignored, the rest is success. 429 as the options
/// say.
[[nodiscard]] verdict judge(const outcome& o, const options& with) noexcept;

/// The transfer behind a client, without a breaker: for those who bring their own guard. It follows no redirects and
/// speaks http and https only. A request is sent once; one by GET or HEAD a second time when an open connection, taken again,
/// turns out to be gone.
///
/// Thread safety: any number of threads may send at once. Each transfer takes a line (a libcurl handle with its open
/// connections) from a pool and gives it back; the pool grows to the largest number of simultaneous transfers. A lock
/// is held for taking and giving back alone. The transport has to outlive its transfers.
///
/// Signals: none is used or needed. SIGPIPE is blocked in the calling thread while a transfer runs.
class transport {
 public:
  /// Throws config_error when a limit is out of range.
  explicit transport(options o = {});
  ~transport();
  transport(const transport&) = delete;
  transport& operator=(const transport&) = delete;

  /// Runs one transfer and returns when it has ended. Throws std::bad_alloc only. A sink may be empty: then the body is
  /// collected in the response. `at_most` is one more limit on the time, 0 = none.
  [[nodiscard]] outcome send(const request& r, const body_sink& sink = {}, std::chrono::nanoseconds at_most = {});

  [[nodiscard]] const options& settings() const noexcept { return options_; }

 private:
  class pool;
  options options_;
  std::unique_ptr<pool> pool_;
};

/// `http`, the method, and host:port of the URL, without user, password, path and query. What is not a URL has the
/// target `(not a URL)`.
[[nodiscard]] error_context describe(const request& r);

}  // namespace switchgear::inline v1::http
