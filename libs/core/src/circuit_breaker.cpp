// SPDX-License-Identifier: Apache-2.0
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/detail/now.hpp>
#include <switchgear/machine/describe.hpp>

#include <algorithm>
#include <cstring>

namespace switchgear::inline v1 {
namespace {

/// The timeline of a block begins two days before the breaker does, so that what a saved state remembers has a time on it.
constexpr std::int64_t beginning = std::int64_t{48} * 3600 * 1'000'000'000;

template <class Error>
[[noreturn]] void raise(Error&& e) {
#if SWITCHGEAR_HAS_EXCEPTIONS
  throw std::forward<Error>(e);
#else
  (void)e;
  std::terminate();
#endif
}

config checked(const std::string& name, const config& c) {
  std::vector<problem> problems = c.validate();
  if (auto p = validate_name(name)) problems.insert(problems.begin(), std::move(*p));
  if (!problems.empty()) raise(config_error(std::move(problems)));
  return c;
}

std::uint64_t next_seed() noexcept {
  static std::atomic<std::uint64_t> seed{static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count())};
  return seed.fetch_add(0x9e3779b97f4a7c15u, std::memory_order_relaxed);
}

/// Whether its reason is what somebody said.
bool has_said_reason(machine::trigger t) noexcept {
  using machine::trigger;
  return t == trigger::tripped || t == trigger::forced_open || t == trigger::disabled || t == trigger::released ||
         t == trigger::reset || t == trigger::fleet_opened || t == trigger::fleet_closed;
}

std::optional<std::chrono::nanoseconds> some(std::int64_t d) {
  return d < 0 ? std::nullopt : std::optional(std::chrono::nanoseconds(d));
}

std::shared_ptr<const std::string> text(std::string&& s) {
  return s.empty() ? nullptr : std::make_shared<const std::string>(std::move(s));
}

/// As much of `text` as fits before the closing zero, not cut in the middle of a UTF-8 sequence.
void copy_cut(std::string_view text, char* out, std::size_t room) noexcept {
  std::size_t size = std::min(text.size(), room - 1);
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  if (size > 0) std::memcpy(out, text.data(), size);
  out[size] = '\0';
}

}  // namespace

circuit_breaker::circuit_breaker(std::string name, const config& c, classifier rules)
    : storage_(machine::resolve(checked(name, c)), detail::lane_count(), next_seed()),
      clock_(nullptr),
      origin_(detail::read(nullptr) - beginning),
      name_(std::move(name)),
      rules_(rules.is_empty() ? nullptr : std::make_unique<const classifier>(std::move(rules))),
      history_(storage_.in_force().state_history),
      configuration_(c == config{} ? nullptr : std::make_unique<config>(c)) {
  storage_.header().since.store(std::uint64_t{beginning} << 4);
  update_way();
}

circuit_breaker::circuit_breaker(std::string name, const config& c, switchgear::clock& clock)
    : circuit_breaker(std::move(name), c, classifier{}, clock) {}

circuit_breaker::circuit_breaker(std::string name, const config& c, classifier rules, switchgear::clock& clock)
    : circuit_breaker(std::move(name), c, std::move(rules)) {
  clock_ = &clock;
  origin_ = detail::read(clock_) - beginning;
}

circuit_breaker::circuit_breaker(std::unique_ptr<detail::shared_home> home, std::string name, classifier rules)
    : circuit_breaker(std::move(home), std::move(name), std::move(rules), steady_clock()) {
  clock_ = nullptr;
}

circuit_breaker::circuit_breaker(std::unique_ptr<detail::shared_home> home, std::string name, classifier rules,
                                 switchgear::clock& clock)
    : circuit_breaker(std::move(home), home->regime(), std::move(name), std::move(rules), clock) {}  // moved from there

circuit_breaker::circuit_breaker(std::unique_ptr<detail::shared_home>&& home, const detail::shared_regime& regime,
                                 std::string name, classifier rules, switchgear::clock& clock)
    : home_(std::move(home)),
      storage_(machine::resolve(checked(name, regime.configuration), regime.epoch), home_->block(), regime.window),
      clock_(&clock),
      origin_(home_->origin()),
      name_(std::move(name)),
      rules_(rules.is_empty() ? nullptr : std::make_unique<const classifier>(std::move(rules))),
      history_(0),
      configuration_(std::make_unique<config>(regime.configuration)) {
  home_->attach(*this);
  update_way();
}

