// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../assets.hpp"
#include "access.hpp"
#include "message.hpp"
#include "options.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace switchgear::inline v1::detail {

inline constexpr std::size_t longest_head = 16 * 1024;
inline constexpr std::size_t longest_body = 16 * 1024;

using request_parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

/// Sets the limits above.
void limit(request_parser& parser);

/// What a client is told whose request could not be read; nothing when it just went away.
[[nodiscard]] std::optional<web_answer> answer_to(const boost::beast::error_code& parse_error);

/// What is known of a request once its head has been read.
struct begun_request {
  std::optional<web_answer> refusal;  ///< then the rest says nothing
  web_request request;                ///< without its body; the method of HEAD is GET
  bool is_head = false;
  const asset* file = nullptr;        ///< of the page, if it asks for one
  std::string if_none_match{};
};

/// Between the bytes of HTTP and the rest of the dashboard. Pure: no sockets, and the time is an argument.
///
/// Thread safety: one thread.
class web_front {
 public:
  web_front(access_rules rules, find_file find) : access_(std::move(rules)), find_(find) {}

  [[nodiscard]] begun_request begin(const boost::beast::http::request_header<>& head, std::string peer,
                                    access::time_point now);

  /// The answer, from the page's files or the handler. Throws nothing.
  [[nodiscard]] web_answer answer(const begun_request& begun, web_handler& handler) const noexcept;

 private:
  access access_;
  find_file find_;
};

/// An answer as it is sent: its head, and the body, which nobody copies.
struct wire_answer {
  std::string head;
  std::shared_ptr<const std::string> body;  ///< null: nothing follows
};
struct wire_options {
  bool is_head = false;       ///< the answer to HEAD: its length is told, and no body follows
  bool keep_alive = true;
  unsigned version = 11;      ///< of the request
};
[[nodiscard]] wire_answer to_wire(web_answer answer, wire_options how);

/// The head of a stream of server-sent events, which ends with the connection.
[[nodiscard]] std::string stream_head();

}  // namespace switchgear::inline v1::detail
