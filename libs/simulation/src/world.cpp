// SPDX-License-Identifier: Apache-2.0
#include "world.hpp"

#include <switchgear/detail/breaker_access.hpp>
#include <switchgear/errors.hpp>

#include <algorithm>

#include "purposes.hpp"
#include "script.hpp"

namespace switchgear::inline v1::simulation {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t second = 1'000 * ms;

bounds bounds_of(const settings& s) {
  const auto slower = [&](std::int64_t d) {
    return d + static_cast<std::int64_t>(static_cast<double>(d) * 2.1 * s.network.drift);
  };
  const std::int64_t exchange = slower(s.fleet.exchange_every.count());
  const std::int64_t patience = slower(s.fleet.patience.count());
  const std::int64_t ways = 20 * s.network.delay.count();  // a handful of messages, one of them slow
  const auto default_limit = std::max(s.circuit.open_duration, std::chrono::nanoseconds(second));
  const std::int64_t probe = s.circuit.probe_timeout.value_or(default_limit).count();
  const std::int64_t lease = slower(probe + s.fleet.use_within.count());
  std::int64_t ramp = 0;
  for (const auto& step : s.fleet.ramp) ramp += slower(step.lasts.count()) + exchange;
  return {.notices = exchange + patience + ways + 50 * ms,
          .agrees = patience + slower(s.fleet.reconnect_max.count()) + 2 * exchange + ways + 100 * ms,
          .lags = 2 * exchange + ways + 50 * ms,
          .ramps = ramp + second,
          .probes_in = 4 * lease + 5 * second};
}

upstream::settings upstream_of(const settings& s) {
  const upstream_settings& u = s.upstream;
  return {.capacity = u.capacity * s.calls_per_second * s.instances,
          .cold_share = u.cold_share,
          .warm_up = u.warm_up.count(),
          .collapse = u.collapse.count(),
          .queue = u.queue.count(),
          .latency = u.latency.count(),
          .fails_after = u.fails_after.count(),
          .slow_latency = u.slow_latency.count()};
}

const settings& checked(const settings& s) {
  std::vector<problem> problems = s.validate();
  if (!problems.empty()) throw config_error(std::move(problems));
  return s;
}

std::int64_t some_rate(random_stream& luck, double drift) {
  return static_cast<std::int64_t>((2 * luck.share() - 1) * drift * 1e6);
}

}  // namespace

world::world(const settings& s)
    : settings_(checked(s)),
      end_(s.duration.count()),
      plan_(make_plan(s)),
      luck_(s.seed, purpose::world),
      upstream_(upstream_of(s), s.seed),
      store_clock_(now_, 0, some_rate(luck_, s.network.drift)),
      loss_(s.network.loss),
      checker_(bounds_of(s), static_cast<std::uint32_t>(s.circuit.half_open_max_calls), now_) {
  if (s.sharing) store_ = std::make_unique<simulated_store>(s.script.empty() ? fleet::script_text() : std::string_view(s.script));
  for (std::uint32_t i = 0; i < s.instances; ++i) {
    node& n = make_node();
    start(n);
  }
  for (std::size_t i = 0; i < plan_.size(); ++i) queue_.put(plan_[i].at, happening::action, 0, i);
  queue_.put(figures::part, happening::bucket, 0);
}

world::~world() {
  // Each agent before its breaker, and all calls before both.
  calls_.clear();
  for (const auto& n : nodes_) n->agent.reset();
}

report world::run(const std::function<void(std::chrono::nanoseconds)>& progress) {
  const std::int64_t stride = std::max<std::int64_t>(end_ / 400, 1);
  std::int64_t next = stride;
  while (!queue_.empty() && queue_.first().time <= end_ && !checker_.found()) {
    const event e = queue_.take();
    now_ = e.time;
    ++events_;
    happen(e);
    if (now_ < next) continue;
    next = now_ + stride;
    if (progress) progress(std::chrono::nanoseconds(now_));
  }
  if (!checker_.found()) {
    now_ = end_;
    finish();
  }
  count_lives();
  report r;
  r.sharing = settings_.sharing;
  r.instances = present_;
  r.duration = std::chrono::nanoseconds(now_);
  figures_.put_into(r);
  r.collapses = upstream_.collapses();
  const double seconds = static_cast<double>(std::max<std::int64_t>(1, now_)) * 1e-9;
  r.messages = static_cast<double>(messages_) / std::max(1.0, lived_);
  r.store_busy = static_cast<double>(store_worked_) * 1e-9 / seconds;
  r.events = events_;
  r.totals = totals_;
  r.violated = checker_.found();
  return r;
}

