// SPDX-License-Identifier: Apache-2.0
//
// Input: one byte that says where to cut, then what a client sends. The way from the bytes to the answer without a socket: the
// same answers however they are cut, and each of them one head and its body.
#include "../libs/dashboard/src/web/front.hpp"
#include "fuzz.hpp"

#include <boost/asio/buffer.hpp>

#include <vector>

namespace detail = switchgear::detail;
namespace http = boost::beast::http;
using switchgear::fuzz::require;

namespace {

class echo final : public detail::web_handler {
 public:
  detail::web_answer answer(const detail::web_request& r) override {
    require(r.method == "GET" || r.method == "POST", "the handler sees no other methods");
    require(r.method == "GET" || r.may_act, "nobody acts who may not");
    require(r.body.size() <= detail::longest_body, "bodies have a limit");
    std::string text = r.method + r.content_type + r.body;
    for (const std::string& segment : r.path) text += segment;
    return {.body = std::make_shared<const std::string>(text), .headers = {{"X-Echo", text}}};
  }
  std::shared_ptr<void> open_stream(detail::stream_writer) override { return nullptr; }
};

const detail::asset* find(std::string_view path) noexcept {
  static const detail::asset page{.path = "/", .content_type = "text/html", .bytes = "page", .etag = "\"1\""};
  return path == page.path ? &page : nullptr;
}

void check(const detail::wire_answer& sent) {
  require(sent.head.starts_with("HTTP/1.1 "), "an answer begins as one");
  require(sent.head.find("\r\n\r\n") == sent.head.size() - 4, "a head has one end");
  require(sent.head.find("\r\nContent-Security-Policy: ") != sent.head.npos, "every answer has the policy");
}

/// Everything that is answered to one request.
std::string answer_to(std::string_view text, std::size_t cut) {
  detail::access_rules rules{.listen = *detail::read_listen_address("127.0.0.1:8600"), .token = "0123456789abcdef"};
  detail::web_front front(std::move(rules), find);
  echo handler;
  detail::request_parser parser;
  detail::limit(parser);
  detail::begun_request begun;
  bool has_begun = false;
  boost::beast::error_code ec;
  std::size_t used = 0;
  for (std::size_t end : {std::min(cut, text.size()), text.size()}) {
    while (used < end && !parser.is_done()) {
      used += parser.put(boost::asio::buffer(text.data() + used, end - used), ec);
      if (ec == http::error::need_more) {
        ec = {};
        break;
      }
      if (ec) {
        const auto refusal = detail::answer_to(ec);
        require(refusal.has_value(), "who sends something wrong is told so");
        check(detail::to_wire(*refusal, {.keep_alive = false}));
        return "unanswered";
      }
      if (parser.is_header_done() && !has_begun) {
        has_begun = true;
        begun = front.begin(parser.get(), "127.0.0.1:1", {});
      }
    }
  }
  // What is wrong with a head that has no end yet is seen now or with its end, as the pieces come.
  if (!has_begun) return "unanswered";
  if (!begun.refusal && !parser.is_done()) return "body";
  begun.request.body = std::move(parser.get().body());
  const detail::wire_answer sent = detail::to_wire(
      front.answer(begun, handler),
      {.is_head = begun.is_head, .keep_alive = parser.keep_alive(), .version = static_cast<unsigned>(parser.get().version())});
  check(sent);
  require(!begun.is_head || !sent.body, "nothing follows the answer to HEAD");
  return sent.head + (sent.body ? *sent.body : std::string());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = switchgear::fuzz::text_of(data + 1, size - 1);
  require(answer_to(text, text.size()) == answer_to(text, data[0]), "the answer is the same however the request is cut");
  return 0;
}