circuit_breaker::~circuit_breaker() = default;

std::int64_t circuit_breaker::now() const noexcept {
  return std::clamp<std::int64_t>(detail::read(clock_) - origin_, 0, machine::latest);
}

std::chrono::system_clock::time_point circuit_breaker::wall_time(std::int64_t at, std::int64_t now) const {
  return std::chrono::system_clock::now() +
         std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::nanoseconds(at - now));
}

void circuit_breaker::update_way() noexcept {
  const machine::settings& s = storage_.in_force();
  detail::event_hub* const hub = hub_.load();
  const bool heard = hub != nullptr && hub->hears_calls();
  if (hub != nullptr) hub->set_slows_calls(heard);
  const bool quick = s.enabled && s.call_timeout == 0 && !rules().judges_values() && !heard;
  way_.store(!quick ? none : s.needs_clock() ? measured : plain, std::memory_order_relaxed);
}

// --- calls ---

permit circuit_breaker::acquire_slowly(std::string_view correlation_id) noexcept {
  follow_home_if_changed();
  machine::real_machine engine = storage_.machine();  // one view for the time and for the answer
  const machine::settings& s = engine.in_force();
  const machine::state_word word{storage_.header().word.load(std::memory_order_relaxed)};
  const bool measures = s.measures_duration() || s.call_timeout > 0;
  if (s.enabled && admits_all(word.bits)) {
    return {*this, call_grant(word.bits, measures ? now() : -1), {}};
  }
  std::int64_t time = 0;
  if (word.state() == state::open && !(s.shadow && measures)) {
    // Far from the end of the open period a cheap reading decides as well; it makes retry_after a few milliseconds too
    // long at most, never too short. A reading that lags cannot let anybody in early, and lies not before the opening.
    const auto opened = static_cast<std::int64_t>(storage_.header().since.load() >> 4);
    time = std::clamp<std::int64_t>(detail::read_coarse(clock_) - origin_, opened, machine::latest);
    if (static_cast<std::int64_t>(storage_.header().until.load() >> 4) - time < detail::coarse_slack) time = now();
  } else if (s.enabled) {
    time = now();
  }
  const machine::acquired got = engine.acquire(time, lane());
  machine::grant grant = got.permit;
  if (!measures) grant.start = -1;
  const bool refused = grant.is == machine::grant::kind::none;
  if (got.changes.count != 0) report(got.changes);
  if (hub_.load(std::memory_order_relaxed) != nullptr) {
    const std::uint64_t generation = machine::state_word{storage_.header().word.load()}.generation();
    const std::uint64_t attempts = storage_.header().attempts.load();
    if (got.expired_probe) tell(event_kind::probe_expired, generation, state::half_open, {}, attempts);
    if (refused || grant.is == machine::grant::kind::shadow) {
      tell(event_kind::rejected, generation, word.state(), to_string(got.rejection.reason), attempts,
           got.rejection.retry_after, correlation_id);
    }
  }
  if (!refused) return {*this, grant, {}};
  return {*this, grant, {got.rejection.reason, some(got.rejection.retry_after), got.rejection.failure_count}};
}

verdict circuit_breaker::settle(const machine::grant& grant, verdict v, std::string_view why, bool may_time_out,
                                const call_context* context) noexcept {
  follow_home_if_changed();
  if (v == verdict::success && grant.is == machine::grant::kind::call) {
    const machine::state_word word{storage_.header().word.load(std::memory_order_relaxed)};
    if (way() == plain && word.state() == state::closed && word.generation() == grant.generation) {
      machine::settled done;
      const machine::lane_choice by = lane();
      if (storage_.machine().succeed_quickly(word.bits, -1, machine::unknown_time, by, done)) {
        if (done.needs_time) done = storage_.machine().finish(grant.generation, now());
        if (done.changes.count != 0) report(done.changes);
        return v;
      }
    }
  }
  // One view for the question whether the time is needed and for the answer, in case the configuration changes meanwhile.
  machine::real_machine engine = storage_.machine();
  const machine::settings& s = engine.in_force();
  const bool limited = may_time_out && s.call_timeout > 0 && grant.start >= 0;
  const auto is_failure = [](verdict x) { return x == verdict::failure || x == verdict::timeout; };
  std::int64_t time = machine::unknown_time;
  if (is_failure(v) || limited || s.needs_clock() || grant.is == machine::grant::kind::probe) time = now();
  if (limited && (v == verdict::success || v == verdict::failure) && time - grant.start >= s.call_timeout) v = verdict::timeout;
  settle_at(engine, grant, v, why, time, context == nullptr ? std::string_view() : context->correlation_id);
  return v;
}

