// SPDX-License-Identifier: Apache-2.0
#include "registry_core.hpp"

#include <switchgear/publish_to.hpp>

#include <algorithm>
#include <cstring>

namespace switchgear::inline v1::detail {
namespace {

// What a sweep may do when the last whole one found nothing, so that a registry full of live breakers says so quickly.
constexpr std::uint64_t short_sweep = 1 << 20;   ///< records whose count of references is read: some milliseconds
constexpr std::uint64_t short_judgement = 1024;  ///< breakers that are looked at: about one

/// Whether `enabled` is among the keys that were asked for. A whole configuration does not tell which of its keys were meant.
bool asks_for_enabled(const asked_config& asked) {
  if (asked.how != asked_config::way::keys) return false;
  const auto& entries = asked.keys->entries;
  return std::any_of(entries.begin(), entries.end(), [](const patch_entry& e) { return e.key == "enabled"; });
}

struct disposer {
  void operator()(breaker_record* record) const noexcept { record->dispose(); }
};

}  // namespace

registry_core::registry_core(const registry_options& options, clock& time, config_patch environment,
                             std::optional<std::string> dotenv_enabled)
    : hash_(random_hash_key()),
      file_(std::make_shared<const file_in_force>()),
      most_(options.max_breakers),
      when_full_(options.when_full),
      path_(options.file),
      watches_(options.watch_file),
      poll_interval_(options.poll_interval),
      has_timer_(options.timer),
      clock_(time),
      layering_(options.preset, options.prefix, std::move(environment)),
      switch_(options, std::move(dotenv_enabled)),
      reports_(options.max_reports, options.on_report),
      alarms_(time),
      bus_(options.bus),
      shared_(options.shared) {
  if (bus_ != nullptr) {
    observers_.add([bus = bus_](const event& e) { bus->publish(e); }, options.bus_events);
  }
}

// --- finding ---

breaker_handle registry_core::find_slowly(std::string_view name, std::uint64_t hash) const noexcept {
  const std::lock_guard lock(mutex_);
  breaker_record* const record = table_.peek(name, hash);
  return record == nullptr ? breaker_handle() : handle_to(*record);
}

breaker_handle registry_core::handle_to(breaker_record& record) noexcept {
  record.retain();  // the registry's own reference is there as long as nobody else has the mutex
  record.used.store(true, std::memory_order_relaxed);
  return {record, record.body->breaker};
}

breaker_handle registry_core::get(std::string_view name, const asked_config& asked, const classifier& rules) {
  const std::uint64_t hash = hash_of(name);
  breaker_handle found = find(name, hash);
  if (!found) return make(name, hash, asked, rules);
  compare(*found.record_->body, asked, !rules.is_empty());
  return found;
}

breaker_handle registry_core::get_working(std::string_view name, const asked_config& asked, const classifier& rules) {
  breaker_handle found = get(name, asked, rules);
  // Relaxed: whoever set it did so before this thread could find the breaker, or is about to.
  if (found.record_->off_by_environment.load(std::memory_order_relaxed)) switch_on(*found.record_);
  return found;
}

bool registry_core::retain_listed(breaker_record& record) const noexcept {
  const std::lock_guard lock(mutex_);
  if (!record.listed.load(std::memory_order_relaxed)) return false;
  record.retain();
  return true;
}

std::shared_ptr<const file_in_force> registry_core::file() const {
  const std::lock_guard lock(mutex_);
  return file_;
}

registry_core::resolved registry_core::resolve(std::string_view name, const asked_config& asked,
                                               std::shared_ptr<const file_in_force> file, environment_says says) const {
  resolved out{std::move(file), {}, false};
  out.layers = layering_.resolve(name, asked, *out.file, says);
  if (out.layers.value && !out.layers.value->enabled && asked.how != asked_config::way::whole) {
    const layered_config on = layering_.resolve(name, asked, *out.file, environment_says::yes);
    out.off_by_environment = on.value && on.value->enabled;
  }
  return out;
}

void registry_core::compare(registered_breaker& existing, const asked_config& asked, bool has_rules) {
  const bool other_rules = has_rules && !existing.has_rules;  // that two classifiers differ nobody can tell
  const bool says_nothing = asked.how == asked_config::way::layers && asked.preset.empty();
  if (!other_rules && (says_nothing || same_request(asked, existing.asked.view()))) return;
  const resolved made = resolve(existing.breaker.name(), asked, file(), environment());
  if (!made.layers.value) throw config_error(made.layers.problems);
  std::string difference;
  if (!says_nothing) {
    const config is = existing.breaker.configuration();
    config wanted = *made.layers.value;
    // What the environment alone switches off nobody has asked to be off; and where it has, being on is no other wish.
    const bool was_off = existing.record->off_by_environment.load(std::memory_order_relaxed);
    if (made.off_by_environment || (was_off && wanted.enabled && !asks_for_enabled(asked))) wanted.enabled = is.enabled;
    difference = describe_difference(is, wanted);
  }
  if (other_rules) difference += (difference.empty() ? "" : "; ") + std::string("it has no classifier, asked for one");
  if (difference.empty()) return;
  reports_.add({registry_report_kind::different_configuration, existing.breaker.name(), std::move(difference), {}, 1});
}

void registry_core::switch_on(breaker_record& record) {
  const environment_says says = environment();  // may call the user, so without the lock
  if (says == environment_says::no) return;
  const std::lock_guard one_at_a_time(reload_mutex_);
  registered_breaker& body = *record.body;
  // No other file can come while this thread may reconfigure.
  const resolved now = resolve(body.breaker.name(), body.asked.view(), file(), says);
  if (!now.layers.value || !now.layers.value->enabled) return;
  {
    const std::lock_guard lock(mutex_);
    body.layered = now.layers.value;
  }
  body.breaker.reconfigure(*now.layers.value);
  record.off_by_environment.store(false, std::memory_order_relaxed);
}

// --- making ---

breaker_handle registry_core::make(std::string_view name, std::uint64_t hash, const asked_config& asked,
                                   const classifier& rules) {
  for (;;) {
    std::shared_ptr<const file_in_force> in_force = file();
    const resolved made = resolve(name, asked, std::move(in_force), environment());
    std::vector<problem> problems = made.layers.problems;
    if (auto p = validate_name(name)) problems.insert(problems.begin(), std::move(*p));
    if (!problems.empty()) throw config_error(std::move(problems));

    std::unique_ptr<shared_home> home = shared_ ? shared_->home_of(name, *made.layers.value) : nullptr;
    const bool is_shared = home != nullptr;
    std::unique_ptr<registered_breaker> body = build(name, asked, made.layers.value, rules, std::move(home));
    observers_.bring_up_to_date(*body);
    // As it is before anybody can use it: what the bus is told of it later is news.
    std::optional<event> introduction;
    if (bus_ != nullptr) introduction = present_event(body->breaker);
    std::unique_ptr<breaker_record, disposer> evicted;  // ends when the lock is no longer held
    breaker_handle out;
    bool is_new = false;
    {
      std::unique_lock lock(mutex_);
      may_make_.wait(lock, [this] { return !holds_making_; });
      if (breaker_record* const other = table_.peek(name, hash)) {
        out = handle_to(*other);
      } else if (file_ != made.file) {
        continue;  // another file came meanwhile: it would miss this breaker
      } else {
        if (table_.size() >= most_) evicted.reset(evict());
        if (table_.size() < most_) {
          out = settle_in(std::move(body), hash, true, made.off_by_environment);
          is_new = true;
          // Before anybody can take it away again, which tells the bus that it is gone.
          if (introduction) bus_->publish(*introduction);
        }
      }
    }
    if (evicted) {
      observers_.end(*evicted->body);  // what it still has to say would make it known again
      withdraw(*evicted->body);
    }
    if (!out) return turn_away(name, hash);
    if (is_new) {
      observers_.bring_up_to_date(*out.record_->body);
      {
        const std::shared_lock running(makings_mutex_);
        for (const auto& [number, handler] : makings_) handler(out);
      }
      if (asked.how == asked_config::way::whole && made.file->file.table_for(name) != nullptr) {
        reports_.add(hidden_table(name));
      }
      if (is_shared) compare_with_home(*out.record_->body, *made.layers.value);
    } else {
      compare(*out.record_->body, asked, !rules.is_empty());
    }
    return out;
  }
}

void registry_core::compare_with_home(const registered_breaker& body, const config& wanted) {
  std::string difference = describe_difference(body.breaker.configuration(), wanted);
  if (difference.empty()) return;
  reports_.add({registry_report_kind::different_configuration, body.breaker.name(),
                "shared with others who made it first: " + difference, {}, 1});
}

std::unique_ptr<registered_breaker> registry_core::build(std::string_view name, const asked_config& asked,
                                                         std::shared_ptr<const config> configuration, const classifier& rules,
                                                         std::unique_ptr<shared_home> home) {
  clock* const own = &clock_ == &steady_clock() ? nullptr : &clock_;
  auto body = std::make_unique<registered_breaker>(shared_from_this(), std::string(name), asked, std::move(configuration), rules,
                                                   own, std::move(home));
  if (has_timer_) breaker_access::watch(body->breaker, body.get());
  return body;
}

breaker_handle registry_core::settle_in(std::unique_ptr<registered_breaker> body, std::uint64_t hash, bool listed, bool off) {
  const std::string& name = body->breaker.name();
  breaker_record& record = records_.take();
  record.hash = hash;
  record.name_size = static_cast<std::uint8_t>(name.size());
  std::memcpy(record.name.data(), name.data(), std::min(name.size(), record.name.size()));
  record.stained = false;
  record.used.store(false, std::memory_order_relaxed);
  record.off_by_environment.store(off, std::memory_order_relaxed);
  record.body = body.get();
  body->record = &record;
  body->id = ++next_id_;
  if (listed) {
    // Without references yet: who finds it already asks again, and waits for the mutex.
    try {
      table_.insert(record);
    } catch (...) {
      records_.give_back(record);
      throw;
    }
    ++created_;
  }
  record.listed.store(listed, std::memory_order_relaxed);
  // Release: with the first reference everything of the record, and of the breaker, is there for those who take one.
  record.references.store(listed ? 2 : 1, std::memory_order_release);
  return {record, body.release()->breaker};
}

breaker_handle registry_core::turn_away(std::string_view name, std::uint64_t hash) {
  {
    const std::lock_guard lock(mutex_);
    ++turned_away_;
  }
  if (when_full_ == when_registry_full::refuse) throw registry_full_error(std::string(name), most_);
  reports_.add({registry_report_kind::full,
                {},
                "the registry holds " + std::to_string(most_) +
                    " breakers, its limit, and none was found that may go: new names are not guarded",
                {},
                1});
  const config off{.enabled = false};
  const asked_config asked{asked_config::way::whole, {}, &off, nullptr};
  auto body = build(name, asked, std::make_shared<const config>(off), classifier::standard(), nullptr);
  const std::lock_guard lock(mutex_);
  return settle_in(std::move(body), hash, false, false);
}

void registry_core::take_back(breaker_record& record) noexcept {
  const std::lock_guard lock(mutex_);
  records_.give_back(record);
}

// --- making room ---

registry_core::past registry_core::past_of(const registered_breaker& body) {
  const config now = body.breaker.configuration();
  if (!(now == *body.layered)) return past::live;  // changed by hand
  if (body.breaker.state() != (now.enabled ? state::closed : state::disabled)) return past::live;
  const snapshot seen = body.breaker.snapshot();
  if (seen.consecutive_failures != 0 || seen.window.failures != 0 || seen.window.slow != 0) return past::live;
  if (seen.operator_override || observers_.has_others(body)) return past::live;
  return seen.generation == 0 && seen.metrics.failures == 0 ? past::none : past::over;
}

breaker_record* registry_core::evict() {
  for (const past wanted : {past::none, past::over}) {
    if (breaker_record* const found = sweep(wanted)) {
      exhausted_ = false;
      return found;
    }
  }
  exhausted_ = true;
  return nullptr;
}

breaker_record* registry_core::sweep(past wanted) {
  const std::uint32_t count = records_.count();
  // Twice around: once to take the marks of use away, once to see who was not used since.
  const std::uint64_t around = 2 * std::uint64_t{count};
  const std::uint64_t steps = exhausted_ ? std::min(around, short_sweep) : around;
  std::uint64_t judgements = exhausted_ ? short_judgement : around;
  breaker_record* second_choice = nullptr;
  for (std::uint64_t i = 0; i < steps && judgements > 0; ++i) {
    breaker_record& record = records_.at(hand_ < count ? hand_ : 0);
    hand_ = (hand_ + 1) % count;
    if (!record.listed.load(std::memory_order_relaxed) || record.stained != (wanted == past::over)) continue;
    if (record.references.load(std::memory_order_relaxed) != 1) continue;
    if (record.used.exchange(false, std::memory_order_relaxed)) {
      if (second_choice == nullptr) second_choice = &record;
    } else {
      --judgements;
      if (evict_this(record, wanted)) return &record;
    }
  }
  return second_choice != nullptr && evict_this(*second_choice, wanted) ? second_choice : nullptr;
}

bool registry_core::may_go(breaker_record& record, past wanted) {
  const past is = past_of(*record.body);
  if (is != past::none) record.stained = true;
  return is == past::none || is == wanted;
}

bool registry_core::evict_this(breaker_record& record, past wanted) {
  if (!may_go(record, wanted)) return false;
  // Acquire: pairs with the release of those who gave their references back, so that what they did is seen below. From 0 on
  // nobody can take one.
  std::uint32_t alone = 1;
  if (!record.references.compare_exchange_strong(alone, 0, std::memory_order_acq_rel, std::memory_order_relaxed)) return false;
  if (!may_go(record, wanted)) {
    record.references.store(1, std::memory_order_release);  // somebody was here between the two looks
    return false;
  }
  unlist(record);
  ++evicted_;
  return true;
}

void registry_core::unlist(breaker_record& record) noexcept {
  table_.erase(record);
  record.listed.store(false, std::memory_order_relaxed);
}

void registry_core::let_go(breaker_record& record) noexcept {
  alarms_.end(*record.body);
  observers_.end(*record.body);
  withdraw(*record.body);
  record.release();
}

void registry_core::withdraw(const registered_breaker& body) noexcept {
  if (bus_ != nullptr) bus_->withdraw(body.breaker.name(), breaker_access::instance(body.breaker));
}

bool registry_core::remove(std::string_view name) {
  breaker_record* record = nullptr;
  {
    const std::lock_guard lock(mutex_);
    record = table_.peek(name, hash_of(name));
    if (record == nullptr) return false;
    unlist(*record);
    ++removed_;
  }
  let_go(*record);
  return true;
}

void registry_core::clear() noexcept {
  for (std::uint32_t i = 0, n = records_.count(); i < n; ++i) {
    breaker_record& record = records_.at(i);
    {
      const std::lock_guard lock(mutex_);
      if (!record.listed.load(std::memory_order_relaxed)) continue;
      unlist(record);
      ++removed_;
    }
    let_go(record);
  }
}

void registry_core::close() noexcept {
  watcher_.reset();
  poller_.reset();
  alarms_.close();
  for (std::uint32_t i = 0, n = records_.count(); i < n; ++i) {
    with_record(i, [this](registered_breaker& body) { alarms_.end(body); });
  }
  clear();
}

// --- watching ---

subscription registry_core::observe(std::function<void(const event&)> handler, event_filter filter) {
  const std::uint64_t number = observers_.add(std::move(handler), filter);
  const auto tell_all = [](registry_core& core) {
    // Whoever makes a breaker has either done so, and it is found below, or sees the change.
    { const std::lock_guard lock(core.mutex_); }
    core.walk([&core](registered_breaker& body) { core.observers_.bring_up_to_date(body); });
  };
  subscription out([core = weak_from_this(), number, tell_all] {
    const std::shared_ptr<registry_core> alive = core.lock();
    if (!alive) return;
    alive->observers_.remove(number);
    tell_all(*alive);
  });
  tell_all(*this);
  return out;
}

subscription registry_core::observe_making(std::function<void(const breaker_handle&)> handler) {
  const std::unique_lock lock(makings_mutex_);
  const std::uint64_t number = ++last_making_;
  makings_.emplace(number, std::move(handler));
  return subscription([core = weak_from_this(), number] {
    const std::shared_ptr<registry_core> alive = core.lock();
    if (!alive) return;
    const std::unique_lock ending(alive->makings_mutex_);
    alive->makings_.erase(number);
  });
}

registry_metrics registry_core::metrics() const {
  const std::lock_guard lock(mutex_);
  return {table_.size(), created_, evicted_, removed_, turned_away_, reloads_.load(std::memory_order_relaxed), reports_.count()};
}

}  // namespace switchgear::inline v1::detail
