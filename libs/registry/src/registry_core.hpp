// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/breaker_handle.hpp>
#include <switchgear/registry.hpp>

#include "alarms.hpp"
#include "environment_switch.hpp"
#include "file_poller.hpp"
#include "file_watcher.hpp"
#include "keyed_hash.hpp"
#include "layering.hpp"
#include "name_table.hpp"
#include "observers.hpp"
#include "record_store.hpp"
#include "registered_breaker.hpp"
#include "report_log.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchgear::inline v1::detail {

/// Everything of a registry. Lives as long as the registry or one of its breakers.
///
/// Thread safety: every function from any thread. `mutex_` shuts out other writers: it guards the table's and the store's
/// writing, the sweep, the file in force and `layered` of the breakers. While it is held nothing of the user runs, and no last
/// reference is given back, since that takes it.
class registry_core : public std::enable_shared_from_this<registry_core> {
 public:
  /// `environment` without `enabled`; `dotenv_enabled` is what a `.env` file says of that.
  registry_core(const registry_options& options, clock& time, config_patch environment,
                std::optional<std::string> dotenv_enabled);

  /// Takes up the first file and watches it, if there is one. Throws config_error.
  void open();
  /// The registry goes: nothing happens by itself any more, and no breaker is listed.
  void close() noexcept;

  [[nodiscard]] breaker_handle find(std::string_view name) const noexcept { return find(name, hash_of(name)); }
  breaker_handle get(std::string_view name, const asked_config& asked, const classifier& rules);
  /// The same, and a breaker that the environment alone has switched off is switched on if it lets it work now.
  breaker_handle get_working(std::string_view name, const asked_config& asked, const classifier& rules);
  bool remove(std::string_view name);
  void clear() noexcept;
  std::vector<problem> reload();
  [[nodiscard]] subscription observe(std::function<void(const event&)> handler, event_filter filter);
  [[nodiscard]] subscription observe_making(std::function<void(const breaker_handle&)> handler);
  [[nodiscard]] environment_says environment() const { return switch_.read(reports_); }
  [[nodiscard]] std::vector<configured_value> configuration_of(std::string_view name) const;
  [[nodiscard]] std::size_t size() const noexcept { return table_.size(); }
  [[nodiscard]] registry_metrics metrics() const;
  [[nodiscard]] const report_log& reports() const noexcept { return reports_; }
  [[nodiscard]] alarms& timers() noexcept { return alarms_; }

  /// Calls `f` for each listed breaker, with a reference held and no lock.
  template <class F>
  void walk(F&& f) const {
    for (std::uint32_t i = 0, n = records_.count(); i < n; ++i) {
      breaker_record& record = records_.at(i);
      // A hint: what counts is what is seen under the reference.
      if (!record.listed.load(std::memory_order_relaxed)) continue;
      if (!record.try_retain() && !retain_listed(record)) continue;
      const breaker_handle held(record, record.body->breaker);
      if (record.listed.load(std::memory_order_relaxed)) f(*record.body);
    }
  }
  /// Calls `f` for the breaker of one record, listed or not, if there is one, with a reference held.
  template <class F>
  void with_record(std::uint32_t index, F&& f) {
    breaker_record& record = records_.at(index);
    if (!record.try_retain() && !retain_listed(record)) return;
    const breaker_handle held(record, record.body->breaker);
    f(*record.body);
  }

  /// A record without references whose breaker has ended.
  void take_back(breaker_record& record) noexcept;

 private:
  struct resolved {
    std::shared_ptr<const file_in_force> file;
    layered_config layers;
    bool off_by_environment = false;  ///< a pass-through, and none if the environment said yes
  };

  [[nodiscard]] std::uint64_t hash_of(std::string_view name) const noexcept { return hash_(name); }
  [[nodiscard, gnu::always_inline]] breaker_handle find(std::string_view name, std::uint64_t hash) const noexcept {
    const name_table::found got = table_.find(name, hash);
    if (got.record != nullptr) [[likely]] {
      // Relaxed: a hint for the sweep. Read first, so that threads that look up one name do not write to it needlessly.
      if (!got.record->used.load(std::memory_order_relaxed)) got.record->used.store(true, std::memory_order_relaxed);
      return {*got.record, got.record->body->breaker};
    }
    return got.doubtful ? find_slowly(name, hash) : breaker_handle();
  }
  [[nodiscard]] breaker_handle find_slowly(std::string_view name, std::uint64_t hash) const noexcept;
  [[nodiscard]] static breaker_handle handle_to(breaker_record& record) noexcept;  ///< with `mutex_` held
  /// For one without references: it may only be under consideration for eviction, and stay. Takes the mutex.
  [[nodiscard]] bool retain_listed(breaker_record& record) const noexcept;
  [[nodiscard]] std::shared_ptr<const file_in_force> file() const;
  [[nodiscard]] resolved resolve(std::string_view name, const asked_config& asked, std::shared_ptr<const file_in_force> file,
                                 environment_says says) const;

