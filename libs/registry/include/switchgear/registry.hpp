// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/breaker_handle.hpp>
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/classifier.hpp>
#include <switchgear/clock.hpp>
#include <switchgear/config/configured_value.hpp>
#include <switchgear/config/patch.hpp>
#include <switchgear/operation_key.hpp>
#include <switchgear/registry_options.hpp>
#include <switchgear/registry_report.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

/// What a registry has done so far.
struct registry_metrics {
  std::size_t breakers = 0;       ///< listed now
  std::uint64_t created = 0;
  std::uint64_t evicted = 0;      ///< idle ones that made room
  std::uint64_t removed = 0;      ///< by remove() and clear()
  std::uint64_t turned_away = 0;  ///< asked for while full: refused or given a pass-through
  std::uint64_t reloads = 0;      ///< files taken up after the first
  std::uint64_t reports = 0;
};

/// Circuit breakers by name, made when they are first asked for.
///
///     sg::registry circuits;
///     auto researcher = circuits.for_agent("researcher", "llm");                   // named agent.researcher, preset llm
///     auto storage = circuits.get("storage:save_task", {.failure_threshold = 3});
///
/// Configuration, key by key, the first that says something: a patch given to get(); the file's table for the name (the exact
/// one, else the longest matching pattern) and its defaults; the preset; the environment; the built-in defaults. A whole config
/// given to get() leaves the others nothing to say: an aggregate does not tell which of its keys were meant. Of a preset, the
/// key `enabled` lies under the environment, so that PREFIX_ENABLED switches on what a preset leaves off.
///
/// Bounded: see registry_options::max_breakers. To make room, breakers go that nobody holds or observes, that are closed (or
/// configured to be off), configured as they were made, and without a failure or slow call in their windows: first those that
/// never had a failure or a transition, then those whose past is over; of either, what was looked up recently goes last. Their
/// lifetime counters go with them. All others are live, and a registry that is full of live ones is full. Handles keep theirs.
///
/// Timer (registry_options::timer): acts only on the generation it was set for, so what it does can be late but never wrong.
/// Probe leases need no timer: they end by themselves, exactly, whether or not anybody looks (see permit).
///
/// Thread safety: every function from any thread at any time; destruction after the last of them has returned. Functions,
/// classifiers, handlers and reports of the user run outside every lock. Handles may outlive the registry. The clock outlives
/// the registry and all its handles.
///
/// Cost: finding a name takes no lock and touches two cache lines, besides the name that is asked for; see the README for
/// figures. What makes, evicts or removes breakers takes a mutex.
///
/// Algorithm: an open-addressing table of buckets, one cache line each, over records that are used again but never freed (as
/// SLAB_TYPESAFE_BY_RCU of Linux); a bucket counts the entries that had to go past it (as Folly's F14), so nothing ever moves
/// within a table and a lookup that finds nothing has seen nothing that was there all the while. See src/name_table.hpp.
class registry {
 public:
  /// Throws config_error with every problem of the options, the environment and the file.
  explicit registry(registry_options options = {}, switchgear::clock& clock = steady_clock());
  registry(const registry&) = delete;
  registry& operator=(const registry&) = delete;
  /// Stops the timer and the watching of the file at once. Breakers that are held live on, without them.
  ~registry();

  // --- getting ---

  /// The breaker of that name; made if there is none. Throws config_error with every problem of the name and the configuration
  /// (then nothing is made), and registry_full_error.
  breaker_handle get(std::string_view name);
  breaker_handle get(std::string_view name, classifier rules);
  /// With a whole configuration, which wins over every other source, for this name also over the file when it changes: where
  /// the file has a table for the name, that is reported. Give a config_patch to leave the other keys to the other sources.
  ///
  /// Here and below, asking for a breaker that is there already gives it as it is. When it was asked for in another way and
  /// what is asked for now differs from what is in force, that is reported. So is a classifier for a breaker that has none; that
  /// two classifiers differ nobody can tell. What PREFIX_ENABLED alone switches off is no difference.
  breaker_handle get(std::string_view name, const config& whole, classifier rules = {});
  /// With some keys, over what the other sources say.
  breaker_handle get(std::string_view name, const config_patch& keys, classifier rules = {});
  /// The breaker `agent.NAME`, with the preset for agents of that type: `llm` for llm, ai, researcher, writer; `service` for
  /// file, database, api; `standard` for any other.
  breaker_handle for_agent(std::string_view name, std::string_view type, classifier rules = {});

  /// As get(), for one who asks enabled() before each call: a breaker that the environment alone had switched off, since it
  /// said no when the breaker was made, is switched on if the environment lets it work now. What get() reports is reported. The
  /// handle may be kept: nothing but a configuration switches the breaker off again, so enabled() alone is asked from then on.
  breaker_handle get_working(std::string_view name);
  breaker_handle get_working(std::string_view name, classifier rules);
  breaker_handle get_working(std::string_view name, const config& whole, classifier rules = {});
  breaker_handle get_working(std::string_view name, const config_patch& keys, classifier rules = {});

