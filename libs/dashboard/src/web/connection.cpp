// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>

#include <utility>

namespace switchgear::inline v1::detail {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

/// What is read of what nobody asked for, from a client that is to go or only listens.
constexpr std::size_t most_ignored = 256 * 1'024;
/// Pieces of a stream that go out with one call of the system.
constexpr std::size_t pieces_at_once = 64;

constexpr std::string_view sent_too_slowly = "did not send its request in time";

constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

bool is_refusal(unsigned status) noexcept { return status >= 400 && status < 500; }

}  // namespace

connection::connection(asio::ip::tcp::socket socket, std::string peer, web_service& service)
    : socket_(std::move(socket)),
      deadline_(socket_.get_executor()),
      peer_(std::move(peer)),
      service_(service),
      received_(longest_head + longest_body) {}

void connection::start(std::list<std::shared_ptr<connection>>::iterator place) {
  place_ = place;
  ++service_.counters.open_connections;
  try {
    wait();
  } catch (...) {  // no memory
    close();
  }
}

void connection::close() noexcept {
  if (phase_ == phase::closed) return;
  const auto alive = shared_from_this();
  phase_ = phase::closed;
  --service_.counters.open_connections;
  end_stream();
  error_code ignored;
  socket_.close(ignored);
  deadline_.cancel();
  (in_idle_ ? service_.idle : service_.busy).erase(place_);
}

void connection::be(phase p) {
  phase_ = p;
  // Who leaves has its answer, and gives way like those that wait.
  const bool idle = p == phase::waiting || p == phase::leaving;
  if (idle || idle != in_idle_) {
    auto& from = in_idle_ ? service_.idle : service_.busy;
    auto& to = idle ? service_.idle : service_.busy;
    to.splice(to.end(), from, place_);
    in_idle_ = idle;
  }
}

// A request

void connection::wait() {
  be(phase::waiting);
  parser_.reset();
  begun_ = {};
  answer_ = {};
  if (received_.size() != 0) {  // sent ahead
    begin();
    return;
  }
  received_.shrink_to_fit();
  socket_.async_wait(asio::socket_base::wait_read,
                     then([](connection& c, error_code ec) { ec ? c.close() : c.begin(); }));
}

void connection::begin() {
  be(phase::reading);
  late_ = false;
  limit(parser_.emplace());
  set_deadline();
  http::async_read_header(socket_, received_, *parser_,
                          then([](connection& c, error_code ec, std::size_t) { c.on_head(ec); }));
}

void connection::on_head(error_code ec) {
  if (ec || late_) return on_bad_read(ec);
  ++service_.counters.requests;
  const auto& head = parser_->get();
  version_ = head.version();
  begun_ = service_.front.begin(head, peer_, access::time_point::clock::now());
  const bool wants_to_stay = parser_->keep_alive();
  if (begun_.refusal) {
    tell_refused(*begun_.refusal);
    send(std::move(*begun_.refusal), wants_to_stay && parser_->is_done());
    return;
  }
  if (parser_->is_done()) return on_body({});
  if (version_ >= 11 && boost::beast::iequals(head[http::field::expect], "100-continue") && received_.size() == 0) {
    asio::async_write(socket_, asio::buffer(go_on), then([](connection& c, error_code failed, std::size_t) {
      failed || c.late_ ? c.on_bad_read(failed) : c.read_body();
    }));
    return;
  }
  read_body();
}

void connection::read_body() {
  http::async_read(socket_, received_, *parser_, then([](connection& c, error_code ec, std::size_t) { c.on_body(ec); }));
}

void connection::on_body(error_code ec) {
  if (ec || late_) return on_bad_read(ec);
  begun_.request.body = std::move(parser_->get().body());
  if (begun_.file == nullptr && web_handler::asks_for_stream(begun_.request) && !begun_.is_head) return stream();
  const bool keep_alive = parser_->keep_alive();
  if (begun_.file == nullptr && begun_.is_head && web_handler::asks_for_stream(begun_.request)) {
    send({.content_type = "text/event-stream", .body = std::make_shared<const std::string>()}, keep_alive);
    return;
  }
  send(service_.front.answer(begun_, service_.handler), keep_alive);
}

void connection::on_bad_read(error_code ec) {
  if (late_) {
    ++service_.counters.requests;
    tell_slow(sent_too_slowly);
    send(error_answer(408, "too_slow", "the request did not come in time"), false);
    return;
  }
  if (auto answer = answer_to(ec)) {
    ++service_.counters.requests;
    tell_refused(*answer);
    send(std::move(*answer), false);
    return;
  }
  close();
}

void connection::tell_refused(const web_answer& answer) {
  if (!service_.options.on_notice || answer.status == 401) return;  // a page that asks for the token breaks no rule
  const std::string_view why = answer.body ? std::string_view(*answer.body) : std::string_view();
  service_.notice({peer_, ": refused with ", std::to_string(answer.status), " ", why});
}

// Its answer

