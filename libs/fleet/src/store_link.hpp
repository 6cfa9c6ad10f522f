// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events.hpp"
#include "wire.hpp"

#include <switchgear/redis/connection.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::fleet {

/// What came in from the store.
struct incoming {
  struct answer {
    std::uint64_t id = 0;
    reply texts;
  };
  std::vector<answer> answers;
  std::vector<std::string> news;
};

/// The Redis side of an instance: one connection for the requests, pipelined, each a run of the script, and one that listens to
/// the news. Whatever is wrong with either of them ends both: half a link is none.
///
/// The script goes over once per connection. When the server has forgotten it since (SCRIPT FLUSH), the requests that were
/// refused for that are sent again with its text, in their order, and later ones wait until these have gone.
///
/// Requests show soon enough that the server is gone. The connection of the news may be silent for hours, so it is asked now and
/// then whether it still is one.
///
/// Thread safety: none.
class store_link {
 public:
  /// `timeout` of connecting and of each of the first two commands; `wake` ends the wait of exchange() and outlives this. Throws
  /// config_error.
  store_link(const std::string& url, const std::string& fleet, std::chrono::nanoseconds timeout, const event_descriptor& wake);

  /// Connects, unless `stop` became readable: then false. Throws redis::io_error, redis::server_error.
  bool open(const event_descriptor& stop);
  void close() noexcept;
  [[nodiscard]] bool is_open() const noexcept { return requests_.has_value(); }

  /// Puts it into the output buffer; exchange() writes. Throws redis::io_error.
  void send(std::uint64_t id, std::vector<std::string> arguments);
  /// Writes and reads until something has come in, somebody wakes or `at_most` is over. Throws redis::io_error, and
  /// redis::server_error for an answer that is an error.
  void exchange(std::chrono::nanoseconds at_most, incoming& into);
  /// Requests without an answer.
  [[nodiscard]] std::size_t outstanding() const noexcept { return sent_.size() + again_.size(); }
  /// `redis.HOST:PORT/DATABASE`
  [[nodiscard]] const std::string& target() const noexcept { return target_; }

 private:
  struct one_request {
    std::uint64_t id = 0;
    std::vector<std::string> arguments;
  };
  /// Nothing when `stop` became readable.
  std::optional<redis::reply> ask(redis::connection& from, std::initializer_list<std::string_view> words,
                                  const event_descriptor& stop) const;
  void write(one_request what, bool with_text);
  void take(redis::reply got, incoming& into);
  void send_again();
  void take_news(incoming& into);

  const redis::options server_;
  const std::string channel_;
  const std::string target_;
  const event_descriptor& wake_;
  std::optional<redis::connection> requests_, news_;
  std::unique_ptr<any_readable> others_;  ///< the news and whoever wakes
  std::string sha_;
  std::deque<one_request> sent_;
  std::deque<one_request> again_;  ///< refused because the script was unknown, and what came after them
  std::chrono::steady_clock::time_point heard_{};  ///< when the connection of the news was last known to work
  std::optional<std::chrono::steady_clock::time_point> pinged_{};
};

}  // namespace switchgear::inline v1::fleet
