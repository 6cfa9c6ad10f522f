// SPDX-License-Identifier: Apache-2.0
#include <switchgear/transaction.hpp>

#include <utility>

namespace switchgear::inline v1 {

std::string_view to_string(transaction_state s) noexcept {
  switch (s) {
    case transaction_state::open: return "open";
    case transaction_state::committing: return "committing";
    case transaction_state::committed: return "committed";
    case transaction_state::rolling_back: return "rolling_back";
    case transaction_state::rolled_back: return "rolled_back";
  }
  return "open";
}

transaction::transaction(std::function<void(const undo_failure&)> on_undo_failure)
    : on_undo_failure_(std::move(on_undo_failure)) {}

transaction::~transaction() { finish_rollback(); }

void transaction::commit() {
  require_decision("be committed");
  require_open("be committed", false);
  finish_commit();
}

std::vector<undo_failure> transaction::rollback() {
  require_decision("be rolled back");
  if (state_ == transaction_state::rolled_back) return {};
  require_open("be rolled back", false);
  finish_rollback();
  return failures_;
}

void transaction::finish_commit() {
  state_ = transaction_state::committing;
  try {
    for (const auto& action : actions_) action->run();
  } catch (...) {
    finish_rollback();
    throw;
  }
  state_ = transaction_state::committed;
  forget();
}

void transaction::finish_rollback() noexcept {
  if (state_ != transaction_state::open && state_ != transaction_state::committing) return;
  state_ = transaction_state::rolling_back;
  // Taken off before it runs: whatever it does, it cannot run again.
  while (const std::unique_ptr<detail::transaction_step> step = pop()) run_undo(*step);
  state_ = transaction_state::rolled_back;
  forget();
}

void transaction::run_undo(detail::transaction_step& step) noexcept {
  try {
    try {
      step.run();
    } catch (const std::exception& e) {
      failures_.push_back({step.name, e.what(), std::current_exception()});
      if (on_undo_failure_) on_undo_failure_(failures_.back());
    } catch (...) {
      failures_.push_back({step.name, "an exception that is not a std::exception", std::current_exception()});
      if (on_undo_failure_) on_undo_failure_(failures_.back());
    }
  } catch (...) {
    // No memory to write it down, or a reporter that throws: the other undos matter more.
  }
}

void transaction::require_open(std::string_view what, bool also_committing) const {
  if (state_ == transaction_state::open || (also_committing && state_ == transaction_state::committing)) return;
  throw transaction_error("a transaction that is " + std::string(to_string(state_)) + " cannot " + std::string(what));
}

void transaction::require_decision(std::string_view what) const {
  if (!decided_elsewhere_) return;
  throw transaction_error("the transaction of an effect cannot " + std::string(what) +
                          " from inside: return to commit it, throw to roll it back");
}

void transaction::push(std::unique_ptr<detail::transaction_step> step) noexcept {
  // Only an operation that ends the transaction it runs in gets here after the end.
  if (state_ == transaction_state::committed) return;
  if (state_ == transaction_state::rolled_back) return run_undo(*step);
  step->next = std::move(last_undo_);
  last_undo_ = std::move(step);
  ++undo_count_;
}

std::unique_ptr<detail::transaction_step> transaction::pop() noexcept {
  std::unique_ptr<detail::transaction_step> step = std::move(last_undo_);
  if (step) {
    last_undo_ = std::move(step->next);
    --undo_count_;
  }
  return step;
}

void transaction::forget() noexcept {
  while (pop()) {  // one by one: the destructor of a long list would call itself for each
  }
  actions_.clear();
}

}  // namespace switchgear::inline v1