void circuit_breaker::settle_at(machine::real_machine& engine, const machine::grant& grant, verdict v,
                                std::string_view why, std::int64_t time, std::string_view correlation_id) noexcept {
  const bool failed = v == verdict::failure || v == verdict::timeout;
  // Read before the verdict, for events that tell of the moment before a transition it causes.
  const std::uint64_t attempts = storage_.header().attempts.load(std::memory_order_relaxed);
  machine::settled done = engine.settle(grant, v, time, lane());
  if (done.needs_time) done = engine.finish(grant.generation, now());
  if (failed && grant.is != machine::grant::kind::pass_through) {
    note_failure(v == verdict::timeout && why.empty() ? "the call took longer than call_timeout" : why);
  }
  if (hub_.load(std::memory_order_relaxed) != nullptr && grant.is != machine::grant::kind::pass_through) {
    // Told as of the permit's own generation where that is still the present one, before a transition that it caused.
    const machine::state_word word{storage_.header().word.load()};
    const bool changed = done.changes.count != 0;
    const std::uint64_t generation = changed ? done.changes.items[0].generation - 1 : word.generation();
    const switchgear::state before = changed ? done.changes.items[0].from : word.state();
    const auto told = [&](event_kind kind, std::string_view text) {
      tell(kind, generation, before, text, attempts, -1, correlation_id);
    };
    switch (v) {
      case verdict::success: told(event_kind::success, why); break;
      case verdict::failure:
      case verdict::timeout: told(event_kind::failure, why); break;
      case verdict::ignored: told(event_kind::ignored, why); break;
      case verdict::abandoned: break;
    }
    if (done.slow) told(event_kind::slow, {});
    if (done.late) told(event_kind::late, {});
    if (done.expired_probe) told(event_kind::probe_expired, {});
  }
  if (done.changes.count != 0) report(done.changes);
  if (const detail::event_hub* const hub = hub_.load(std::memory_order_relaxed);
      hub != nullptr && hub->slows_calls() && !hub->hears_calls()) {
    // The last observer has gone. observe() holds the mutex until the next one is there.
    if (const std::unique_lock lock(mutex_, std::try_to_lock); lock) update_way();
  }
}

void circuit_breaker::succeed_measured(std::uint64_t word, std::int64_t start) noexcept {
  const std::int64_t time = now();
  const machine::lane_choice by = lane();
  machine::settled done;
  if (way() == measured && storage_.machine().succeed_quickly(word, start, time, by, done)) {
    if (done.changes.count != 0) report(done.changes);
    return;
  }
  machine::real_machine engine = storage_.machine();
  settle_at(engine, call_grant(word, start), verdict::success, {}, time, {});
}

void circuit_breaker::fail_with_current_exception(std::uint64_t word, std::int64_t start, const call_context& context) {
  permit p(*this, call_grant(word, start), {});
  (void)p.settle_exception(context);
}

void circuit_breaker::raise_open(const rejection& why, const call_context& context) const {
  circuit_open_error::details d;
  d.name = name_;
  d.state = why.reason == rejection_reason::forced_open       ? state::forced_open
            : why.reason == rejection_reason::half_open_limit ? state::half_open
            : why.reason == rejection_reason::ramp            ? state::closed
                                                              : state::open;
  d.reason = why.reason;
  d.retry_after = why.retry_after;
  d.failure_count = why.failure_count;
  d.correlation_id = context.correlation_id;
  if (context.context != nullptr) d.context = *context.context;
  raise(circuit_open_error(std::move(d)));
}

