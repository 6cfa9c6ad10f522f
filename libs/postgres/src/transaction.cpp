// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <libpq-fe.h>

namespace switchgear::inline v1::postgres {

result transaction::query(std::string_view sql, const std::vector<value>& parameters) {
  try {
    try {
      return result(session_.run(sql, parameters, limit_, attempt_.stop));
    } catch (const detail::failure& f) {
      detail::raise(f, attempt_);
    }
  } catch (...) {
    thrown_ = std::current_exception();
    if (session_.is_broken() && !broken_by_) broken_by_ = thrown_;
    throw;
  }
}

void transaction::begin(std::string_view how) { (void)query(how); }

void transaction::run(const std::function<void(transaction&)>& body) {
  try {
    body(*this);
  } catch (...) {
    const std::exception_ptr thrown = std::current_exception();
    const bool broke = lost_its_server();
    abandon();
    if (thrown == thrown_) std::rethrow_exception(broken_by_ ? broken_by_ : thrown_);  // what the server said, or the lack of it
    throw detail::foreign_error(thrown, broke, attempt_);
  }
  end();
}

void transaction::end() {
  if (broken_by_) std::rethrow_exception(broken_by_);  // the function has swallowed it
  if (session_.is_broken()) detail::raise({"08006", ": the connection was lost during the transaction"}, attempt_);
  if (!session_.is_in_transaction()) {
    throw attempt_.refused(attempt_.context.target + ": the transaction was ended by a statement of its own", "25P01");
  }
  if (rolls_back_) {
    (void)query("rollback");
  } else if (attempt_.stop.stop_requested()) {
    abandon();
    throw cancelled_error(attempt_.context.target + ": the call was cancelled, the transaction was rolled back");
  } else {
    commit();
  }
}

bool transaction::lost_its_server() const noexcept {
  if (!session_.is_broken() || attempt_.stop.stop_requested()) return false;
  if (!broken_by_) return true;
  try {
    std::rethrow_exception(broken_by_);
  } catch (const refused_error&) {  // COPY: we have closed it ourselves; or the server has, for something that was done on it
    return false;
  } catch (...) {
    return true;
  }
}

void transaction::commit() {
  std::shared_ptr<const pg_result> answer;
  try {
    try {
      // Without the stop token: who gives up here would not know what he has done.
      answer = session_.run("commit", {}, limit_, {});
    } catch (const detail::failure& f) {
      detail::raise(f, attempt_);
    }
  } catch (...) {
    // An error after which the connection lives on is a rollback; anything else leaves the question open.
    if (session_.is_reusable()) throw;
    std::throw_with_nested(commit_unknown_error(
        attempt_.context.target + ": the connection was lost during COMMIT: nobody knows whether the transaction was committed",
        attempt_.context, attempt_.correlation_id));
  }
  if (std::string_view(PQcmdStatus(const_cast<pg_result*>(answer.get()))) == "ROLLBACK") {
    throw attempt_.refused(
        attempt_.context.target + ": rolled back because of an error before: in_failed_sql_transaction (25P02)", "25P02");
  }
}

void transaction::abandon() noexcept {
  // A caller who has given up waits no more: the session is closed with its transaction in it, which is a rollback too.
  if (session_.is_broken() || !session_.is_in_transaction() || attempt_.stop.stop_requested()) return;
  try {
    (void)session_.run("rollback", {}, limit_, attempt_.stop);
  } catch (...) {  // the session is broken now, and will be closed
  }
}

}  // namespace switchgear::inline v1::postgres