  // making
  breaker_handle make(std::string_view name, std::uint64_t hash, const asked_config& asked, const classifier& rules);
  /// Reports when what is in force for all differs from what was asked for here.
  void compare_with_home(const registered_breaker& body, const config& wanted);
  [[nodiscard]] std::unique_ptr<registered_breaker> build(std::string_view name, const asked_config& asked,
                                                          std::shared_ptr<const config> configuration,
                                                          const classifier& rules,
                                                          std::unique_ptr<shared_home> home);
  breaker_handle settle_in(std::unique_ptr<registered_breaker> body, std::uint64_t hash, bool listed, bool off);
  breaker_handle turn_away(std::string_view name, std::uint64_t hash);
  void compare(registered_breaker& existing, const asked_config& asked, bool has_rules);
  void switch_on(breaker_record& record);

  // making room
  /// What keeps a breaker that nobody holds: something going on, a past that is over, nothing.
  enum class past : std::uint8_t { live, over, none };
  [[nodiscard]] past past_of(const registered_breaker& body);
  [[nodiscard]] breaker_record* evict();
  [[nodiscard]] breaker_record* sweep(past wanted);
  [[nodiscard]] bool evict_this(breaker_record& record, past wanted);
  [[nodiscard]] bool may_go(breaker_record& record, past wanted);
  void unlist(breaker_record& record) noexcept;  ///< with `mutex_` held; the registry's reference stays
  void withdraw(const registered_breaker& body) noexcept;  ///< from the bus, if there is one
  void let_go(breaker_record& record) noexcept;  ///< of one that was unlisted, without `mutex_`

  // the file
  struct change {
    std::uint32_t index;
    std::uint64_t id;
    std::shared_ptr<const config> next;
    bool off_by_environment;
  };
  [[nodiscard]] std::shared_ptr<const config> layered_of(const registered_breaker& body) const;
  [[nodiscard]] std::vector<problem> judge(const std::shared_ptr<const file_in_force>& next, environment_says says,
                                           std::vector<change>& changes) const;
  [[nodiscard]] std::vector<problem> put_in_force(const std::shared_ptr<const file_in_force>& next, environment_says says,
                                                  std::vector<change>& changes);
  void apply(const std::vector<change>& changes, std::vector<registry_report>& told);
  void tell_of_hidden(const file_in_force& before, const file_in_force& now, std::vector<registry_report>& told) const;
  void start_watching();
  bool reload_by_itself() noexcept;  ///< false when something was thrown, which is reported
  void look_at_file() noexcept;

  // What lookups read. Apart from what writers write.
  alignas(64) const name_hash hash_;
  record_store records_;
  name_table table_;

  alignas(64) mutable std::mutex mutex_;
  std::shared_ptr<const file_in_force> file_;
  std::uint64_t next_id_ = 0;
  std::uint64_t evicted_ = 0;
  std::uint64_t removed_ = 0;
  std::uint64_t turned_away_ = 0;
  std::uint64_t created_ = 0;
  std::uint32_t hand_ = 0;       ///< where the sweep goes on
  bool exhausted_ = false;       ///< the last whole sweep found nothing
  bool holds_making_ = false;    ///< a reload wants nobody to make breakers for a moment
  std::condition_variable may_make_;

  const std::size_t most_;
  const when_registry_full when_full_;
  const std::string path_;
  const bool watches_;
  const std::chrono::nanoseconds poll_interval_;
  const bool has_timer_;
  clock& clock_;
  const layering layering_;
  const environment_switch switch_;
  mutable report_log reports_;
  alarms alarms_;
  observers observers_;
  event_bus* const bus_;
  const std::shared_ptr<home_provider> shared_;

  std::shared_mutex makings_mutex_;  ///< shared while handlers run; taken before every other
  std::map<std::uint64_t, std::function<void(const breaker_handle&)>> makings_;
  std::uint64_t last_making_ = 0;

  std::mutex reload_mutex_;  ///< one thread at a time reconfigures; taken before mutex_
  std::atomic<std::uint64_t> reloads_{0};
  std::unique_ptr<file_watcher> watcher_;
  file_signature taken_, seen_;  ///< what polling remembers; of its thread, once that has started
  std::unique_ptr<file_poller> poller_;
};

}  // namespace switchgear::inline v1::detail