void circuit_breaker::raise_timeout(bool nested) const {
  call_timeout_error e(name_, call_timeout());
#if SWITCHGEAR_HAS_EXCEPTIONS
  if (nested) std::throw_with_nested(std::move(e));
#endif
  (void)nested;
  raise(std::move(e));
}

std::chrono::nanoseconds circuit_breaker::call_timeout() const noexcept {
  return std::chrono::nanoseconds(storage_.in_force().call_timeout);
}

clock& circuit_breaker::time_source() const noexcept { return clock_ == nullptr ? steady_clock() : *clock_; }

// --- telling ---

void circuit_breaker::report(const machine::transitions& changes, std::shared_ptr<const std::string> said) noexcept {
  for (const machine::transition& t : changes) {
    const auto words = has_said_reason(t.trigger) ? said : nullptr;
    if (t.changes_state() && home_) {
      home_->add(t, machine::describe(t, words ? std::string_view(*words) : std::string_view()), wall_time(t.at, now()));
    } else if (t.changes_state()) {
      const std::lock_guard lock(mutex_);
      history_.add(t, words.get());
    }
    if (detail::transition_watcher* const watcher = watcher_.load(std::memory_order_acquire)) watcher->changed(*this, t);
    detail::event_hub* const hub = hub_.load();
    if (hub == nullptr) continue;
    detail::event_record r;
    r.kind = detail::kind_of(t);
    r.change = t;
    r.text = words;
    r.state = t.to;
    r.previous_state = t.from;
    r.failure_count = t.failure_count;
    r.generation = t.generation;
    if (t.to == state::open) r.retry_after = t.until - t.at;
    r.shadow = storage_.in_force().shadow;
    const std::int64_t time = now();
    r.time = wall_time(t.at, time);
    if (const auto last = storage_.header().last_failure_at.load(); last != 0) {
      // Not one that came after the transition.
      r.last_failure = wall_time(std::min(static_cast<std::int64_t>(last) - 1, t.at), time);
    }
    hub->publish(std::move(r));
  }
}

void circuit_breaker::tell(event_kind kind, std::uint64_t generation, switchgear::state s, std::string_view why,
                           std::uint64_t attempts, std::int64_t retry_after, std::string_view correlation_id) noexcept {
  detail::event_hub* const hub = hub_.load();
  if (hub == nullptr || !hub->hears(kind)) return;
  detail::event_record r;
  r.kind = kind;
  r.state = r.previous_state = s;
  r.generation = generation;
  r.failure_count = static_cast<std::uint32_t>(attempts >> 36);
  r.retry_after = retry_after;
  r.shadow = storage_.in_force().shadow;
  r.time = std::chrono::system_clock::now();
  if (const auto last = storage_.header().last_failure_at.load(); last != 0) {
    r.last_failure = wall_time(static_cast<std::int64_t>(last) - 1, now());
  }
  copy_cut(why, r.failure_text.data(), r.failure_text.size());
  copy_cut(correlation_id, r.correlation_id.data(), r.correlation_id.size());
  hub->publish(std::move(r));
}

void circuit_breaker::note_failure(std::string_view why) noexcept {
  if (home_) return home_->note_failure(why);
  // Acquire and release pair with each other here and in last_failure_text. Whoever finds it taken leaves his text out: a
  // failure of the same moment is being written down.
  if (text_busy_.test_and_set(std::memory_order_acquire)) return;
  copy_cut(why, last_failure_, sizeof last_failure_);
  text_busy_.clear(std::memory_order_release);
}

std::string circuit_breaker::last_failure_text() const {
  if (home_) return home_->last_failure();
  while (text_busy_.test_and_set(std::memory_order_acquire)) {
  }
  const std::string text(last_failure_);
  text_busy_.clear(std::memory_order_release);
  return text;
}

