// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

namespace switchgear::testing {

/// A stateless model checker for small concurrent programs over explored<T>.
///
/// The threads of a scenario are fibers on one real thread; every operation on an explored<T> is a scheduling point.
/// The scenario is built and run again and again until every interleaving has been seen, up to the order of operations
/// that commute. Memory is sequentially consistent, memory orders are accepted and ignored.
///
/// The reduction is dynamic partial-order reduction with happens-before clocks (Flanagan, Godefroid: "Dynamic
/// partial-order reduction for model checking software", POPL 2005), with the backtracking points of source sets
/// (Abdulla, Aronis, Jonsson, Sagonas: "Optimal dynamic partial order reduction", POPL 2014) and sleep sets (Godefroid
/// 1996).
///
/// What a scenario does has to depend on the schedule alone: no clock, no randomness, no address. A fiber that is
/// stopped is never resumed nor unwound, so its stack must not own anything.
class scenario {
 public:
  static constexpr std::size_t max_threads = 5;

  /// Adds a thread; they are numbered from 0.
  void thread(std::function<void()> body) { bodies_.push_back(std::move(body)); }

  /// Thread `number` stops for ever when it is about to do its operation number `after` (0 = it never does any).
  void stop(std::size_t number, std::size_t after) {
    stopped_ = number;
    stop_after_ = after;
  }

  /// Runs when every thread has ended or stopped, not interleaved with anything.
  void finally(std::function<void()> check) { finally_ = std::move(check); }

  /// Names an atomic for the printed schedule.
  template <class Explored>
  void name(const Explored& object, std::string text) {
    names_.push_back({object.number(), std::move(text)});
  }

 private:
  friend class explorer;
  struct label {
    std::uint32_t object;
    std::string text;
  };
  std::vector<std::function<void()>> bodies_;
  std::function<void()> finally_;
  std::vector<label> names_;
  std::size_t stopped_ = max_threads;
  std::size_t stop_after_ = 0;
};

struct exploration {
  std::uint64_t executions = 0;  ///< complete ones, pairwise inequivalent
  std::uint64_t redundant = 0;   ///< cut short because an equivalent one had been seen
  std::uint64_t longest = 0;     ///< operations in the longest execution
  bool stopped = false;          ///< whether scenario::stop took effect in any execution
  std::string failure;           ///< what went wrong first, with the schedule that led there; empty when nothing did
};

struct exploration_limits {
  std::uint64_t steps = 20'000;          ///< in one execution; more is a failure (a loop that waits for somebody)
  std::uint64_t executions = 5'000'000;  ///< more is a failure: an exploration that is not complete proves nothing
};

/// Runs every interleaving of what `build` describes; stops at the first failure.
[[nodiscard]] exploration explore(const std::function<void(scenario&)>& build, exploration_limits limits = {});

/// Fails the present execution when `holds` is false. For threads and finally-functions of a scenario.
void require(bool holds, const char* what);
void require_equal(std::uint64_t seen, std::uint64_t expected, const char* what);

namespace explorer_detail {

enum class access_kind : std::uint8_t {
  read,   ///< also a compare-and-swap that fails
  write,  ///< reads and writes
  store,  ///< writes without reading; two of the same value commute
  add     ///< adds without reading; two of them commute
};

[[nodiscard]] std::uint32_t new_object();
void wait_for_turn(std::uint32_t object);
void performed(std::uint32_t object, access_kind kind, std::uint64_t before, std::uint64_t after);

}  // namespace explorer_detail

/// Stands in for std::atomic. fetch_add gives nothing back, which makes additions commute and keeps the number of
/// interleavings small; code that needs the value before does not compile.
template <class T>
class explored {
  static_assert(std::is_integral_v<T> && sizeof(T) <= 8);
  using kind = explorer_detail::access_kind;

 public:
  explored() noexcept : explored(T{}) {}
  explored(T value) noexcept : value_(value), number_(explorer_detail::new_object()) {}
  explored(const explored&) = delete;
  explored& operator=(const explored&) = delete;

  [[nodiscard]] T load(std::memory_order = std::memory_order_seq_cst) const noexcept {
    explorer_detail::wait_for_turn(number_);
    done(kind::read, value_);
    return value_;
  }
  void store(T value, std::memory_order = std::memory_order_seq_cst) noexcept {
    explorer_detail::wait_for_turn(number_);
    const T before = value_;
    value_ = value;
    done(kind::store, before);
  }
  T exchange(T value, std::memory_order = std::memory_order_seq_cst) noexcept {
    explorer_detail::wait_for_turn(number_);
    const T before = value_;
    value_ = value;
    done(kind::write, before);
    return before;
  }
  void fetch_add(T value, std::memory_order = std::memory_order_seq_cst) noexcept {
    explorer_detail::wait_for_turn(number_);
    const T before = value_;
    value_ = static_cast<T>(value_ + value);
    done(kind::add, before);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order = std::memory_order_seq_cst,
                               std::memory_order = std::memory_order_seq_cst) noexcept {
    explorer_detail::wait_for_turn(number_);
    const T before = value_;
    const bool same = before == expected;
    if (same) {
      value_ = desired;
    } else {
      expected = before;
    }
    done(same ? kind::write : kind::read, before);
    return same;
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order = std::memory_order_seq_cst,
                             std::memory_order = std::memory_order_seq_cst) noexcept {
    return compare_exchange_strong(expected, desired);
  }

  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }

 private:
  void done(kind what, T before) const {
    explorer_detail::performed(number_, what, static_cast<std::uint64_t>(before), static_cast<std::uint64_t>(value_));
  }

  T value_;
  std::uint32_t number_;
};

}  // namespace switchgear::testing
