// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "service.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/buffers_suffix.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <array>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::detail {

/// One client: requests one after another, or a stream. Whatever it sends or leaves out ends within limits: a request has to come
/// as a whole within client_timeout of its first byte, an answer has to be taken within client_timeout, a stream has to take
/// something in each client_timeout. Waiting for the next request has no limit, but gives way, see web_server.
///
/// Thread safety: the server's thread, the queue of a stream apart.
class connection : public std::enable_shared_from_this<connection> {
 public:
  connection(boost::asio::ip::tcp::socket socket, std::string peer, web_service& service);

  /// Once, when it stands in one of the lists of the service.
  void start(std::list<std::shared_ptr<connection>>::iterator place);
  /// Closes at once, leaves its list, and lets go of everything.
  void close() noexcept;

 private:
  using error_code = boost::system::error_code;
  enum class phase { waiting, reading, answering, streaming, leaving, closed };

  // A request.
  void wait();
  void begin();
  void on_head(error_code ec);
  void read_body();
  void on_body(error_code ec);
  void on_bad_read(error_code ec);
  void tell_refused(const web_answer& answer);

  // Its answer.
  void send(web_answer answer, bool keep_alive);
  void on_sent(error_code ec, bool keep_alive);
  void leave();
  void read_the_rest();

  // A stream.
  void stream();
  void watch();
  void on_woken() noexcept;
  void flush();
  void write_some();
  void end_stream() noexcept;

  /// What to call when something has ended: `f(*this, results…)`, unless the connection is closed by then. What throws, for want
  /// of memory, leaves no connection behind that nothing would ever end.
  template <class F>
  auto then(F f) {
    return [self = shared_from_this(), f](error_code ec, auto... results) -> void {
      if (self->phase_ == phase::closed) return;
      try {
        f(*self, ec, results...);
      } catch (...) {
        self->close();
      }
    };
  }

  void be(phase p);
  void set_deadline();
  void no_deadline();
  void await_deadline();
  void on_deadline();
  void too_slow(std::string_view what);
  void tell_slow(std::string_view what);

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer deadline_;
  const std::string peer_;
  web_service& service_;
  std::list<std::shared_ptr<connection>>::iterator place_{};
  bool in_idle_ = false;
  phase phase_ = phase::waiting;
  bool late_ = false;  ///< the deadline of the request has passed

  boost::beast::flat_buffer received_;
  std::optional<request_parser> parser_;
  begun_request begun_;
  unsigned version_ = 11;
  wire_answer answer_;

  std::shared_ptr<stream_queue> queue_;
  std::shared_ptr<void> stream_;
  std::vector<stream_queue::piece> sending_;
  std::optional<boost::beast::buffers_suffix<std::vector<boost::asio::const_buffer>>> unsent_;
  std::size_t discarded_ = 0;
  std::array<char, 1'024> ignored_{};
};

}  // namespace switchgear::inline v1::detail
