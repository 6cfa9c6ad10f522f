// SPDX-License-Identifier: Apache-2.0
#include <switchgear/redis/connection.hpp>

#include "socket.hpp"

#include <switchgear/detail/validation.hpp>

#include <hiredis/hiredis.h>

#include <algorithm>
#include <array>
#include <climits>
#include <new>
#include <vector>

namespace switchgear::inline v1::redis {
namespace {

using detail::deadline;
using detail::socket;

struct free_reader {
  void operator()(redisReader* r) const noexcept { redisReaderFree(r); }
};
struct free_reply {
  void operator()(redisReply* r) const noexcept { freeReplyObject(r); }
};

reply::kind kind_of(int type) {
  switch (type) {
    case REDIS_REPLY_STRING: return reply::kind::text;
    case REDIS_REPLY_STATUS: return reply::kind::status;
    case REDIS_REPLY_INTEGER: return reply::kind::integer;
    case REDIS_REPLY_ERROR: return reply::kind::error;
    case REDIS_REPLY_ARRAY: return reply::kind::array;
    default: return reply::kind::nil;
  }
}

reply owned(const redisReply& r) {
  reply out;
  out.is = kind_of(r.type);
  if (out.is == reply::kind::integer) out.integer = r.integer;
  if (r.str != nullptr) out.text.assign(r.str, r.len);
  if (out.is == reply::kind::array) {
    out.elements.reserve(r.elements);
    for (std::size_t i = 0; i < r.elements; ++i) out.elements.push_back(owned(*r.element[i]));
  }
  return out;
}

// A formatted command of hiredis.
struct formatted {
  explicit formatted(std::span<const std::string_view> words) {
    if (words.empty() || words.size() > INT_MAX) {
      throw config_error({{.key = "command", .value = {}, .allowed = {}, .message = "a command has at least one word"}});
    }
    std::vector<const char*> starts;
    std::vector<std::size_t> lengths;
    starts.reserve(words.size());
    lengths.reserve(words.size());
    for (const std::string_view word : words) {
      starts.push_back(word.data() == nullptr ? "" : word.data());
      lengths.push_back(word.size());
    }
    const int made = redisFormatSdsCommandArgv(&bytes, static_cast<int>(words.size()), starts.data(), lengths.data());
    if (made < 0) throw std::bad_alloc();
    length = sdslen(bytes);
  }
  formatted(const formatted&) = delete;
  formatted& operator=(const formatted&) = delete;
  ~formatted() { redisFreeSdsCommand(bytes); }

  sds bytes = nullptr;
  std::size_t length = 0;
};

std::span<const std::string_view> span_of(std::initializer_list<std::string_view> words) { return {words.begin(), words.size()}; }

}  // namespace

struct connection::state {
  enum class ending : unsigned char { reply, time, wake_fd };

  state(socket connected, std::chrono::nanoseconds reply_timeout)
      : peer(std::move(connected)), reader(redisReaderCreate()), timeout(reply_timeout) {
    if (!reader) throw std::bad_alloc();
  }

  void require_open() const {
    if (peer.descriptor() < 0) throw io_error("the connection is closed");
  }

  bool parse(reply& into) {
    void* raw = nullptr;
    if (redisReaderGetReply(reader.get(), &raw) != REDIS_OK) throw io_error("what the server sent is not the protocol of Redis");
    if (raw == nullptr) return false;
    const std::unique_ptr<redisReply, free_reply> got(static_cast<redisReply*>(raw));
    into = owned(*got);
    return true;
  }

  void write_some() {
    written += peer.write(std::string_view(output).substr(written));
    if (written < output.size()) return;
    output.clear();
    written = 0;
  }

  void read_some() {
    std::array<char, 16 * 1024> buffer;
    const std::size_t got = peer.read(buffer);
    if (got != 0 && redisReaderFeed(reader.get(), buffer.data(), got) != REDIS_OK) throw std::bad_alloc();
  }

  // Writes and reads at the same time: a server whose own output nobody takes would stop reading.
  ending exchange(const deadline& until, int wake_fd, reply& into) {
    require_open();
    try {
      if (!output.empty()) write_some();
      for (;;) {
        if (parse(into)) return ending::reply;
        switch (peer.wait(!output.empty(), until, wake_fd)) {
          case socket::woken_by::time: return ending::time;
          case socket::woken_by::wake_fd: return ending::wake_fd;
          case socket::woken_by::nobody: break;
        }
        if (!output.empty()) write_some();
        read_some();
      }
    } catch (...) {
      close();
      throw;
    }
  }

  void close() noexcept {
    peer.close();
    output.clear();
    written = 0;
  }

  socket peer;
  std::unique_ptr<redisReader, free_reader> reader;
  std::chrono::nanoseconds timeout;
  std::string output;
  std::size_t written = 0;  ///< of output
};

connection::connection(std::unique_ptr<state> s) noexcept : state_(std::move(s)) {}
connection::connection(connection&&) noexcept = default;
connection& connection::operator=(connection&&) noexcept = default;
connection::~connection() = default;

std::optional<connection> connection::open(const options& o, int wake_fd) {
  switchgear::detail::require_no(o.validate());
  std::optional<socket> peer = socket::connect(o, wake_fd);
  if (!peer) return std::nullopt;
  connection made(std::make_unique<state>(std::move(*peer), o.timeout));
  const auto greet = [&](std::span<const std::string_view> words) {
    made.append(words);
    reply r;
    switch (made.state_->exchange(detail::deadline_in(o.timeout), wake_fd, r)) {
      case state::ending::wake_fd: return false;
      case state::ending::time:
        throw io_timeout("no reply to " + std::string(words[0]) + " within " + format_duration(o.timeout));
      case state::ending::reply: break;
    }
    if (r.is_error()) throw describe_error(r, words[0]);
    return true;
  };
  if (!o.password.empty()) {
    const std::array<std::string_view, 3> words{"AUTH", o.user, o.password};
    const std::array<std::string_view, 2> without_user{"AUTH", o.password};
    if (!(o.user.empty() ? greet(without_user) : greet(words))) return std::nullopt;
  }
  if (o.database != 0) {
    const std::string number = std::to_string(o.database);
    const std::array<std::string_view, 2> words{"SELECT", number};
    if (!greet(words)) return std::nullopt;
  }
  return made;
}

connection connection::open(const options& o) { return *open(o, -1); }

void connection::append(std::span<const std::string_view> words) {
  state_->require_open();
  const formatted command(words);
  state_->output.append(command.bytes, command.length);
}

void connection::append(std::initializer_list<std::string_view> words) { append(span_of(words)); }

reply connection::read() {
  reply r;
  if (state_->exchange(detail::deadline_in(state_->timeout), -1, r) == state::ending::reply) return r;
  state_->close();
  throw io_timeout("no reply within " + format_duration(state_->timeout));
}

reply connection::command(std::span<const std::string_view> words) {
  append(words);
  reply r = read();
  if (r.is_error()) throw describe_error(r, words[0]);
  return r;
}

reply connection::command(std::initializer_list<std::string_view> words) { return command(span_of(words)); }

std::optional<reply> connection::poll(std::chrono::nanoseconds at_most, int wake_fd) {
  const auto until = std::chrono::steady_clock::now() +
                     std::clamp(at_most, std::chrono::nanoseconds(0), std::chrono::nanoseconds(switchgear::detail::a_day));
  reply r;
  if (state_->exchange(until, wake_fd, r) == state::ending::reply) return r;
  return std::nullopt;
}

int connection::descriptor() const noexcept { return state_->peer.descriptor(); }

}  // namespace switchgear::inline v1::redis