  /// The breaker of that name, or an empty handle. Never makes one, does not allocate, and takes no lock, unless a record that
  /// the name may be of is being evicted or filled at that moment: then it waits for that.
  [[nodiscard]] breaker_handle find(std::string_view name) const noexcept;
  [[nodiscard]] bool contains(std::string_view name) const noexcept;

  // --- calling by name ---

  /// Whether the environment lets breakers work, read now: PREFIX_ENABLED, true when it is not set. A value that says neither
  /// yes nor no counts as not set and is reported once for each such value.
  [[nodiscard]] bool enabled() const;

  /// Calls `f` through the breaker of that name, as circuit_breaker::call. While enabled() is false, `f` is called unguarded and
  /// nothing is counted, looked up or made. A breaker that was made while the environment said no works again from the first
  /// such call that finds it saying yes. Handles are plain breakers: calls through them do not read the environment.
  template <class F>
  detail::result_of<F> call(std::string_view name, F&& f, const call_context& context = {}) {
    if (!enabled()) return detail::invoke_with(std::forward<F>(f), std::stop_token{});
    return get_working(name)->call(std::forward<F>(f), context);
  }
  template <class F>
  detail::result_of<F> call(std::string_view name, const config& whole, F&& f, const call_context& context = {}) {
    if (!enabled()) return detail::invoke_with(std::forward<F>(f), std::stop_token{});
    return get_working(name, whole)->call(std::forward<F>(f), context);
  }
  template <class F>
  detail::result_of<F> call(std::string_view name, const config_patch& keys, F&& f, const call_context& context = {}) {
    if (!enabled()) return detail::invoke_with(std::forward<F>(f), std::stop_token{});
    return get_working(name, keys)->call(std::forward<F>(f), context);
  }

  // --- looking ---

  [[nodiscard]] std::size_t size() const noexcept;
  /// In order. A breaker that comes or goes meanwhile may be in it or not, here and below; one that is there all the time is
  /// in it once.
  [[nodiscard]] std::vector<std::string> names() const;
  /// Everything about every breaker, in the order of their names.
  [[nodiscard]] std::vector<snapshot> snapshots() const;
  /// The same without the histories, which may be long: for those who look often.
  [[nodiscard]] std::vector<snapshot> figures() const;
  /// Every key of one breaker's configuration in force, in the order of the contract, and where its value came from, for people;
  /// empty when there is no such breaker. Origins: `code` (given to get(); of a config_patch the origin of its entry, if it has
  /// one), `circuits.toml:12 [breaker."agent.*"]`, `preset llm`, the name of a variable, `.env:3`, `built in`, and
  /// `changed since` for what was reconfigured by hand. A file that is being taken up at this moment may look so, too. Reads
  /// PREFIX_ENABLED.
  [[nodiscard]] std::vector<configured_value> configuration_of(std::string_view name) const;
  /// The names of those that reject calls: open and forced_open, in order. half_open lets probes through and is not among them,
  /// nor is who only judges (config::shadow).
  [[nodiscard]] std::vector<std::string> open_circuits() const;
  /// Calls `f` for each breaker, outside every lock, in no order. The breaker may be kept by find() alone.
  void for_each(const std::function<void(circuit_breaker&)>& f) const;

  // --- operating ---

  /// circuit_breaker::reset of each, overrides included.
  void reset_all(const std::string& reason = {});
  /// The same for those that are closed: what has built up in their windows is forgotten, what is open stays so. (One that opens
  /// at this very moment may be closed again.)
  void reset_closed(const std::string& reason = {});
  /// Forgets a breaker; whoever holds it keeps it, and asking for its name makes another. False when there was none.
  bool remove(std::string_view name);
  void clear();

  /// Reads the file again and applies it: every breaker whose layers now say something else is reconfigured, as a whole, what was
  /// changed by hand included; those with a whole configuration of their own keep it. A file with problems, also one that would
  /// give any listed breaker an impossible configuration, is refused: the problems are returned and reported, and everything
  /// stays. So is an empty file, which is what a file looks like before it is written: write a comment to mean it. While
  /// PREFIX_ENABLED says no, breakers that work go on working and those that it has switched off stay off.
  /// Without a file, nothing happens.
  std::vector<problem> reload();

  // --- watching ---

  /// Calls `handler` for what happens to all present and future breakers, as circuit_breaker::observe does; with
  /// event_filter::transitions calls stay as quick as they are. A breaker is observed as long as it is listed.
  [[nodiscard]] subscription observe(std::function<void(const event&)> handler,
                                     event_filter filter = event_filter::transitions);

  /// Calls `handler` for each breaker that is made from now on, on the thread that makes it, outside every lock and before whoever
  /// asked for it gets it. Short, does not throw, and does not end its own subscription; that waits for handlers that run.
  [[nodiscard]] subscription observe_making(std::function<void(const breaker_handle&)> handler);

  /// The last reports, oldest first.
  [[nodiscard]] std::vector<registry_report> reports() const;
  [[nodiscard]] registry_metrics metrics() const;

 private:
  std::shared_ptr<detail::registry_core> core_;
};

/// One registry for those who want to share one; made at first use, with the default options. Throws config_error then when
/// the environment is unusable.
[[nodiscard]] registry& default_registry();

}  // namespace switchgear::inline v1