void connection::send(web_answer answer, bool keep_alive) {
  be(phase::answering);
  if (is_refusal(answer.status)) ++service_.counters.refused;
  answer_ = to_wire(std::move(answer), {.is_head = begun_.is_head, .keep_alive = keep_alive, .version = version_});
  set_deadline();
  const std::array<asio::const_buffer, 2> parts{asio::buffer(answer_.head),
                                                answer_.body ? asio::buffer(*answer_.body) : asio::const_buffer()};
  asio::async_write(socket_, parts,
                    then([keep_alive](connection& c, error_code ec, std::size_t) { c.on_sent(ec, keep_alive); }));
}

void connection::on_sent(error_code ec, bool keep_alive) {
  if (ec) return close();
  if (!keep_alive) return leave();
  no_deadline();
  wait();
}

/// Closing with something unread would make the system take back the answer before the client has read it.
void connection::leave() {
  be(phase::leaving);
  error_code failed;
  socket_.shutdown(asio::socket_base::shutdown_send, failed);
  if (failed) return close();
  parser_.reset();
  answer_ = {};
  set_deadline();
  read_the_rest();
}

void connection::read_the_rest() {
  socket_.async_read_some(asio::buffer(ignored_), then([](connection& c, error_code ec, std::size_t size) {
    c.discarded_ += size;
    ec || c.discarded_ > most_ignored ? c.close() : c.read_the_rest();
  }));
}

// A stream

void connection::stream() {
  be(phase::streaming);
  no_deadline();
  parser_.reset();
  received_.clear();  // after a stream there is no further request
  received_.shrink_to_fit();
  queue_ = std::make_shared<stream_queue>(
      service_.options.streams, [weak = weak_from_this(), executor = socket_.get_executor()] {
        asio::post(executor, [weak] {
          if (const auto self = weak.lock()) self->on_woken();
        });
      });
  queue_->push(std::make_shared<const std::string>(stream_head()));
  try {
    stream_ = service_.handler.open_stream([queue = queue_](std::shared_ptr<const std::string> piece) {
      return queue->push(std::move(piece));
    });
  } catch (...) {  // no memory
    stream_.reset();
  }
  if (!stream_) {
    queue_->end();
    queue_.reset();
    send(error_answer(503, "unavailable", "the stream cannot be opened now"), false);
    return;
  }
  ++service_.counters.watching;
  watch();
}

/// A client that listens has nothing to say: reading tells when it goes away.
void connection::watch() {
  socket_.async_read_some(asio::buffer(ignored_), then([](connection& c, error_code ec, std::size_t size) {
    c.discarded_ += size;
    ec || c.discarded_ > most_ignored ? c.close() : c.watch();
  }));
}

void connection::on_woken() noexcept {
  if (phase_ != phase::streaming) return;
  try {
    if (!unsent_ || queue_->has_overflowed()) flush();
  } catch (...) {  // no memory; a stream with a gap in it would tell what is not true
    close();
  }
}

void connection::flush() {
  if (queue_->has_overflowed()) return too_slow("was dropped, it reads more slowly than it is told");
  sending_ = queue_->take(pieces_at_once);
  unsent_.reset();
  if (sending_.empty()) return no_deadline();
  std::vector<asio::const_buffer> buffers;
  buffers.reserve(sending_.size());
  for (const auto& piece : sending_) buffers.push_back(asio::buffer(*piece));
  unsent_.emplace(std::move(buffers));
  write_some();
}

void connection::write_some() {
  set_deadline();
  socket_.async_write_some(*unsent_, then([](connection& c, error_code ec, std::size_t size) {
    if (ec) return c.close();
    c.unsent_->consume(size);
    asio::buffer_size(*c.unsent_) == 0 ? c.flush() : c.write_some();
  }));
}

void connection::end_stream() noexcept {
  if (queue_) queue_->end();
  if (stream_) {
    --service_.counters.watching;
    stream_.reset();
  }
}

// Time

void connection::set_deadline() {
  deadline_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(service_.options.client_timeout));
  await_deadline();
}

void connection::await_deadline() {
  deadline_.async_wait(then([](connection& c, error_code ec) {
    // Set anew while this stood in line: another wait has begun.
    if (ec || c.deadline_.expiry() > asio::steady_timer::clock_type::now()) return;
    c.on_deadline();
  }));
}

void connection::no_deadline() { deadline_.expires_at(asio::steady_timer::time_point::max()); }

void connection::on_deadline() {
  switch (phase_) {
    case phase::reading: {
      if (std::exchange(late_, true)) return too_slow(sent_too_slowly);
      // The read ends, and says so. If one part of it has just ended well, it begins the next, which nothing ends but the client:
      // then there is no second chance.
      set_deadline();
      error_code ignored;
      socket_.cancel(ignored);
      break;
    }
    case phase::answering: too_slow("did not take its answer in time"); break;
    case phase::streaming: too_slow("was dropped, it does not read its stream"); break;
    case phase::leaving: close(); break;
    case phase::waiting:
    case phase::closed: break;
  }
}

void connection::too_slow(std::string_view what) {
  tell_slow(what);
  close();
}

void connection::tell_slow(std::string_view what) {
  ++service_.counters.slow_clients;
  service_.notice({peer_, ": the client ", what});
}

}  // namespace switchgear::inline v1::detail
