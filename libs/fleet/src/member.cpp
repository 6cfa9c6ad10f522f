// SPDX-License-Identifier: Apache-2.0
#include <switchgear/fleet/member.hpp>

#include "agent.hpp"
#include "decisions.hpp"
#include "joined_circuits.hpp"
#include "store_link.hpp"

#include <switchgear/detail/library_thread.hpp>
#include <switchgear/detail/validation.hpp>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

namespace switchgear::inline v1::fleet {
namespace {

using namespace std::chrono_literals;
using nanoseconds = std::chrono::nanoseconds;
using real_clock = std::chrono::steady_clock;

constexpr nanoseconds first_retry = 20ms;
constexpr nanoseconds goodbye_within = 50ms;
constexpr nanoseconds views_are_fresh = 500ms;
constexpr std::size_t most_views = 1000;
/// Ids of what the worker itself asks; the agent counts from 1.
constexpr std::uint64_t own_id = std::uint64_t{1} << 63;

options checked(options o) {
  switchgear::detail::require_no(o.validate());
  return o;
}

std::uint64_t random_number() {
  std::random_device source;
  return std::uint64_t{source()} << 32 | source();
}

std::string name_of(const options& o) {
  if (!o.instance.empty()) return o.instance;
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0 || host[0] == '\0') host = {'h', 'o', 's', 't'};
  const std::string digits = std::to_string(random_number() % 1'000'000'000);
  return one_line(std::string(host.data()).substr(0, 64)) + "/" + std::to_string(::getpid()) + "/" + digits;
}

}  // namespace

class member::worker {
 public:
  worker(options o, registry* circuits, switchgear::clock& time);
  ~worker();
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  bool join(circuit_breaker& which);
  bool part(std::string_view name);
  [[nodiscard]] fleet::metrics figures() const;
  [[nodiscard]] fleet::link state() const;
  [[nodiscard]] const std::string& instance() const noexcept { return instance_; }
  [[nodiscard]] std::vector<instance_view> views(std::string_view name);
  [[nodiscard]] std::optional<decision> known(std::string_view name) const;
  bool operate(std::string_view name, fleet_state wanted, std::string_view owner, std::string_view reason,
               std::optional<nanoseconds> ttl);

 private:
  struct seen_views {
    std::vector<instance_view> views;
    std::optional<real_clock::time_point> at;  ///< when the store told
    std::uint64_t asked = 0;                   ///< id of the question that waits for its answer; 0 = none does
    std::uint64_t answers = 0;                 ///< how often there was one, or none could be had
  };
  using view_cache = std::map<std::string, seen_views, std::less<>>;

  void run();
  void turn();
  void connect();
  nanoseconds think(bool woken, std::vector<request>& out, std::vector<notice>& told);
  void take_views(const incoming::answer& got);
  void forget_questions();
  void lost(const std::string& why);
  void rest(nanoseconds at_most);
  void say_goodbye();
  [[nodiscard]] std::function<void(const event&)> waker();
  view_cache::iterator place_for(std::string_view name);

  const options options_;
  const std::string instance_;
  switchgear::clock& time_;
  /// Handlers of events may run while this goes: they have the descriptor for themselves.
  const std::shared_ptr<event_descriptor> wake_ = std::make_shared<event_descriptor>();
  const event_descriptor stop_;

  // Of the worker's thread:
  store_link link_;
  incoming incoming_;
  int attempts_ = 0;
  real_clock::time_point retry_at_{};
  std::minstd_rand jitter_;

  mutable std::mutex mutex_;  ///< of what follows; never held while the store or code of the user is waited for
  std::condition_variable changed_;
  std::optional<joined_circuits> joined_;  ///< before the agent: it holds what that one touches, to the last
  agent agent_;
  std::map<std::string, subscription, std::less<>> joined_alone_;
  view_cache views_;
  std::vector<std::pair<std::uint64_t, std::string>> questions_;  ///< about views, to be sent
  std::uint64_t last_question_ = own_id;
  bool stopping_ = false;

  subscription events_, made_;
  std::thread thread_;
};

member::worker::worker(options o, registry* circuits, switchgear::clock& time)
    : options_(checked(std::move(o))),
      instance_(name_of(options_)),
      time_(time),
      link_(options_.url, options_.name, options_.patience, *wake_),
      jitter_(static_cast<std::minstd_rand::result_type>(random_number())),
      agent_(options_, instance_, random_number()) {
  if (circuits != nullptr) {
    joined_.emplace(*circuits);
    joined_->follow(agent_, time_.now(), options_.exchange_every, false);
    events_ = circuits->observe(waker(), event_filter::transitions);
    made_ = circuits->observe_making([this](const breaker_handle& made) {
      const std::lock_guard lock(mutex_);
      if (!stopping_) joined_->take(agent_, made, time_.now());
    });
  }
  thread_ = std::thread([this] { run(); });
  if (options_.adopt_within > 0ns) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, options_.adopt_within, [this] { return agent_.link_state() == link::shared; });
  }
}

