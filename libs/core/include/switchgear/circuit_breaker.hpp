// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/call_result.hpp>
#include <switchgear/classifier.hpp>
#include <switchgear/clock.hpp>
#include <switchgear/config.hpp>
#include <switchgear/detail/breaker_access.hpp>
#include <switchgear/detail/event_hub.hpp>
#include <switchgear/detail/history.hpp>
#include <switchgear/detail/lanes.hpp>
#include <switchgear/detail/shared_home.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/event.hpp>
#include <switchgear/machine/storage.hpp>
#include <switchgear/permit.hpp>
#include <switchgear/saved_state.hpp>
#include <switchgear/snapshot.hpp>
#include <switchgear/state.hpp>
#include <switchgear/subscription.hpp>

#include <atomic>
#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

/// A guarded scope: leaving it normally is a success, leaving it by an exception a failure. A destructor cannot see which
/// exception is passing, so a classifier's exception rules do not apply here; use call() where they matter, or say
/// ignore() before leaving.
class [[nodiscard]] call_guard {
 public:
  explicit call_guard(permit p) noexcept : permit_(std::move(p)), exceptions_(std::uncaught_exceptions()) {}
  call_guard(call_guard&&) noexcept = default;
  call_guard& operator=(call_guard&&) = delete;
  ~call_guard() {
    if (std::uncaught_exceptions() > exceptions_) {
      permit_.failure("the scope was left by an exception");
    } else {
      permit_.success();
    }
  }

  void failure(std::string_view why = {}) noexcept { permit_.failure(why); }
  void ignore() noexcept { permit_.ignore(); }

 private:
  permit permit_;
  int exceptions_;
};

/// A circuit breaker.
///
/// Thread safety: every function may be called from any thread at any time; destruction when no call is in flight and no
/// permit outstanding. No lock is held while a guarded function, a classifier or an observer runs.
///
/// Cost: while all is well (closed, the window full of quick successes, no slow-call rule, time window, call_timeout, value
/// rule or observer) a call reads two words and adds one to a counter of its own thread. No call allocates, except that
/// the fourth, seventh, thirteenth … transition may grow the history, that an observer's events and a cooperative
/// call_timeout need memory, and what errors and results need for their texts.
///
/// Algorithm: see machine/machine.hpp; this class adds the clock, the history, the events and the calling.
class circuit_breaker final : private detail::permit_issuer {
 public:
  /// Throws config_error with every problem of the name and the configuration. `clock` has to outlive the breaker.
  explicit circuit_breaker(std::string name, const config& c = {}, classifier rules = {});
  circuit_breaker(std::string name, const config& c, switchgear::clock& clock);
  circuit_breaker(std::string name, const config& c, classifier rules, switchgear::clock& clock);
  /// A breaker that others share, in other processes too; see switchgear/host. The configuration is that of its home, and
  /// history, last failure and override are those of all. Events tell of what this process does.
  circuit_breaker(std::unique_ptr<detail::shared_home> home, std::string name, classifier rules = {});
  circuit_breaker(std::unique_ptr<detail::shared_home> home, std::string name, classifier rules, switchgear::clock& clock);
  circuit_breaker(const circuit_breaker&) = delete;
  circuit_breaker& operator=(const circuit_breaker&) = delete;
  ~circuit_breaker();

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  // --- calls ---

  /// Asks for a permit. Never throws, blocks or allocates.
  [[nodiscard]] permit try_acquire() noexcept {
    const std::uint64_t word = storage_.header().word.load(std::memory_order_relaxed);
    if (way() == plain && admits_all(word)) [[likely]] return {*this, call_grant(word, -1), {}};
    return acquire_slowly();
  }
  /// The same; the event of a rejection carries the correlation id.
  [[nodiscard]] permit try_acquire(const call_context& context) noexcept {
    const std::uint64_t word = storage_.header().word.load(std::memory_order_relaxed);
    if (way() == plain && admits_all(word)) [[likely]] return {*this, call_grant(word, -1), {}};
    return acquire_slowly(context.correlation_id);
  }

  /// Calls `f` when the circuit admits it and returns what it returns. Throws circuit_open_error when it does not; then `f`
  /// was not called. An exception of `f` passes unchanged, and is a failure unless the classifier ignores it.
  ///
  /// With call_timeout set: an `f` that takes a std::stop_token is asked to stop at the deadline; when `f` comes back at or
  /// after it, whatever it brings, call_timeout_error is thrown (an exception of `f` nested in it) and the call failed.
  ///
  /// A result that cannot be moved is returned as it is made: no rule about values sees it, and when it comes after the
  /// deadline the call counts as a timeout but the result is returned.
  template <class F>
  detail::result_of<F> call(F&& f, const call_context& context = {});

