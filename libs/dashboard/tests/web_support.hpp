// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace web_test {

using namespace std::chrono_literals;

/// Far longer than anything takes on a busy machine.
inline constexpr auto patience = 30s;

/// Whether it comes true within the time that tests wait.
[[nodiscard]] bool becomes_true(const std::function<bool()>& condition);

struct answer {
  int status = 0;  ///< 0: none came, or what came is none
  std::string head;
  std::string body;
  /// Empty when there is none of that name.
  [[nodiscard]] std::string field(std::string_view name) const;
};

/// A TCP connection that sends what it is told, well-formed or not.
class client {
 public:
  /// With a small receive buffer it soon takes no more when nobody reads.
  explicit client(std::uint16_t port, int receive_buffer = 0);
  client(client&& other) noexcept : fd_(other.fd_), kept_(std::move(other.kept_)) { other.fd_ = -1; }
  client& operator=(client&&) = delete;
  ~client();

  /// False when the other side has closed.
  bool send(std::string_view bytes) const;
  void send_no_more() const;
  /// The next answer; `to_head` has no body whatever it says.
  answer read_answer(bool to_head = false);
  answer ask(std::string_view request) { return send(request) ? read_answer() : answer{}; }
  /// Reads until `text` has come; false at the end of the connection.
  bool read_until(std::string_view text);
  /// Everything until the other side closes; `closed` is false when it does not within the time.
  std::string read_all(bool& closed);
  [[nodiscard]] bool is_closed_by_the_other_side();
  /// What came and was not read as an answer.
  [[nodiscard]] const std::string& unread() const { return kept_; }

 private:
  bool read_more();
  int fd_;
  std::string kept_;
};

/// A request of one line with a Host, and what else is given, each line with its end.
[[nodiscard]] std::string request(std::string_view line, std::string_view fields = {}, std::string_view body = {});

inline const std::string token = "a token for tests";
inline const std::string with_token = "Authorization: Bearer " + token + "\r\n";

struct site_options {
  std::size_t max_connections = 1'024;
  std::chrono::nanoseconds client_timeout = 1min;
  std::size_t stream_bytes = 1 << 20;
  std::size_t stream_pieces = 1'000;
  std::uint16_t port = 0;
  std::function<void()> work{};
  std::function<void(const std::string&)> on_notice{};
};

/// A server of the dashboard before a handler that answers GET /hello with `hello`, /large/N with N bytes, /unsafe with a field
/// that has a line break in it, /failing with an exception, POST /echo with its body, anything else with 404; its page has
/// `/assets/page.js`.
class site {
 public:
  explicit site(site_options options = {});
  ~site();
  void stop();

  [[nodiscard]] std::uint16_t port() const;
  /// Tells all streams, from the calling thread.
  void tell(std::string_view piece);
  [[nodiscard]] std::size_t streams() const;
  /// How many requests the handler was asked.
  [[nodiscard]] int asked() const;

  [[nodiscard]] std::uint64_t requests() const;
  [[nodiscard]] std::uint64_t refused() const;
  [[nodiscard]] std::uint64_t connections() const;
  [[nodiscard]] std::uint64_t turned_away() const;
  [[nodiscard]] std::uint64_t slow_clients() const;
  [[nodiscard]] std::size_t open_connections() const;
  [[nodiscard]] std::size_t watching() const;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace web_test
