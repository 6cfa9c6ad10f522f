// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/classifier.hpp>
#include <switchgear/clock.hpp>
#include <switchgear/detail/chain.hpp>
#include <switchgear/executor.hpp>
#include <switchgear/policy_event.hpp>
#include <switchgear/retry_budget.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace switchgear::inline v1 {

/// What a hedge may be told.
struct hedge_options {
  std::string name = "hedge";

  /// How long to wait for an answer before another attempt starts beside the first, 0 … 24 h. The 95th percentile of good
  /// calls makes 5 % more traffic; 0 starts all attempts at once.
  std::chrono::nanoseconds delay = std::chrono::milliseconds(100);

  /// Attempts beside the first, 1 … 100. One does nearly all of the good.
  int max_hedges = 1;

  /// Where the attempts run, the first too; has to outlive them. Null: default_executor().
  switchgear::executor* executor = nullptr;

  /// What is no answer: whatever this classifier calls a failure. An exception that it ignores is one: the caller's own
  /// mistake does not get better by repetition.
  classifier when{};

  /// Shared by all callers of one dependency, so that attempts beside the first stay a fraction of their traffic, also on a
  /// day on which everything is slow.
  std::optional<retry_budget> budget{};

  [[nodiscard]] std::vector<problem> validate() const;
};

/// What a hedge has counted since it was made.
struct hedge_metrics {
  std::uint64_t calls = 0;
  std::uint64_t hedges = 0;   ///< attempts that were started beside the first
  std::uint64_t won = 0;      ///< calls that one of those answered
  std::uint64_t refused = 0;  ///< attempts, the first included, that the budget or the executor did not allow
};

class hedge_run;

/// Starts another attempt when the first has not answered after a while; the first good answer wins. Against the slow tail of
/// a dependency with several servers.
///
///     sg::hedge search{{.delay = 50ms, .executor = &threads}};
///     hits h = search.call([query](std::stop_token stop) { return index.find(query, stop); });
///
/// The losers are asked to stop, are no evidence for a breaker further in, and what they bring is dropped. An attempt that
/// fails while others may still start makes the next one start at once. When all fail, the caller gets what the first
/// brought. A rejection of the first attempt by a policy further in passes at once when no other runs; one of another
/// attempt means that no more are started. A stop request of the caller ends the wait at once with cancelled_error, and all
/// attempts are abandoned.
///
/// The function runs more than once and on other threads, several at a time, and may outlive its caller: it and its arguments
/// are copied for each attempt, and what they refer to, or return a reference to, has to outlive all attempts: capture by
/// value. So has what the policies further in refer to, a guard its breaker and all of them their clock: declare those before
/// the pool, whose end waits for the attempts. Nothing that must not happen twice: a function marked non_idempotent does not compile.
///
/// When it cannot help: where all servers are slow because there is too much to do. Give it a budget.
///
/// A handle: copies share metrics and observers. Thread safety: all functions from any thread. A call costs what a
/// time_limiter costs.
class hedge : public detail::callable_policy<hedge> {
 public:
  static constexpr policy_kind kind = policy_kind::hedge;
  static constexpr bool repeats = true;
  static constexpr bool waits = true;
  static constexpr bool detaches = true;

  /// Throws config_error. `source` has to outlive the calls.
  explicit hedge(hedge_options options = {}, clock& source = steady_clock());

  template <class Next>
  typename Next::result run(const Next& next, const execution& e) const;

  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] const hedge_options& options() const noexcept;
  [[nodiscard]] clock& time_source() const noexcept;
  [[nodiscard]] hedge_metrics metrics() const;
  /// Told of every attempt beside the first (policy_event_kind::hedged) and every one that the executor refused (rejected).
  [[nodiscard]] subscription observe(std::function<void(const policy_event&)> handler) const;
  /// `hedge(1 more after 100ms)`.
  [[nodiscard]] std::string describe() const;

 private:
  friend class hedge_run;
  struct state;
  std::shared_ptr<state> state_;
};

/// The decisions of one call through a hedge, without threads and waiting: what hedge::run and asynchronous adapters share.
/// Attempts have numbers from 0.
///
/// Thread safety: none; whoever shares it has a lock.
class hedge_run {
 public:
  hedge_run(const hedge& policy, const execution& e);

  enum class step {
    start,   ///< start `attempt`, then ask again
    wait,    ///< for an attempt to end, or until `until`, then ask again
    answer,  ///< with what `attempt` brought
  };
  /// What to do next.
  struct decision {
    step what = step::wait;
    std::size_t attempt = 0;
    std::optional<std::chrono::nanoseconds> until{};
  };
  /// What to do now.
  [[nodiscard]] decision next(std::chrono::nanoseconds now);

  enum class ending {
    good,      ///< an answer
    failed,    ///< none; another attempt may have one
    rejected,  ///< by a policy further in, or cancelled there: another attempt would be too
  };
  /// An attempt ended.
  void finished(std::size_t attempt, ending how) noexcept;
  /// An attempt could not be started: it does not count, costs the budget nothing, and there are no more.
  void not_started(std::size_t attempt) noexcept;

  /// Whether it is settled which attempt answers, so that all others have lost.
  [[nodiscard]] bool is_decided() const noexcept { return answer_.has_value(); }
  [[nodiscard]] std::size_t started() const noexcept { return started_; }

  /// How an attempt ended that threw the exception that is being handled. Does not throw.
  [[nodiscard]] ending caught() const noexcept;
  /// How one ended that returned this value; passes what the classifier throws.
  template <class T>
  [[nodiscard]] ending returned(const T& value) const {
    const classifier& rules = policy_.options().when;
    return rules.judges_values() && rules.of_value(value) == verdict::failure ? ending::failed : ending::good;
  }

 private:
  const hedge policy_;
  const std::string correlation_id_;
  std::size_t started_ = 0, running_ = 0;
  std::chrono::nanoseconds next_at_{0};
  bool at_once_ = true;  ///< the next attempt starts without waiting
  bool no_more_ = false;
  std::optional<std::size_t> answer_;
};

}  // namespace switchgear::inline v1

#include <switchgear/detail/hedged_call.hpp>
