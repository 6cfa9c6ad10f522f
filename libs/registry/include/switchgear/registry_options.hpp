// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/config/environment.hpp>
#include <switchgear/detail/shared_home.hpp>
#include <switchgear/event_bus.hpp>
#include <switchgear/registry_report.hpp>
#include <switchgear/subscription.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1 {

/// What a registry does with a new name when it is full of live breakers, see registry.
enum class when_registry_full : std::uint8_t {
  refuse,       ///< throw registry_full_error
  pass_through  ///< hand out a breaker of that name that guards nothing and is not registered, and report it
};

/// How a registry works. An aggregate, for designated initialisers:
///
///     sg::registry circuits{{.max_breakers = 1'000, .file = "circuits.toml", .watch_file = true, .timer = true}};
struct registry_options {
  /// How many names at most, 1 … 16,777,216. Take some times what you expect: it is there to stop names that are made from
  /// data (`user-4711`). A breaker that nobody holds, and that is closed without failures in its window, makes room for a new
  /// one. About 1 KiB each. Once no such breaker was found, looking for one is kept short: of more than 1,024 that nobody
  /// holds, one whose failures have left its window may be noticed only some new names later.
  std::size_t max_breakers = 10'000;

  /// What happens then. `pass_through` keeps calls alive, unguarded; `refuse` makes the mistake seen.
  when_registry_full when_full = when_registry_full::refuse;

  /// The preset under every breaker but agents, which get that of their type: `service`, `llm`, …; empty = none.
  std::string preset{};

  /// The prefix of the environment variables, `SWITCHGEAR_CB` by default.
  std::string prefix{default_prefix};

  /// The variables, read once; nothing = those of the process at the time of construction.
  std::optional<variables> environment{};

  /// A `.env` file, read once; empty = none. It may be missing. The process environment wins over it.
  std::string dotenv{};

  /// Reads one variable now, for PREFIX_ENABLED: called on every registry::call and whenever a breaker is made, from any
  /// thread. Default: `environment` if that is given, else std::getenv (which no other thread may be changing).
  std::function<std::optional<std::string>(std::string_view name)> read_variable{};

  /// The TOML file of the configurations, loaded at construction; empty = none. See circuit_file.
  std::string file{};

  /// Take up changes of the file by itself. Write it by renaming a finished file over it, as most editors do; a file that
  /// is written in place is read when its writer closes it.
  bool watch_file = false;

  /// 0 = the system tells of changes (inotify), or where it cannot, the file is looked at every second. Above 0: it is looked
  /// at this often, by the clock of the registry, on a thread of its own, and taken up once it looks the same twice; right for
  /// network file systems.
  std::chrono::nanoseconds poll_interval{0};

  /// Make transitions that are due, open → half_open and the ends of overrides, when they are due and not at the next call, so
  /// that events and dashboards tell of them in time. Costs a timer of the clock for each breaker that is not closed, no
  /// thread of its own.
  bool timer = false;

  /// Tell this bus of the transitions of every breaker, and how each is now to whoever comes to the bus late. Outlives the registry.
  event_bus* bus = nullptr;

  /// What the bus is told. With event_filter::everything it hears of the calls too, and each call takes the long way.
  event_filter bus_events = event_filter::transitions;

  /// Where the breakers live, when others are to share them: `host::shared_circuits` for the processes of one host. Each name is
  /// then one circuit for all who share the place. Who is first makes it with his configuration; where another one's differs
  /// that is reported, and the one in force stays until somebody reconfigures it. Removing and evicting here leaves it there.
  /// Null: in this process alone.
  std::shared_ptr<detail::home_provider> shared{};

  /// How many reports are kept, 1 … 100,000; the oldest go first.
  std::size_t max_reports = 100;

  /// Called for each new report, outside every lock, by the thread that caused it, which for files that are taken up by
  /// themselves is the registry's own; may call the registry, must not destroy it, which waits for that thread. What it throws
  /// is dropped.
  std::function<void(const registry_report&)> on_report{};

  /// Every problem at once; empty when the options are good.
  [[nodiscard]] std::vector<problem> validate() const;
};

}  // namespace switchgear::inline v1
