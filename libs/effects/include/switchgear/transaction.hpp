// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/errors.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

namespace detail {
class effect_run;
}

/// An undo that threw. What it should have undone may still be there.
struct undo_failure {
  std::string name{};              ///< as it was registered
  std::string what{};              ///< the text of the exception
  std::exception_ptr exception{};
};

/// A transaction was used after its end, or decided by somebody who must not decide it. A mistake of the program.
class transaction_error : public error {
 public:
  using error::error;
};

/// Where a transaction is.
enum class transaction_state : std::uint8_t {
  open,          ///< takes undos and commit actions
  committing,    ///< the commit actions run; takes undos still
  committed,
  rolling_back,  ///< the undos run
  rolled_back,
};
/// The name, `rolled_back`.
[[nodiscard]] std::string_view to_string(transaction_state s) noexcept;

namespace detail {

/// Something to do at the end of a transaction. One heap object each, so that linking it in cannot fail.
struct transaction_step {
  explicit transaction_step(std::string_view n) : name(n) {}
  transaction_step(const transaction_step&) = delete;
  transaction_step& operator=(const transaction_step&) = delete;
  virtual ~transaction_step() = default;
  virtual void run() = 0;

  const std::string name;
  std::unique_ptr<transaction_step> next;
};

template <class F>
struct transaction_step_of final : transaction_step {
  template <class G>
  transaction_step_of(std::string_view n, G&& f) : transaction_step(n), function(std::forward<G>(f)) {}
  void run() override { std::invoke(function); }
  F function;
};

template <class F>
std::unique_ptr<transaction_step> make_step(std::string_view name, F&& f) {
  static_assert(std::is_invocable_v<std::decay_t<F>&>, "An undo and a commit action are called without arguments.");
  return std::make_unique<transaction_step_of<std::decay_t<F>>>(name, std::forward<F>(f));
}

}  // namespace detail

/// Operations that succeed together or are undone together. Each operation registers how to undo it once it has succeeded:
///
///     sg::transaction t;
///     const auto seat = seats.reserve(flight);
///     t.on_rollback("reserve the seat", [&, seat] { seats.release(seat); });
///     t.run("charge the card", [&] { bank.charge(order); }, [&] { bank.refund(order); });
///     t.on_commit("send the ticket", [&] { mail.send(ticket); });
///     t.commit();
///
/// Undos run in reverse order, each exactly once, whatever the others do: one that throws is written down (undo_failures)
/// and the next one runs. A transaction that is destroyed without a decision is rolled back. Functions may be move-only.
///
/// Commit actions run in the order in which they were registered. When one throws, those after it do not run, everything is
/// rolled back, and its exception passes from commit(). What an action before it has done is undone when that action has
/// registered an undo of its own: on_rollback() is allowed while the commit actions run. So keep for on_commit() what seldom
/// fails, and put what cannot be undone last.
///
/// Thread safety: one thread at a time.
class transaction {
 public:
  /// `on_undo_failure` is told of each undo that throws, as it happens: the way to hear of those in a destructor. What it
  /// throws is dropped.
  explicit transaction(std::function<void(const undo_failure&)> on_undo_failure = {});
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  ~transaction();

  /// Registers how to undo what has just succeeded. When that fails, for want of memory or because `undo` throws when it is
  /// copied, `undo` runs at once and the exception passes: nothing is left behind that nobody would undo. (Only what the caller
  /// does to make the arguments, a long name put together for instance, happens before that.) Throws transaction_error after
  /// the end, and then `undo` was neither taken nor called.
  template <class F>
  void on_rollback(std::string_view name, F&& undo) {
    require_open("take an undo", true);
    std::unique_ptr<detail::transaction_step> step;
    try {
      step = detail::make_step(name, std::forward<F>(undo));
    } catch (...) {
      undo_at_once(undo);
      throw;
    }
    push(std::move(step));
  }

  /// Registers what to do when all has succeeded. Throws transaction_error unless the transaction is open.
  template <class F>
  void on_commit(std::string_view name, F&& action) {
    require_open("take a commit action", false);
    actions_.push_back(detail::make_step(name, std::forward<F>(action)));
  }

  /// Calls `operation` and, unless it throws, registers `undo`. Returns what it returns, of any type. Everything that could
  /// go wrong with registering happens before the operation begins.
  template <class Operation, class Undo>
  std::invoke_result_t<Operation> run(std::string_view name, Operation&& operation, Undo&& undo) {
    require_open("run an operation", true);
    // A destructor, because the result may be one that cannot be moved.
    struct registering {
      transaction& self;
      std::unique_ptr<detail::transaction_step> step;
      int exceptions = std::uncaught_exceptions();
      ~registering() {
        if (std::uncaught_exceptions() == exceptions) self.push(std::move(step));
      }
    } const at_the_end{*this, detail::make_step(name, std::forward<Undo>(undo))};
    return std::invoke(std::forward<Operation>(operation));
  }

  /// Runs the commit actions and forgets the undos. Passes what an action throws, after having rolled back. Throws
  /// transaction_error unless the transaction is open.
  void commit();

  /// Runs the undos in reverse order and returns those that threw. Nothing happens, and nothing is returned, when it has been
  /// rolled back already. Throws transaction_error when it is committed.
  std::vector<undo_failure> rollback();

  [[nodiscard]] transaction_state state() const noexcept { return state_; }
  /// How many undos wait.
  [[nodiscard]] std::size_t undos() const noexcept { return undo_count_; }
  /// The undos that have thrown so far, in the order in which they did.
  [[nodiscard]] const std::vector<undo_failure>& undo_failures() const noexcept { return failures_; }

 private:
  friend class detail::effect_run;
  struct decided_elsewhere {};
  /// One that only its maker decides, by finish_commit() and finish_rollback(): commit() and rollback() are refused.
  explicit transaction(decided_elsewhere) : decided_elsewhere_(true) {}
  void finish_commit();
  void finish_rollback() noexcept;

  void require_open(std::string_view what, bool also_committing) const;
  void require_decision(std::string_view what) const;
  void push(std::unique_ptr<detail::transaction_step> step) noexcept;
  std::unique_ptr<detail::transaction_step> pop() noexcept;
  void run_undo(detail::transaction_step& step) noexcept;
  void forget() noexcept;
  template <class F>
  static void undo_at_once(F& undo) noexcept {
    if constexpr (std::is_invocable_v<F&>) {
      try {
        std::invoke(undo);
      } catch (...) {
        // The caller is told why it could not be registered; there is no way to tell of this too.
      }
    }
  }

  std::unique_ptr<detail::transaction_step> last_undo_;  ///< a stack: each links to the one before
  std::vector<std::unique_ptr<detail::transaction_step>> actions_;
  std::vector<undo_failure> failures_;
  std::function<void(const undo_failure&)> on_undo_failure_;
  std::size_t undo_count_ = 0;
  transaction_state state_ = transaction_state::open;
  bool decided_elsewhere_ = false;
};

}  // namespace switchgear::inline v1
