// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

namespace switchgear::inline v1::postgres::detail {
namespace {

using std::chrono::nanoseconds;
using real_clock = std::chrono::steady_clock;
using result_pointer = std::unique_ptr<PGresult, void (*)(PGresult*)>;

constexpr Oid type_bytea = 17;

bool is_sqlstate(std::string_view text) {
  return text.size() == 5 && std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

failure failure_of(const PGresult* r) {
  const char* const code = PQresultErrorField(r, PG_DIAG_SQLSTATE);
  failure f{code == nullptr ? "08006" : code};  // libpq's own troubles have none, and they are all of one kind
  const auto add = [&](const char* what, int field) {
    const char* const text = PQresultErrorField(r, field);
    if (text != nullptr) f.where += std::string(f.where.empty() ? ": " : ", ") + what + " " + text;
  };
  add("constraint", PG_DIAG_CONSTRAINT_NAME);
  add("table", PG_DIAG_TABLE_NAME);
  add("column", PG_DIAG_COLUMN_NAME);
  add("at character", PG_DIAG_STATEMENT_POSITION);
  return f;
}

}  // namespace

/// The deadline and the stop token of one operation.
class session::limits {
 public:
  limits(const session& of, nanoseconds limit, const std::stop_token& stop)
      : of_(of), limit_(limit), end_(real_clock::now() + limit), stop_(stop), wake_(stop, writer{of.wake_}) {
    eventfd_t old = 0;
    if (!stop.stop_requested()) eventfd_read(of.wake_, &old);  // left over from the operation before
  }

