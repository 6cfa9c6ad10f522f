// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/classifier.hpp>
#include <switchgear/clock.hpp>
#include <switchgear/detail/chain.hpp>
#include <switchgear/failure_info.hpp>
#include <switchgear/policy_event.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

/// What a last_known_good may be told.
struct last_known_good_options {
  std::string name = "last_known_good";

  /// How old an answer may be, 1 ns … 24 h: as long as it is better than none. Prices: seconds; feature switches: hours.
  std::chrono::nanoseconds max_age = std::chrono::minutes(5);

  /// What is answered from memory: whatever this classifier calls a failure, and every rejection. A value that it calls
  /// ignored passes, and is not remembered.
  classifier when{};

  [[nodiscard]] std::vector<problem> validate() const;
};

/// What a last_known_good has counted since it was made.
struct last_known_good_metrics {
  std::uint64_t stored = 0;  ///< good values
  std::uint64_t hits = 0;    ///< failures that were answered
  std::uint64_t misses = 0;  ///< failures that passed: nothing was known, or it was too old
};

namespace detail {

/// The part of a memory that does not depend on what is remembered.
class last_known_good_core : public policy_state {
 public:
  last_known_good_core(last_known_good_options o, clock& c);
  ~last_known_good_core();

  const last_known_good_options options;
  const bool judges_values;
  clock& source;

  enum counted : std::size_t { stored, hits, misses };
  void count(counted what) const noexcept;
  void answered(const failure_info& why, std::chrono::nanoseconds age, const execution& e) const;
  [[nodiscard]] std::string describe() const;
  [[nodiscard]] last_known_good_metrics metrics() const;

 private:
  struct counts;
  const std::unique_ptr<counts> counts_;
};

}  // namespace detail

/// Remembers the newest good value and answers with it when the rest of the call fails, while it is not too old.
///
///     sg::last_known_good<rates> remembered{{.name = "rates", .max_age = 10min}};
///     rates r = remembered.call([&] { return service.rates(); });
///
/// Exceptions, rejections of policies further in and bad results are answered; cancellations, whatever comes after a stop
/// request, and what `when` ignores are not. One memory is for calls that all ask the same question: it looks at no
/// arguments.
///
/// T is copied once for each good value and once for each answer; calls return exactly T. A copy that throws while a value is
/// remembered costs nothing but the memory of it.
///
/// A handle: copies share the memory, metrics and observers. Thread safety: all functions from any thread. A call that
/// succeeds costs one clock read, one allocation, one copy and a short lock, during which nothing of T's runs.
template <class T>
class last_known_good : public detail::callable_policy<last_known_good<T>> {
  static_assert(std::is_copy_constructible_v<T>, "What is remembered has to be copyable: keep a std::shared_ptr<const …>.");

 public:
  static constexpr policy_kind kind = policy_kind::last_known_good;

  /// Throws config_error. `source` has to outlive the calls.
  explicit last_known_good(last_known_good_options options = {}, clock& source = steady_clock())
      : state_(std::make_shared<state>(std::move(options), source)) {}

  template <class Next>
  typename Next::result run(const Next& next, const execution& e) const {
    static_assert(std::is_same_v<typename Next::result, T>,
                  "This last_known_good remembers values of another type than the call returns.");
    bool from_memory = false;
    const auto call = [&]() -> T {
      try {
        return next(e);
      } catch (...) {
        const auto why = caught(e);
        const auto known = why ? recall(*why, e) : nullptr;
        if (!known) throw;
        from_memory = true;
        return *known;
      }
    };
    T value = call();
    if (!from_memory) {
      if (const auto known = returned(std::as_const(value), e)) return *known;
    }
    return value;
  }

  /// How old the remembered value is, or nothing when there is none; it may be too old to be an answer.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> age() const {
    const auto known = newest();
    return known ? std::optional(state_->source.now() - known->stored_at) : std::nullopt;
  }
  /// Forgets.
  void clear() const { put(nullptr); }

  // --- for adapters, which run the call in their own way ---

  /// Why the exception that is being handled is to be answered from memory, or nothing when it is to be let pass.
  [[nodiscard]] std::optional<failure_info> caught(const execution& e) const {
    return detail::failure_of_current_exception(state_->options.when, false, e);
  }
  /// What to answer instead of a failure: null when nothing is known that is new enough. Counts, and tells of the answer.
  [[nodiscard]] std::shared_ptr<const T> recall(const failure_info& why, const execution& e) const {
    const auto known = newest();
    const auto old = known ? state_->source.now() - known->stored_at : std::chrono::nanoseconds::max();
    if (!known || old > state_->options.max_age) {
      state_->count(core::misses);
      return nullptr;
    }
    state_->answered(why, old, e);
    return {known, &known->value};
  }
  /// A value came back: a good one is remembered; for a bad one, what to answer instead, if anything.
  [[nodiscard]] std::shared_ptr<const T> returned(const T& value, const execution& e) const {
    const verdict v = state_->judges_values ? state_->options.when.of_value(value) : verdict::success;
    if (v == verdict::success) remember(value);
    if (!detail::is_failure(v) || e.stop.stop_requested()) return nullptr;
    return recall(failure_info::of_result(value), e);
  }

  [[nodiscard]] const std::string& name() const noexcept { return state_->name(); }
  [[nodiscard]] const last_known_good_options& options() const noexcept { return state_->options; }
  [[nodiscard]] clock& time_source() const noexcept { return state_->source; }
  [[nodiscard]] last_known_good_metrics metrics() const { return state_->metrics(); }
  /// Told of every answer from memory (policy_event_kind::fell_back).
  [[nodiscard]] subscription observe(std::function<void(const policy_event&)> handler) const {
    return state_->observe(std::move(handler));
  }
  /// `last_known_good(up to 5m)`.
  [[nodiscard]] std::string describe() const { return state_->describe(); }

 private:
  using core = detail::last_known_good_core;
  struct entry {
    T value;
    std::chrono::nanoseconds stored_at;
  };
  struct state : core {
    using core::core;
    mutable std::mutex mutex;  ///< of the pointer; nothing of T's runs under it
    std::shared_ptr<const entry> newest;
  };

  void remember(const T& value) const noexcept {
    try {
      put(std::make_shared<const entry>(entry{value, state_->source.now()}));
      state_->count(core::stored);
    } catch (...) {
      // It cannot be copied now: the caller has his answer all the same, and the value before is still known.
    }
  }
  [[nodiscard]] std::shared_ptr<const entry> newest() const {
    const std::lock_guard lock(state_->mutex);
    return state_->newest;
  }
  void put(std::shared_ptr<const entry> e) const {
    const std::lock_guard lock(state_->mutex);
    state_->newest.swap(e);
    // What was there is destroyed with the parameter, after the lock is free.
  }

  std::shared_ptr<state> state_;
};

}  // namespace switchgear::inline v1
