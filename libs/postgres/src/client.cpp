// SPDX-License-Identifier: Apache-2.0
#include <switchgear/postgres/client.hpp>

#include "pool.hpp"

namespace switchgear::inline v1::postgres {
namespace {

/// What is worth another attempt: conflicts, and what is evidence, or what the user says instead; never an unknown commit.
adapter_options with_repeats(adapter_options o) {
  const bool asked = !o.retry.when.is_empty();
  const classifier wanted = std::move(o.retry.when);
  o.retry.when = classifier{}
                     .ignore<commit_unknown_error>()
                     .judge_exception<detail::foreign_error>([asked, wanted](const detail::foreign_error& e) {
                       if (!asked) return verdict::ignored;
                       try {
                         std::rethrow_exception(e.cause());
                       } catch (...) {
                         return wanted.of_current_exception().verdict;
                       }
                     })
                     .fail<conflict_error>()
                     .ignore<refused_error>()
                     .judge_exception<std::exception>([asked, wanted](const std::exception&) -> std::optional<verdict> {
                       if (!asked) return std::nullopt;
                       return wanted.of_current_exception().verdict;
                     });
  return o;
}

std::string begin_statement(const transaction_options& o) {
  std::string text = "begin";
  switch (o.isolation) {
    case isolation::server_default: break;
    case isolation::read_committed: text += " isolation level read committed"; break;
    case isolation::repeatable_read: text += " isolation level repeatable read"; break;
    case isolation::serializable: text += " isolation level serializable"; break;
  }
  if (o.read_only) text += " read only";
  return text;
}

/// What a session throws, as callers know it.
template <class F>
auto translated(const adapter::attempt& a, F f) {
  try {
    return f();
  } catch (const detail::failure& e) {
    detail::raise(e, a);
  }
}

}  // namespace

client::client(options o)
    : pool_(std::make_unique<detail::pool>(o)),
      statement_timeout_(o.statement_timeout),
      guarded_("postgres", pool_->target(), with_repeats(std::move(o.adapter)), rules()) {}

client::~client() = default;

circuit_breaker& client::breaker() const noexcept { return guarded_.breaker(); }
const std::string& client::target() const noexcept { return guarded_.target(); }
std::size_t client::connections() const { return pool_->open(); }

result client::attempt_query(std::string_view sql, const std::vector<value>& parameters, const adapter::attempt& a) const {
  return translated(a, [&] {
    const detail::pool::lease lease = pool_->borrow(a.stop);
    return result((*lease).run(sql, parameters, statement_timeout_, a.stop));
  });
}

result client::query(std::string_view sql, const std::vector<value>& parameters, const operation_options& o) const {
  return guarded_.run("query", "Failed to query " + target(), o,
                      [&](const adapter::attempt& a) { return attempt_query(sql, parameters, a); });
}

std::uint64_t client::execute(std::string_view sql, const std::vector<value>& parameters, const operation_options& o) const {
  return guarded_.run("execute", "Failed to execute a statement on " + target(), o,
                      [&](const adapter::attempt& a) { return attempt_query(sql, parameters, a).affected_rows(); });
}

result client::repeat_query(std::string_view sql, const std::vector<value>& parameters, const operation_options& o) const {
  return guarded_.repeat("query", "Failed to query " + target(), o,
                         [&](const adapter::attempt& a) { return attempt_query(sql, parameters, a); });
}

void client::attempt_transaction(const std::function<void(postgres::transaction&)>& body, const std::string& begin,
                                 const adapter::attempt& a, bool& committed) const {
  // Only what the session throws here is translated: the function's own exceptions are none of our business.
  const detail::pool::lease lease = translated(a, [&] { return pool_->borrow(a.stop); });
  postgres::transaction t(*lease, a, statement_timeout_);
  t.begin(begin);
  t.run(body);
  committed = true;
}

void client::run_transaction(const std::function<void(postgres::transaction&)>& body, const transaction_options& o,
                             bool repeat) const {
  const std::string begin = begin_statement(o);
  const std::string failed = "Failed to run a transaction on " + target();
  bool committed = false;
  std::exception_ptr unknown;
  const auto attempt = [&](const adapter::attempt& a) {
    try {
      attempt_transaction(body, begin, a, committed);
    } catch (const commit_unknown_error&) {
      unknown = std::current_exception();
      throw;
    }
  };
  try {
    if (repeat) {
      guarded_.repeat("transaction", failed, o.call, attempt);
    } else {
      guarded_.run("transaction", failed, o.call, attempt);
    }
  } catch (const detail::foreign_error& e) {
    std::rethrow_exception(e.cause());
  } catch (const call_timeout_error&) {
    // The breaker's limit passed meanwhile. What became of the transaction is the better answer.
    if (unknown) std::rethrow_exception(unknown);
    if (!committed) throw;
  }
}

}  // namespace switchgear::inline v1::postgres