void world::happen(const event& e) {
  if (e.kind == happening::action) return act(plan_[e.detail]);
  if (e.kind == happening::bucket) {
    figures_.end_part(upstream_.capacity(now_));
    queue_.put(now_ + figures::part, happening::bucket, 0);
    if (store_) {
      const auto truth = store_->look(settings_.fleet.name, "upstream", store_clock_.now().count() / ms);
      // Whether a probe could be expected: some hundred calls while it was due and nothing was in the way.
      const bool undisturbed = store_answers() && now_ >= lossy_until_ && loss_ == 0 && settings_.network.resets == 0;
      checker_.progress(truth.due && undisturbed && settings_.fleet.opening != fleet::sharing::local &&
                        settings_.calls_per_second * present_ > 20);
    }
    return;
  }
  node& n = *nodes_[e.who];
  const auto detail = static_cast<std::uint32_t>(e.detail);
  switch (e.kind) {
    case happening::call:
      if (n.present) call(n);
      break;
    case happening::call_ends: call_ends(n, detail); break;
    case happening::wake:
      if (!n.present || !n.agent || now_ != n.wake_at) break;
      n.wake_at = -1;
      if (n.wanted_at > now_) {
        wake_at(n, n.wanted_at);
      } else {
        step(n);
      }
      break;
    case happening::request: at_store(n, detail); break;
    case happening::answer: at_node(n, detail); break;
    case happening::news: hears(n, e.detail); break;
    case happening::connect: connect(n, detail); break;
    case happening::connected: connected(n, detail); break;
    case happening::broken:
      if (n.present && !cut(n) && n.link.number == detail && n.link.is == connection::state::up) {
        lose(n, "the connection was reset");
      }
      break;
    case happening::healed: note_reach(n); break;
    case happening::drift:
      n.clock.set_rate(some_rate(n.luck, settings_.network.drift));
      queue_.put(now_ + 10 * second + n.luck.exponential_nanos(60e9), happening::drift, e.who);
      break;
    case happening::checkpoint: break;
    case happening::action:
    case happening::bucket: break;
  }
  // Where messages get lost at random, nothing can be said about when they arrive.
  if (now_ < lossy_until_ || settings_.network.loss > 0 || settings_.network.resets > 0) checker_.disturbed();
  if (n.present) looked_after(n);
}

void world::act(const action& a) {
  using kind = action::kind;
  switch (a.what) {
    case kind::upstream_fails:
      checker_.note("upstream", "fails");
      upstream_.fail(now_);
      figures_.trouble_begins(now_, present_);
      break;
    case kind::upstream_slows:
      checker_.note("upstream", "slows down");
      upstream_.slow_down(now_);
      figures_.trouble_begins(now_, present_);
      break;
    case kind::upstream_revives:
      checker_.note("upstream", "revives");
      upstream_.revive(now_);
      figures_.trouble_ends(now_);
      break;
    case kind::join: {
      const auto count = std::max<std::size_t>(1, static_cast<std::size_t>(a.share * present_));
      for (std::size_t i = 0; i < count && present_ < 2 * settings_.instances; ++i) start(make_node());
      break;
    }
    case kind::leave:
    case kind::crash:
      for (node* const n : some(a.share)) {
        if (present_ > 2) stop(*n, a.what == kind::leave);
      }
      break;
    case kind::restart:
      for (node* const n : some(a.share)) {
        stop(*n, false);
        start(make_node());
      }
      break;
    case kind::trip:
    case kind::reset:
    case kind::force_open:
    case kind::release: {
      const bool renews = a.what == kind::release && seat_ != nullptr && seat_->present;
      node* const n = renews ? seat_ : operators_seat();
      if (n == nullptr) break;
      seat_ = n;
      n->compares = false;
      const char* const words[] = {"force_open", "release", "trip", "reset"};
      checker_.note(n->name, "operator:", words[static_cast<int>(a.what) - static_cast<int>(kind::force_open)]);
      if (a.what == kind::trip) n->breaker->trip("maintenance");
      if (a.what == kind::reset) n->breaker->reset("maintenance");
      if (a.what == kind::release) n->breaker->release("maintenance is over");
      if (a.what == kind::force_open) {
        n->breaker->force_open("maintenance", "operator",
                               a.lasts > 0 ? std::optional(std::chrono::nanoseconds(a.lasts)) : std::nullopt);
      }
      looked_after(*n);
      break;
    }
    default:
      if (store_) disturb(a);
  }
}