subscription circuit_breaker::observe(std::function<void(const event&)> handler, event_filter filter) {
  const std::lock_guard lock(mutex_);
  if (!operator_) operator_ = std::make_unique<operator_part>();
  if (!operator_->hub) {
    // Of a shared block this process makes only some of the transitions: the others are not waited for.
    operator_->hub = std::make_shared<detail::event_hub>(name_, !home_);
    hub_.store(operator_->hub.get());
  }
  if (filter == event_filter::everything) {
    way_.store(none);
    operator_->hub->set_slows_calls(true);
  }
  // After the hub is known: a transition whose thread did not see it has a generation that is counted here.
  return operator_->hub->subscribe(std::move(handler), machine::state_word{storage_.header().word.load()}.generation(), filter);
}

// --- operating ---

void circuit_breaker::trip(std::string reason) {
  follow_home_if_changed();
  const auto changes = storage_.machine().trip(now());
  report(changes, text(std::move(reason)));
}

void circuit_breaker::force_open(std::string reason, std::string owner, std::optional<std::chrono::nanoseconds> ttl) {
  override_with(state::forced_open, std::move(reason), std::move(owner), ttl);
}

void circuit_breaker::disable(std::string reason, std::string owner, std::optional<std::chrono::nanoseconds> ttl) {
  override_with(state::disabled, std::move(reason), std::move(owner), ttl);
}

void circuit_breaker::override_with(switchgear::state s, std::string reason, std::string owner,
                                    std::optional<std::chrono::nanoseconds> ttl) {
  follow_home_if_changed();
  const std::int64_t time = now();
  const std::int64_t end = ttl ? machine::later(time, std::max<std::int64_t>(0, ttl->count())) : -1;
  bool renewed = false;
  std::uint64_t generation = machine::real_machine::any_generation;  // stays when the breaker is not enabled
  machine::transitions changes;
  {
    const std::lock_guard lock(mutex_);
    if (!operator_) operator_ = std::make_unique<operator_part>();
    changes = storage_.machine().override_with(s, end, time, renewed, &generation);
    operator_->override_generation = generation;
    operator_->owner = std::move(owner);
    operator_->reason = reason;
    if (home_) home_->note_override(generation, {operator_->owner, operator_->reason});
  }
  if (renewed) {
    if (detail::transition_watcher* const watcher = watcher_.load(std::memory_order_acquire)) {
      watcher->changed(*this, {.from = s, .to = s, .generation = generation, .at = time, .until = end});
    }
    tell(event_kind::config_changed, generation, s, "override renewed", storage_.header().attempts.load());
  }
  report(changes, text(std::move(reason)));
}

void circuit_breaker::release(std::string reason) {
  follow_home_if_changed();
  const auto changes = storage_.machine().release(now());
  report(changes, text(std::move(reason)));
}

void circuit_breaker::reset(std::string reason) {
  follow_home_if_changed();
  const auto changes = storage_.machine().reset(now());
  report(changes, text(std::move(reason)));
}

void circuit_breaker::reset_metrics() noexcept {
  advance();
  storage_.machine().reset_metrics();
}

void circuit_breaker::advance(std::uint64_t generation) noexcept {
  follow_home_if_changed();
  report(storage_.machine().advance(now(), generation));
}

std::vector<problem> circuit_breaker::reconfigure(const config& next) {
  std::vector<problem> problems;
  put_in_force(next, nullptr, problems);
  return problems;
}

bool circuit_breaker::put_in_force(const config& next, const config* before, std::vector<problem>& problems) {
  problems = next.validate();
  if (!problems.empty()) return true;
  advance();  // what is due happens under the rules that made it due
  {
    const std::lock_guard lock(mutex_);
    if (home_) take_up(home_->regime());
    const config present = configuration_ ? *configuration_ : config{};
    if (before != nullptr && !(present == *before)) return false;
    if (present == next) return true;
    way_.store(none);
    if (home_) {
      home_->reconfigure(next);
      take_up(home_->regime());
    } else {
      storage_.reconfigure(machine::resolve(next));
      history_.set_limit(storage_.in_force().state_history);
      configuration_ = std::make_unique<config>(next);
      update_way();
    }
  }
  const machine::state_word word{storage_.header().word.load()};
  tell(event_kind::config_changed, word.generation(), word.state(), {}, storage_.header().attempts.load());
  return true;
}

}  // namespace switchgear::inline v1