member::worker::~worker() {
  made_.end();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.raise();
  wake_->raise();
  thread_.join();
  events_.end();
  joined_alone_.clear();
}

std::function<void(const event&)> member::worker::waker() {
  return [wake = wake_](const event&) { wake->raise(); };
}

// --- the worker's thread ---

void member::worker::run() {
  switchgear::detail::own_no_lane();
  while (!stop_.is_raised()) {
    try {
      turn();
    } catch (const std::exception& e) {
      lost(e.what());
    }
  }
  try {
    say_goodbye();
  } catch (const std::exception&) {
    // The store forgets who is silent.
  }
}

void member::worker::turn() {
  if (!link_.is_open() && real_clock::now() >= retry_at_) connect();
  // Before the circuits are looked at: what happens from here on wakes again.
  const bool woken = wake_->is_raised();
  wake_->clear();
  std::vector<request> out;
  std::vector<notice> told;
  const nanoseconds wait = think(woken, out, told);
  if (options_.on_notice) {
    for (const notice& n : told) options_.on_notice(n);
  }
  for (request& r : out) {
    if (link_.is_open()) link_.send(r.id, std::move(r.arguments));
  }
  if (link_.is_open()) {
    link_.exchange(wait, incoming_);
  } else {
    rest(std::min<nanoseconds>(wait, retry_at_ - real_clock::now()));
  }
}

void member::worker::connect() {
  if (!link_.open(stop_)) return;
  const std::lock_guard lock(mutex_);
  agent_.link_up(time_.now());
}

nanoseconds member::worker::think(bool woken, std::vector<request>& out, std::vector<notice>& told) {
  const std::lock_guard lock(mutex_);
  nanoseconds now = time_.now();
  nanoseconds wait = options_.exchange_every;
  const incoming got = std::exchange(incoming_, {});
  for (const incoming::answer& a : got.answers) {
    if (a.id >= own_id) {
      take_views(a);
    } else {
      agent_.answered(a.id, a.texts, now);
    }
  }
  for (const std::string& message : got.news) agent_.news(message, now);
  if (joined_) wait = joined_->follow(agent_, now, wait, woken || !got.answers.empty() || !got.news.empty());
  agent_.step(now, out);
  now = time_.now();
  wait = std::clamp<nanoseconds>(agent_.next(now), 1ms, std::max<nanoseconds>(wait, 1ms));
  told = agent_.take_notices();
  if (agent_.link_state() == link::shared) attempts_ = 0;
  if (link_.is_open() && !agent_.is_up()) {
    // It has given the store up.
    link_.close();
    out.clear();
    forget_questions();
    retry_at_ = real_clock::now() + first_retry;
  }
  if (link_.is_open()) {
    for (auto& [id, name] : questions_) out.push_back({id, reading("views", options_.name, instance_, {name})});
    questions_.clear();
  }
  changed_.notify_all();
  return wait;
}

void member::worker::lost(const std::string& why) {
  link_.close();
  incoming_ = {};
  ++attempts_;
  const nanoseconds most = std::min<nanoseconds>(options_.reconnect_max, first_retry * (1 << std::min(attempts_ - 1, 16)));
  // Between a half and the whole, so that a fleet that lost its store does not come back all at once.
  std::uniform_int_distribution<std::int64_t> any(most.count() / 2, most.count());
  retry_at_ = real_clock::now() + nanoseconds(any(jitter_));
  const std::lock_guard lock(mutex_);
  agent_.link_down(time_.now(), link_.target() + ": " + why);
  forget_questions();
  changed_.notify_all();
}