void world::disturb(const action& a) {
  using kind = action::kind;
  switch (a.what) {
    case kind::isolate:
      for (node* const n : some(a.share)) {
        n->isolated_until = std::max(n->isolated_until, now_ + a.lasts);
        checker_.note(n->name, "is isolated");
        note_reach(*n);
        queue_.put(n->isolated_until, happening::healed, n->number);
      }
      return;
    case kind::store_down:
      checker_.note("store", "is down");
      down_until_ = std::max(down_until_, now_ + a.lasts);
      reset_connections();
      break;
    case kind::store_hangs:
      checker_.note("store", "hangs");
      hung_until_ = std::max(hung_until_, now_ + a.lasts);
      break;
    case kind::store_emptied:
      checker_.note("store", "restarts empty");
      store_->empty();
      reset_connections();
      break;
    case kind::store_remembers: store_->remember(); return;
    case kind::store_goes_back:
      checker_.note("store", "goes back");
      store_->roll_back();
      reset_connections();
      break;
    case kind::bad_network:
      checker_.note("network", "loses messages");
      loss_ = std::max(settings_.network.loss, a.share);
      lossy_until_ = std::max(lossy_until_, now_ + a.lasts);
      break;
    default: return;
  }
  checker_.disturbed();
  for (const auto& n : nodes_) {
    if (!n->present) continue;
    note_reach(*n);
    wait_for_healing(*n);
  }
}

void world::finish() {
  const bounds b = bounds_of(settings_);
  for (const auto& n : nodes_) {
    if (!n->present || !n->agent) continue;
    checker_.look(*n);
    const auto seen = detail::breaker_access::look(*n->breaker);
    const bool settled = now_ - checker_.last_change() > b.lags && seen.now - seen.facts.since > b.lags;
    const bool clear = n->cut_since < 0 && now_ - n->clear_since > b.agrees && n->agent->is_up() && settings_.network.loss == 0 &&
                       settings_.network.resets == 0;
    if (settled && clear) {
      checker_.agree(*n, store_->look(settings_.fleet.name, "upstream", store_clock_.now().count() / ms),
                     settings_.fleet.opening != fleet::sharing::any);
    }
    add(n->agent->figures());
  }
}

void world::count_lives() noexcept {
  lived_ += static_cast<double>(now_ - counted_to_) * 1e-9 * present_;
  counted_to_ = now_;
}

void world::add(const fleet::metrics& m) {
  fleet::metrics& t = totals_;
  t.requests += m.requests;
  t.replies += m.replies;
  t.timeouts += m.timeouts;
  t.link_losses += m.link_losses;
  t.local_decisions += m.local_decisions;
  t.fleet_decisions += m.fleet_decisions;
  t.stale += m.stale;
  t.leases_granted += m.leases_granted;
  t.leases_unused += m.leases_unused;
  t.leases_lost += m.leases_lost;
  t.restores += m.restores;
}

report run(const settings& s, const std::function<void(std::chrono::nanoseconds)>& progress) {
  return world(s).run(progress);
}

}  // namespace switchgear::inline v1::simulation