  /// The same without throwing what `f` throws: see call_result. A result that is a reference is copied; one that cannot
  /// be moved has no place here.
  template <class F>
  call_result<std::remove_cvref_t<detail::result_of<F>>> try_call(F&& f);

  /// A guard for the rest of the scope. Throws circuit_open_error when the circuit does not admit it.
  call_guard protect(const call_context& context = {}) {
    permit p = try_acquire(context);
    p.require(context);
    return call_guard(std::move(p));
  }

  /// A function object that calls a copy of `f` through this breaker, with any arguments. Must not outlive the breaker.
  template <class F>
  [[nodiscard]] auto decorate(F&& f) {
    return [this, function = std::forward<F>(f)](auto&&... arguments) mutable -> decltype(auto) {
      return this->call([&]() -> decltype(auto) {
        return std::invoke(function, std::forward<decltype(arguments)>(arguments)...);
      });
    };
  }

  // --- looking ---

  /// The state as a caller would find it now. Changes nothing: once the open duration has passed it answers half_open.
  [[nodiscard]] switchgear::state state() const noexcept;
  [[nodiscard]] bool is_closed() const noexcept { return state() == switchgear::state::closed; }
  [[nodiscard]] bool is_open() const noexcept { return state() == switchgear::state::open; }
  [[nodiscard]] bool is_half_open() const noexcept { return state() == switchgear::state::half_open; }
  [[nodiscard]] bool is_forced_open() const noexcept { return state() == switchgear::state::forced_open; }
  [[nodiscard]] bool is_disabled() const noexcept { return state() == switchgear::state::disabled; }

  [[nodiscard]] switchgear::snapshot snapshot() const;
  /// The same without the history, which may be long: for those who look often.
  [[nodiscard]] switchgear::snapshot figures() const;
  /// The last transitions, oldest first.
  [[nodiscard]] std::vector<state_change> history() const;
  [[nodiscard]] config configuration() const;

  // --- operating ---

  /// Opens a closed or half-open circuit by hand; it recovers like any open one.
  void trip(std::string reason = {});
  /// Holds the circuit open until release(), reset() or the end of `ttl`. The same override again renews owner, reason and end.
  void force_open(std::string reason = {}, std::string owner = {}, std::optional<std::chrono::nanoseconds> ttl = {});
  /// Admits every call, none as evidence, until release(), reset() or the end of `ttl`.
  void disable(std::string reason = {}, std::string owner = {}, std::optional<std::chrono::nanoseconds> ttl = {});
  /// Ends an override; nothing happens when there is none.
  void release(std::string reason = {});
  /// Closes the circuit and forgets everything but the lifetime metrics. Permits of before are late.
  void reset(std::string reason = {});
  /// Zeroes the lifetime metrics, and nothing else.
  void reset_metrics() noexcept;
  /// Makes the transition that is due, if one is, without a call: for timers.
  void advance() noexcept { advance(machine::real_machine::any_generation); }
  /// The same, only while the breaker is still in `generation`: for timers that were set then.
  void advance(std::uint64_t generation) noexcept;

  /// Puts another configuration in force and returns an empty list, or changes nothing and returns its problems. State,
  /// generation, permits, attempt, override, consecutive count and the end of a running open period stay.
  std::vector<problem> reconfigure(const config& next);
  /// The same as a patch: `change` gets the configuration in force and alters what it wants to.
  template <std::invocable<config&> F>
  std::vector<problem> reconfigure(F&& change) {
    for (;;) {
      const config before = configuration();
      config next = before;
      change(next);
      std::vector<problem> problems;
      if (put_in_force(next, &before, problems)) return problems;
    }
  }

  /// Calls `handler` for every event from now on, on a thread of its own, in the order of their sequence, outside every lock.
  /// A handler may call back into the breaker. Costs nothing while nobody observes; event_filter says what else costs.
  [[nodiscard]] subscription observe(std::function<void(const event&)> handler, event_filter filter = event_filter::everything);

  /// Everything that has to be kept over a restart.
  [[nodiscard]] saved_state save() const;
  /// Takes up a saved state as a new generation, `elapsed` after it was saved; permits and leases of before are void. To be
  /// done before the breaker is used by others. A window of another size or kind starts empty.
  /// What save() cannot have given is refused: nothing changes and the reason is returned, else an empty text.
  std::string restore(const saved_state& saved, std::chrono::nanoseconds elapsed);

