// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "settings.hpp"

#include <libpq-fe.h>

#include <chrono>
#include <exception>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchgear::inline v1::postgres::detail {

/// Something went wrong, in SQLSTATE.
struct failure {
  std::string code;
  std::string where{};  ///< begins with a separator; nothing in it is secret
};

/// Throws refused_error, conflict_error or server_error.
[[noreturn]] void raise(const failure& f, const adapter::attempt& a);

/// Carries what a transaction's function throws on its own account through the adapter, unchanged and unwrapped.
class foreign_error : public refused_error {
 public:
  foreign_error(std::exception_ptr cause, bool connection_broke, const adapter::attempt& a)
      : refused_error("the transaction was rolled back", a.context, a.correlation_id),
        cause_(std::move(cause)),
        connection_broke_(connection_broke) {}
  [[nodiscard]] const std::exception_ptr& cause() const noexcept { return cause_; }
  [[nodiscard]] bool connection_broke() const noexcept { return connection_broke_; }

 private:
  std::exception_ptr cause_;
  bool connection_broke_;
};

/// One connection. Waits with poll() alone, never without a deadline; whatever goes wrong on the way (a deadline, a stop, a
/// broken line) leaves it broken, for nobody knows what the server would send next. Cancelling on the server is not tried:
/// PQcancel blocks as long as it likes.
///
/// Its functions throw failure, call_timeout_error and cancelled_error. To be used by one thread at a time.
class session {
 public:
  session(const settings& with, std::chrono::nanoseconds limit, const std::stop_token& stop);
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session();

  std::shared_ptr<const pg_result> run(std::string_view sql, const std::vector<value>& parameters, std::chrono::nanoseconds limit,
                                       const std::stop_token& stop);

  /// Whether it may serve another caller.
  [[nodiscard]] bool is_reusable() const noexcept {
    return !is_broken() && PQtransactionStatus(connection_.get()) == PQTRANS_IDLE;
  }
  [[nodiscard]] bool is_broken() const noexcept { return broken_ || PQstatus(connection_.get()) != CONNECTION_OK; }
  [[nodiscard]] bool is_in_transaction() const noexcept {
    const PGTransactionStatusType status = PQtransactionStatus(connection_.get());
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
  }
  /// Whether the server has closed it meanwhile, which it says, or the kernel does. Does not wait.
  [[nodiscard]] bool was_closed();

 private:
  class limits;
  struct finish {
    void operator()(PGconn* c) const noexcept { PQfinish(c); }
  };
  void connect(limits& until);
  void send(const std::string& sql, const std::vector<value>& parameters);
  std::shared_ptr<const pg_result> receive(limits& until);
  [[noreturn]] void fail_to_connect();

  const settings& settings_;
  int wake_;  ///< an eventfd, written by stop requests
  std::unique_ptr<PGconn, finish> connection_;
  bool broken_ = false;
};

}  // namespace switchgear::inline v1::postgres::detail
