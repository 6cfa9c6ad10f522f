// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/errors.hpp>
#include <switchgear/redis/options.hpp>
#include <switchgear/redis/reply.hpp>

#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace switchgear::inline v1::redis {

/// The server understood and answered with an error. The text has the words of the server without what it quotes of the command;
/// of a script's own error, which may say anything, it has the code alone.
class server_error : public error {
 public:
  server_error(std::string code, std::string what) : error(std::move(what)), code_(std::move(code)) {}
  /// The first word: `WRONGTYPE`, `NOAUTH`, `BUSY`, `READONLY`, `LOADING`, `ERR`.
  [[nodiscard]] const std::string& code() const noexcept { return code_; }

 private:
  std::string code_;
};

/// Refused, reset, closed, or what came was not the protocol of Redis.
class io_error : public error {
 public:
  using error::error;
};

/// Nothing came in time.
class io_timeout : public io_error {
 public:
  using io_error::io_error;
};

/// A connection to one Redis server, not guarded by anything: redis::client is. The protocol (RESP 2) is written and read by
/// hiredis, which refuses replies that are nested more than seven deep.
///
/// After an io_error (an io_timeout is one) the connection is closed: half a reply may be on its way, and nobody could tell it
/// from the next one. Every further use throws io_error.
///
/// Errors never show the password, and of commands only what server_error shows. Writing to a closed connection raises no
/// SIGPIPE.
///
/// Thread safety: one thread at a time. descriptor() is for waiting only.
class connection {
 public:
  /// Connects, then AUTH (when there is a password) and SELECT (unless it is database 0). The whole of connecting takes
  /// connect_timeout at most, but for the system's lookup of the name; each of the two commands `timeout`.
  /// Throws config_error, io_error, io_timeout, server_error.
  static connection open(const options& o);
  /// The same; nothing when `wake_fd` became readable first.
  static std::optional<connection> open(const options& o, int wake_fd);

  connection(connection&&) noexcept;
  connection& operator=(connection&&) noexcept;
  ~connection();

  /// Puts a command into the output buffer. Words are bytes, any of them. Throws config_error when there is none, io_error when
  /// the connection is closed.
  void append(std::span<const std::string_view> words);
  void append(std::initializer_list<std::string_view> words);

  /// Writes what is in the output buffer and reads one reply; an error of the server is returned as such. Throws io_error,
  /// io_timeout after `timeout`.
  [[nodiscard]] reply read();

  /// append() and read(). Throws server_error for an error. Not to be mixed with replies that are still to be read.
  reply command(std::span<const std::string_view> words);
  reply command(std::initializer_list<std::string_view> words);

  /// Writes what is in the output buffer and waits for the next reply or message; nothing when `at_most` is over (0: only what is
  /// there already) or `wake_fd` became readable. The connection can be used on after either: half a message is kept.
  [[nodiscard]] std::optional<reply> poll(std::chrono::nanoseconds at_most, int wake_fd = -1);

  /// For waiting in an event loop: readable when poll() is worth a try. -1 once it is closed.
  [[nodiscard]] int descriptor() const noexcept;

 private:
  struct state;
  explicit connection(std::unique_ptr<state> s) noexcept;
  std::unique_ptr<state> state_;
};

/// What server_error says of an error reply: see there. `command` is the first word of the command.
[[nodiscard]] server_error describe_error(const reply& error, std::string_view command);

}  // namespace switchgear::inline v1::redis