void member::worker::rest(nanoseconds at_most) {
  pollfd watched{wake_->descriptor(), POLLIN, 0};
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(std::max<nanoseconds>(at_most, 0ns)).count();
  (void)!::poll(&watched, 1, static_cast<int>(std::min<std::int64_t>(ms, 60'000)));
}

void member::worker::say_goodbye() {
  std::vector<request> out;
  {
    const std::lock_guard lock(mutex_);
    if (joined_) joined_->let_go(agent_);
    for (const auto& [name, events] : joined_alone_) agent_.remove(name);
    agent_.leave(time_.now(), out);
    forget_questions();
  }
  if (!link_.is_open()) return;
  for (request& r : out) link_.send(r.id, std::move(r.arguments));
  const auto until = real_clock::now() + goodbye_within;
  wake_->clear();
  while (link_.outstanding() > 0 && real_clock::now() < until) link_.exchange(until - real_clock::now(), incoming_);
}

// --- circuits ---

bool member::worker::join(circuit_breaker& which) {
  {
    const std::lock_guard lock(mutex_);
    if (!agent_.add(which)) return false;
    joined_alone_.emplace(which.name(), subscription());
  }
  // Outside: it may wait for a handler that runs.
  subscription heard = which.observe(waker(), event_filter::transitions);
  const std::lock_guard lock(mutex_);
  if (const auto at = joined_alone_.find(which.name()); at != joined_alone_.end()) at->second = std::move(heard);
  wake_->raise();
  return true;
}

bool member::worker::part(std::string_view name) {
  subscription heard;
  const std::lock_guard lock(mutex_);
  const auto at = joined_alone_.find(name);
  if (at == joined_alone_.end()) return false;
  agent_.remove(name);
  heard = std::move(at->second);
  joined_alone_.erase(at);
  wake_->raise();
  return true;
}

// --- looking and operating ---

fleet::metrics member::worker::figures() const {
  const std::lock_guard lock(mutex_);
  return agent_.figures();
}

fleet::link member::worker::state() const {
  const std::lock_guard lock(mutex_);
  return agent_.link_state();
}

std::optional<decision> member::worker::known(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const record* const r = agent_.known(name);
  return r == nullptr ? std::nullopt : std::optional(decision_of(*r));
}

bool member::worker::operate(std::string_view name, fleet_state wanted, std::string_view owner, std::string_view reason,
                             std::optional<nanoseconds> ttl) {
  const std::lock_guard lock(mutex_);
  const bool done = agent_.operate(name, wanted, owner, reason, ttl, time_.now());
  wake_->raise();
  return done;
}

auto member::worker::place_for(std::string_view name) -> view_cache::iterator {
  if (const auto at = views_.find(name); at != views_.end()) return at;
  // Not those that somebody waits for.
  if (views_.size() >= most_views) std::erase_if(views_, [](const auto& entry) { return entry.second.asked == 0; });
  return views_.try_emplace(std::string(name)).first;
}

std::vector<instance_view> member::worker::views(std::string_view name) {
  if (validate_name(name)) return {};
  std::unique_lock lock(mutex_);
  auto at = place_for(name);
  if (at->second.at && real_clock::now() - *at->second.at < views_are_fresh) return at->second.views;
  if (stopping_ || !agent_.is_up()) return at->second.views;
  if (at->second.asked == 0) {
    at->second.asked = ++last_question_;
    questions_.emplace_back(at->second.asked, at->first);
    wake_->raise();
  }
  const std::uint64_t before = at->second.answers;
  changed_.wait_for(lock, options_.patience, [&] {
    at = views_.find(name);  // others may have made room meanwhile
    return at == views_.end() || at->second.answers != before;
  });
  at = views_.find(name);
  return at == views_.end() ? std::vector<instance_view>() : at->second.views;
}

void member::worker::take_views(const incoming::answer& got) {
  for (auto& [name, seen] : views_) {
    if (seen.asked != got.id) continue;
    if (auto views = read_views(got.texts)) {
      seen.views = std::move(*views);
      seen.at = real_clock::now();
    }
    seen.asked = 0;
    ++seen.answers;
  }
}

void member::worker::forget_questions() {
  questions_.clear();
  for (auto& [name, seen] : views_) {
    if (seen.asked == 0) continue;
    seen.asked = 0;
    ++seen.answers;
  }
}

// --- member ---

member::member(registry& circuits, options o, switchgear::clock& time)
    : worker_(std::make_unique<worker>(std::move(o), &circuits, time)) {}
member::member(options o, switchgear::clock& time) : worker_(std::make_unique<worker>(std::move(o), nullptr, time)) {}
member::~member() = default;

bool member::join(circuit_breaker& which) { return worker_->join(which); }
bool member::part(std::string_view name) { return worker_->part(name); }
fleet::metrics member::metrics() const { return worker_->figures(); }
fleet::link member::link_state() const { return worker_->state(); }
const std::string& member::instance() const noexcept { return worker_->instance(); }
std::vector<instance_view> member::views(std::string_view circuit) { return worker_->views(circuit); }
std::optional<decision> member::known(std::string_view circuit) const { return worker_->known(circuit); }

bool member::operate(std::string_view circuit, operator_action action, std::string_view owner, std::string_view reason,
                     std::optional<std::chrono::nanoseconds> ttl) {
  return worker_->operate(circuit, state_after(action), owner, reason, ttl);
}

}  // namespace switchgear::inline v1::fleet