 private:
  friend detail::breaker_access;
  /// What a call in a closed circuit has to do besides calling.
  enum quick_way : std::uint8_t {
    none,      ///< there are observers, rules about values or a call_timeout: everything
    plain,     ///< nothing
    measured,  ///< read the clock before and after, for slow calls or a time window
  };
  [[nodiscard]] quick_way way() const noexcept { return way_.load(std::memory_order_relaxed); }
  /// Closed and not ramping.
  static bool admits_all(std::uint64_t word) noexcept {
    return (word & 7) == 0 && (word & 0x30) != static_cast<std::uint64_t>(machine::cause::ramping) << 4;
  }
  static bool is_clean(std::uint64_t word) noexcept { return (word & machine::state_word::clean_bit) != 0; }
  static machine::grant call_grant(std::uint64_t word, std::int64_t start) noexcept {
    return {.is = machine::grant::kind::call, .generation = machine::state_word{word}.generation(), .start = start};
  }
  /// A success of a call that began under `word`, which was clean. While the word is the same, it changes nothing that
  /// anybody looks at but the number of successes. Relaxed: either the call is ordered before whatever changed the word, or
  /// this sees the change; the thread's own counter is ordered by nothing and summed as it comes.
  void succeed(std::uint64_t word) noexcept {
    const std::uint32_t lane = detail::thread_number - 1;  // a thread without a number has none of the lanes
    if (storage_.header().word.load(std::memory_order_relaxed) == word && lane < storage_.own_lane_count()) [[likely]] {
      auto& counter = storage_.own_lanes()[lane].successes;
      counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    } else {
      settle(call_grant(word, -1), verdict::success, {}, false, nullptr);
    }
  }
  void finish(std::uint64_t word, std::int64_t start) noexcept {
    if (start < 0) {
      succeed(word);
    } else {
      succeed_measured(word, start);
    }
  }
  void succeed_measured(std::uint64_t word, std::int64_t start) noexcept;

  template <class F>
  detail::result_of<F> call_quickly(F&& f, std::uint64_t word, std::int64_t start, const call_context& context);
  template <class F>
  detail::result_of<F> call_with_permit(F&& f, const call_context& context);

  permit acquire_slowly(std::string_view correlation_id = {}) noexcept;
  verdict settle(const machine::grant& grant, verdict v, std::string_view text, bool may_time_out,
                 const call_context* context) noexcept override;
  void settle_at(machine::real_machine& engine, const machine::grant& grant, verdict v, std::string_view text,
                 std::int64_t time, std::string_view correlation_id) noexcept;
  [[nodiscard]] const classifier& rules() const noexcept override { return rules_ ? *rules_ : classifier::standard(); }
  void fail_with_current_exception(std::uint64_t word, std::int64_t start, const call_context& context);
  [[noreturn]] void raise_open(const rejection& why, const call_context& context) const override;
  [[noreturn]] void raise_timeout(bool nested) const override;
  [[nodiscard]] std::chrono::nanoseconds call_timeout() const noexcept override;
  [[nodiscard]] switchgear::clock& time_source() const noexcept override;

  [[nodiscard]] std::int64_t now() const noexcept;
  [[nodiscard]] machine::lane_choice lane() const noexcept {
    return detail::this_lane(storage_.lane_count(), storage_.first_own_lane(), storage_.own_lane_count());
  }
  circuit_breaker(std::unique_ptr<detail::shared_home>&& home, const detail::shared_regime& regime, std::string name,
                  classifier rules, switchgear::clock& clock);
  [[nodiscard]] std::optional<detail::override_note> override_of(std::uint64_t generation) const;
  void take_up(const detail::shared_regime& regime);
  /// Takes up what another process has put in force.
  void follow_home() noexcept;
  void follow_home_if_changed() noexcept {
    if (home_ && storage_.header().epoch.load(std::memory_order_relaxed) != storage_.in_force().epoch) follow_home();
  }
  /// What is looked at has to be what is in force, too.
  void follow_home_if_changed() const noexcept { const_cast<circuit_breaker*>(this)->follow_home_if_changed(); }
  [[nodiscard]] std::chrono::system_clock::time_point wall_time(std::int64_t at, std::int64_t now) const;
  void override_with(switchgear::state s, std::string reason, std::string owner,
                     std::optional<std::chrono::nanoseconds> ttl);
  void report(const machine::transitions& changes, std::shared_ptr<const std::string> text = {}) noexcept;
  void tell(event_kind kind, std::uint64_t generation, switchgear::state s, std::string_view text,
            std::uint64_t attempts, std::int64_t retry_after = -1, std::string_view correlation_id = {}) noexcept;
  void note_failure(std::string_view text) noexcept;
  [[nodiscard]] std::string last_failure_text() const;
  void update_way() noexcept;
  /// False, and nothing has happened, when `before` is given and no longer in force.
  bool put_in_force(const config& next, const config* before, std::vector<problem>& problems);

