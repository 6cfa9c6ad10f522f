// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "circuit_row.hpp"
#include "failure_log.hpp"
#include "traffic.hpp"

#include <switchgear/circuit_source.hpp>
#include <switchgear/clock.hpp>
#include <switchgear/prometheus_collector.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchgear::inline v1::detail {

/// What is known of one circuit, as of the last refresh.
struct circuit_view {
  circuit_row row;
  std::string row_text;  ///< ROW
  std::string series;    ///< `series` of the API
  std::vector<recent_failure> failures;
  struct instance {
    std::string instance, source;
    switchgear::state state = switchgear::state::closed;
  };
  std::vector<instance> instances;  ///< all of that name
  std::chrono::system_clock::time_point time;
};

/// Keeps what the last refresh read, with its texts: a circuit that did nothing costs a comparison, and a text that was not asked
/// for is not made.
///
/// Thread safety: every function from any thread; take() is called by one at a time.
class board {
 public:
  board(std::vector<std::string> critical, switchgear::clock& time);

  /// Takes over what was read. Returns the text of `changes` when it is wanted, else null. Nothing read (nullopt): the source
  /// failed and what was known stays. `problems` are shown.
  std::shared_ptr<const std::string> take(std::optional<std::vector<circuit_reading>> readings, std::vector<std::string> problems,
                                          bool wanted);
  /// Keeps failures for the page of their circuit.
  void hear(const event& e) { failures_.add(e); }

  /// GET /api/v1/circuits, made at most once for each refresh.
  [[nodiscard]] std::shared_ptr<const std::string> document();
  /// The same as the first event of a stream, likewise.
  [[nodiscard]] std::shared_ptr<const std::string> first_event();

  /// Without an instance: the worst of that name.
  [[nodiscard]] std::optional<circuit_view> find(std::string_view name, std::string_view instance) const;
  /// Whether find() would find one.
  [[nodiscard]] bool has(std::string_view name, std::string_view instance) const;
  /// How many circuits have that name.
  [[nodiscard]] std::size_t count(std::string_view name) const;

  /// The names of critical circuits that reject calls, in order, each once.
  [[nodiscard]] std::vector<std::string> critical_open() const;
  [[nodiscard]] std::vector<prometheus_circuit> circuits() const;

 private:
  struct entry {
    circuit_row row;
    std::string text;
    std::chrono::nanoseconds first_seen{0};
    std::unique_ptr<traffic> calls;  ///< null: there were none for an hour
  };
  using entries = std::vector<std::unique_ptr<entry>>;
  using identities = std::vector<std::pair<std::string, std::string>>;

  struct changes {
    std::vector<const entry*> changed;
    identities gone;
  };
  [[nodiscard]] changes merge(std::vector<circuit_reading>&& readings);
  bool update(entry& e, circuit_reading&& reading);
  void forget(const entry& e, changes& out);
  /// New or changed totals.
  void note_calls(entry& e, const lifetime_metrics& before, const lifetime_metrics& now);
  void add_head(std::string& out) const;
  [[nodiscard]] std::shared_ptr<const std::string> document_locked();
  [[nodiscard]] std::pair<entries::const_iterator, entries::const_iterator> named(std::string_view name) const;

  const std::vector<std::string> critical_;
  switchgear::clock& time_;
  failure_log failures_;

  mutable std::mutex mutex_;  ///< of everything below
  entries entries_;           ///< by name, then instance
  looked_steps looked_;
  std::chrono::nanoseconds now_{0};                    ///< of the last refresh
  std::optional<std::chrono::nanoseconds> read_at_{};  ///< of the last one at which something was read
  std::chrono::nanoseconds looked_at_{0};              ///< of the one before that
  std::chrono::system_clock::time_point wall_{};
  std::vector<std::string> problems_;
  std::array<std::size_t, 5> states_{};
  std::size_t shadows_ = 0;
  std::size_t series_ = 0;  ///< how many series there are
  std::shared_ptr<const std::string> document_, first_event_;
};

}  // namespace switchgear::inline v1::detail