  /// Until the socket can be read (or written); the events that came. Throws call_timeout_error and cancelled_error.
  short wait(short events) {
    for (;;) {
      if (stop_.stop_requested()) throw cancelled_error(of_.settings_.target + ": the call was cancelled");
      const nanoseconds left = end_ - real_clock::now();
      if (left <= nanoseconds(0)) throw call_timeout_error(of_.settings_.target, limit_);
      pollfd files[] = {{PQsocket(of_.connection_.get()), events, 0}, {of_.wake_, POLLIN, 0}};
      const timespec most{static_cast<time_t>(left.count() / 1'000'000'000), static_cast<long>(left.count() % 1'000'000'000)};
      const int ready = ppoll(files, 2, &most, nullptr);
      if (ready < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
      if (ready > 0 && files[0].revents != 0) return files[0].revents;
    }
  }

 private:
  const session& of_;
  nanoseconds limit_;
  real_clock::time_point end_;
  const std::stop_token& stop_;
  struct writer {
    int fd;
    void operator()() const noexcept { eventfd_write(fd, 1); }
  };
  std::stop_callback<writer> wake_;
};

session::session(const settings& with, nanoseconds limit, const std::stop_token& stop)
    : settings_(with), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wake_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  try {
    limits until(*this, limit, stop);
    connect(until);
  } catch (...) {
    connection_.reset();
    ::close(wake_);
    throw;
  }
}

session::~session() {
  connection_.reset();
  ::close(wake_);
}

void session::connect(limits& until) {
  std::vector<const char*> keys, values;
  for (const auto& [key, text] : settings_.words) {
    keys.push_back(key.c_str());
    values.push_back(text.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  connection_.reset(PQconnectStartParams(keys.data(), values.data(), 0));
  if (!connection_) throw std::bad_alloc();
  PGconn* const c = connection_.get();
  // Notices would go to the standard error stream. Errors of the server are asked for as bare SQLSTATEs: nothing else tells a
  // wrong password from a server that is full, and their texts name users and quote values.
  PQsetNoticeReceiver(c, [](void*, const PGresult*) {}, nullptr);
  PQsetErrorVerbosity(c, PQERRORS_SQLSTATE);
  if (PQstatus(c) == CONNECTION_BAD) fail_to_connect();
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (next != PGRES_POLLING_OK) {
    if (next == PGRES_POLLING_FAILED) fail_to_connect();
    until.wait(next == PGRES_POLLING_READING ? POLLIN : POLLOUT);
    next = PQconnectPoll(c);
  }
  if (PQsetnonblocking(c, 1) != 0) fail_to_connect();
}

void session::fail_to_connect() {
  std::string text = PQerrorMessage(connection_.get());
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (PQconnectionNeedsPassword(connection_.get()) != 0) throw failure{"28P01", ": the server wants a password"};
  if (text.size() > 5 && text[text.size() - 6] == ' ' && is_sqlstate(std::string_view(text).substr(text.size() - 5))) {
    throw failure{text.substr(text.size() - 5)};
  }
  text.erase(std::min(text.find('\n'), text.size()));
  if (!settings_.password.empty() && text.find(settings_.password) != std::string::npos) text = "cannot connect";
  throw failure{"08001", ": " + text};
}

bool session::was_closed() {
  pollfd file{PQsocket(connection_.get()), POLLIN, 0};
  // A connection nobody uses has nothing to say but farewell, or that a setting has changed.
  for (int i = 0; i < 10 && ::poll(&file, 1, 0) > 0; ++i) {
    if (PQconsumeInput(connection_.get()) == 0) return true;
    (void)PQisBusy(connection_.get());  // takes in what has come
  }
  return is_broken() || file.revents != 0;
}

std::shared_ptr<const pg_result> session::run(std::string_view sql, const std::vector<value>& parameters, nanoseconds limit,
                                              const std::stop_token& stop) {
  // Both end in libpq at the first zero byte, so that something else than was meant would be run.
  if (sql.find('\0') != std::string_view::npos) throw failure{"42601", ": a zero byte in the statement"};
  for (const value& v : parameters) {
    if (v.is() == value::form::text && v.data().find('\0') != std::string::npos) {
      throw failure{"22021", ": a zero byte in a parameter"};
    }
  }
  if (parameters.size() > 65'535) throw failure{"54023", ": more than 65535 parameters"};
  if (stop.stop_requested()) throw cancelled_error(settings_.target + ": the call was cancelled");
  if (is_broken()) throw failure{"08006", ": the connection was lost before"};
  limits until(*this, limit, stop);
  broken_ = true;  // until the answer is complete
  send(std::string(sql), parameters);
  std::shared_ptr<const pg_result> answer = receive(until);
  broken_ = false;
  const ExecStatusType status = PQresultStatus(answer.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY) return answer;
  throw failure_of(answer.get());
}

void session::send(const std::string& sql, const std::vector<value>& parameters) {
  std::vector<const char*> data;
  std::vector<int> lengths, formats;
  std::vector<Oid> types;
  for (const value& v : parameters) {
    const bool binary = v.is() == value::form::binary;
    data.push_back(v.is() == value::form::null ? nullptr : v.data().c_str());
    lengths.push_back(static_cast<int>(v.data().size()));
    formats.push_back(binary ? 1 : 0);
    types.push_back(binary ? type_bytea : 0);
  }
  const int count = static_cast<int>(parameters.size());
  if (PQsendQueryParams(connection_.get(), sql.c_str(), count, types.data(), data.data(), lengths.data(), formats.data(),
                        0) == 0) {
    throw failure{"08006", ": the statement could not be sent"};
  }
}

std::shared_ptr<const pg_result> session::receive(limits& until) {
  PGconn* const c = connection_.get();
  std::shared_ptr<const pg_result> answer;
  const auto take = [&](short events) {
    if ((until.wait(events) & (POLLIN | POLLHUP | POLLERR)) != 0 && PQconsumeInput(c) == 0) {
      // The server's last words, when it had any, are more telling than the end of the line.
      if (answer && PQresultErrorField(answer.get(), PG_DIAG_SQLSTATE) != nullptr) throw failure_of(answer.get());
      while (PQisBusy(c) == 0) {
        const result_pointer last(PQgetResult(c), &PQclear);
        if (!last) break;
        if (PQresultErrorField(last.get(), PG_DIAG_SQLSTATE) != nullptr) throw failure_of(last.get());
      }
      throw failure{"08006", ": the connection was lost"};
    }
  };
  for (int left = 0; (left = PQflush(c)) != 0;) {
    if (left < 0) {
      if (PQconsumeInput(c) == 0) throw failure{"08006", ": the connection was lost"};
      break;  // a server that says why it hangs up is heard
    }
    take(POLLIN | POLLOUT);
  }
  for (;;) {
    while (PQisBusy(c) != 0) take(POLLIN);
    result_pointer next(PQgetResult(c), &PQclear);
    if (!next) break;
    const ExecStatusType status = PQresultStatus(next.get());
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
      throw failure{"0A000", ": COPY is not supported"};
    }
    // The first error explains those after it.
    if (!answer || PQresultStatus(answer.get()) != PGRES_FATAL_ERROR) answer.reset(next.release(), [](const PGresult* r) {
      PQclear(const_cast<PGresult*>(r));
    });
  }
  if (!answer) throw failure{"08006", ": the server gave no answer"};
  return answer;
}

}  // namespace switchgear::inline v1::postgres::detail