  const std::unique_ptr<detail::shared_home> home_;  ///< null: the block lives here
  machine::basic_storage<std::atomic> storage_;
  std::atomic<quick_way> way_{none};
  mutable std::atomic_flag text_busy_;
  std::atomic<detail::event_hub*> hub_{nullptr};
  switchgear::clock* clock_;  ///< null: std::chrono::steady_clock
  std::int64_t origin_;       ///< the clock's reading at time 0 of the block
  const std::string name_;
  const std::unique_ptr<const classifier> rules_;  ///< null: classifier::standard()
  detail::history history_;
  char last_failure_[48] = {};
  std::atomic<detail::transition_watcher*> watcher_{nullptr};

  /// What only operators touch, made when it is needed.
  struct operator_part {
    std::shared_ptr<detail::event_hub> hub;
    std::uint64_t override_generation = 0;
    std::string owner, reason;
  };
  mutable std::mutex mutex_;  ///< of the history and of the two members below; never held while foreign code runs
  std::unique_ptr<config> configuration_;
  std::unique_ptr<operator_part> operator_;
};

// --- templates ---

template <class F>
detail::result_of<F> circuit_breaker::call(F&& f, const call_context& context) {
  const std::uint64_t word = storage_.header().word.load(std::memory_order_relaxed);
  if (way() == plain && is_clean(word)) [[likely]] return call_quickly(std::forward<F>(f), word, -1, context);
  return call_with_permit(std::forward<F>(f), context);
}

template <class F>
detail::result_of<F> circuit_breaker::call_with_permit(F&& f, const call_context& context) {
  if (way() == measured) {
    const std::uint64_t word = storage_.header().word.load(std::memory_order_relaxed);
    if (is_clean(word)) return call_quickly(std::forward<F>(f), word, now(), context);
  }
  return acquire_slowly(context.correlation_id).run(std::forward<F>(f), context);
}

#if SWITCHGEAR_HAS_EXCEPTIONS

template <class F>
detail::result_of<F> circuit_breaker::call_quickly(F&& f, std::uint64_t word, std::int64_t start,
                                                   const call_context& context) {
  using result = detail::result_of<F>;
  if constexpr (!std::is_void_v<result> && !std::is_reference_v<result> && !std::is_move_constructible_v<result>) {
    return permit(*this, call_grant(word, start), {}).run(std::forward<F>(f), context);
  } else {
    bool settled = false;  // what is thrown afterwards, by moving the result out, is no second verdict
    try {
      if constexpr (std::is_void_v<result>) {
        detail::invoke_with(std::forward<F>(f), std::stop_token{});
        settled = true;
        finish(word, start);
      } else {
        result r = detail::invoke_with(std::forward<F>(f), std::stop_token{});
        settled = true;
        finish(word, start);
        if constexpr (std::is_reference_v<result>) {
          return static_cast<result>(r);
        } else {
          return r;
        }
      }
    } catch (...) {
      if (!settled) fail_with_current_exception(word, start, context);
      throw;
    }
  }
}

#else  // without exceptions: what the function returns is all there is, and call() must not be rejected

template <class F>
detail::result_of<F> circuit_breaker::call_quickly(F&& f, std::uint64_t word, std::int64_t start,
                                                   const call_context& context) {
  return permit(*this, call_grant(word, start), {}).run(std::forward<F>(f), context);
}

#endif

template <class F>
call_result<std::remove_cvref_t<detail::result_of<F>>> circuit_breaker::try_call(F&& f) {
  call_result<std::remove_cvref_t<detail::result_of<F>>> out;
  out.state_ = state();
  permit p = try_acquire();
  if (!p) {
    out.rejection_ = p.rejection();
    out.error_ = "circuit " + name_ + " is " + std::string(to_string(out.state_));
    return out;
  }
  const std::int64_t start = now();
  // Tells how the call ended, from the inside, so that it is known also when an exception follows.
  const auto note = [&](verdict v) {
    out.duration_ = std::chrono::nanoseconds(now() - start);
    out.verdict_ = v;
  };
#if SWITCHGEAR_HAS_EXCEPTIONS
  try {
    p.run_into(out.value_, std::forward<F>(f), note);
  } catch (const std::exception& e) {
    out.exception_ = std::current_exception();
    out.error_ = e.what();
  } catch (...) {
    out.exception_ = std::current_exception();
    out.error_ = "an exception that is not a std::exception";
  }
  if (out.exception_) out.value_.reset();
#else
  p.run_into(out.value_, std::forward<F>(f), note);
  if (out.verdict_ == verdict::timeout) {
    out.value_.reset();
    out.error_ = name_ + ": the call took longer than its call_timeout";
  }
#endif
  return out;
}

}  // namespace switchgear::inline v1
