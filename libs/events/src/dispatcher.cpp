// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/library_thread.hpp>
#include <switchgear/detail/dispatcher.hpp>
#include <switchgear/errors.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace switchgear::inline v1::detail {
namespace {

/// How many circuits are known at a time; of more, the sequences are not looked at and late comers are not told.
constexpr std::size_t most_circuits = 1 << 20;

/// How many circuits that are no more may wait for a handler that does not return; more than that stay known.
constexpr std::size_t most_forgetting = 1 << 17;

/// What others wrote, for a log: without line breaks and not endless.
std::string one_line(std::string text) {
  constexpr std::size_t longest = 400;
  if (text.size() > longest) {
    std::size_t end = longest;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not within a character
    text.resize(end);
    text += "…";
  }
  std::ranges::replace_if(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text;
}

}  // namespace

bool is_plain_name(std::string_view name) noexcept {
  return name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

void check(const event_bus_options& o) {
  std::vector<problem> problems;
  if (o.queue_capacity < 16 || o.queue_capacity > 1'048'576) {
    problems.push_back({"queue_capacity", std::to_string(o.queue_capacity), "16 … 1,048,576", "out of range"});
  }
  if (o.keep_present < std::chrono::nanoseconds(0) || o.keep_present > std::chrono::days(30)) {
    problems.push_back({"keep_present", format_duration(o.keep_present), "0 … 30 days", "out of range"});
  }
  if (!is_plain_name(o.member)) problems.push_back({"member", {}, "at most 64 letters, digits, '.', '_' and '-'", "not a name of a member"});
  if (o.keep_present != std::chrono::nanoseconds(0) && o.member.empty()) {
    problems.push_back({"member", {}, "a name", "keep_present needs to know whose circuits are kept"});
  }
  if (!problems.empty()) throw config_error(std::move(problems));
}

event completed(event e) {
  if (e.id.empty()) e.id = make_uuid();
  if (e.time == decltype(e.time)()) e.time = std::chrono::system_clock::now();
  return e;
}

void notice_board::say(bus_notice::kind what, std::uint64_t count, std::string text) noexcept {
  if (!handler_) return;
  try {
    const std::lock_guard one_at_a_time(busy_);
    handler_({what, count, one_line(std::move(text))});
  } catch (...) {
    // Nobody is left to tell.
  }
}

dispatcher::dispatcher(const event_bus_options& o, std::shared_ptr<notice_board> notices, bool complete)
    : notices_(std::move(notices)), inbox_(o.queue_capacity), complete_(complete) {}

dispatcher::~dispatcher() { close(); }

void dispatcher::start() {
  if (started_.load(std::memory_order_relaxed)) return;  // only to save the lock; who loses the race finds the thread there
  const std::lock_guard lock(mutex_);
  if (!closed_ && !thread_.joinable()) thread_ = std::thread([this] { run(); });
  started_.store(true, std::memory_order_relaxed);
}

void dispatcher::close() noexcept {
  const std::lock_guard one_at_a_time(closing_);
  std::thread ending;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    ending.swap(thread_);
  }
  {
    const std::lock_guard lock(change_mutex_);
    changed_ = nullptr;  // whoever gave it may be gone when a subscription ends that outlives it
  }
  inbox_.close();
  if (ending.joinable()) ending.join();
  inbox_.abandon();  // of a bus that was never started
}

std::shared_ptr<const dispatcher::subscribers> dispatcher::all() const {
  const std::lock_guard lock(mutex_);
  return subscribers_;
}

subscription dispatcher::subscribe(std::string_view pattern, handler h, subscribe_options how) {
  auto added = std::make_shared<subscriber>();
  added->pattern = pattern;
  added->call = std::move(h);
  added->present = how.present;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return {};
    auto next = std::make_shared<subscribers>(*subscribers_);
    next->push_back(added);
    subscribers_ = std::move(next);
  }
  // Should anything from here on throw, this ends it again.
  subscription made([weak = weak_from_this(), added] {
    if (const auto self = weak.lock()) {
      self->end(added);
    } else {
      added->gone.store(true);
    }
  });
  // In turn, so that it hears of nothing that was published before.
  in_turn([this, added] {
    if (!added->present) {
      added->active = true;
    } else if (complete_) {
      activate(*added);
    }
  });
  tell_change();
  return made;
}

void dispatcher::tell_change() {
  const std::lock_guard lock(change_mutex_);
  if (changed_) changed_();
}

void dispatcher::end(const std::shared_ptr<subscriber>& s) noexcept {
  s->gone.store(true);
  try {
    const std::lock_guard lock(mutex_);
    auto next = std::make_shared<subscribers>(*subscribers_);
    std::erase(*next, s);
    subscribers_ = std::move(next);
  } catch (...) {
    // No memory for a new list: it stays in the old one and is passed over.
  }
  if (s->thread.load() != std::this_thread::get_id()) const std::lock_guard wait(s->running);
  try {
    tell_change();
  } catch (...) {
    // That the bus hears more than it has to does no harm.
  }
}

bool dispatcher::has_subscribers() const { return !all()->empty(); }

bool dispatcher::wants_present() const {
  const auto list = all();
  return std::ranges::any_of(*list, [](const auto& s) { return s->present && !s->gone.load(); });
}

bool dispatcher::wants(std::string_view prefix) const {
  const auto list = all();
  return std::ranges::any_of(*list, [&](const auto& s) {
    const std::string_view pattern = s->pattern;
    const std::string_view literal = pattern.substr(0, pattern.find('*'));
    return literal.size() < pattern.size() ? literal.starts_with(prefix) || prefix.starts_with(literal)
                                           : pattern.starts_with(prefix);
  });
}

void dispatcher::complete() {
  in_turn([this] {
    complete_ = true;
    const auto list = all();
    for (const auto& s : *list) {
      if (!s->active) activate(*s);
    }
  });
}

void dispatcher::in_turn(std::function<void()> action) {
  inbox_.run_in_turn([action = std::move(action)] {
    try {
      action();
    } catch (...) {
      // No memory: a subscriber that did not hear how things are hears what changes.
    }
  });
}

void dispatcher::forget(std::string key) {
  if (forgetting_.load() >= most_forgetting) return;
  forgetting_.fetch_add(1);
  in_turn([this, gone = std::move(key)] {
    forgetting_.fetch_sub(1);
    circuits_.erase(gone);
    known_.store(circuits_.size(), std::memory_order_relaxed);
  });
}

void dispatcher::count_missed(std::uint64_t n, std::string text) noexcept {
  missed_.fetch_add(n, std::memory_order_relaxed);
  notices_->say(bus_notice::kind::missed, n, std::move(text));
}

void dispatcher::run() {
  own_no_lane();
  event_queue::batch batch;
  while (inbox_.wait(batch)) {
    if (batch.dropped() != 0) {
      notices_->say(bus_notice::kind::dropped, batch.dropped(),
                    std::to_string(batch.dropped()) + " events dropped before they reached the handlers, which are too slow");
    }
    batch.for_each([this](const event& e) {
      try {
        handle(e);
      } catch (...) {  // no memory
        lost_.fetch_add(1, std::memory_order_relaxed);
      }
    });
    inbox_.done();
  }
}

void dispatcher::activate(subscriber& s) {
  s.active = true;
  for (const auto& [key, known] : circuits_) {
    topic_ = topic_of(known.now);
    if (!topic_matches(s.pattern, topic_)) continue;
    event now = known.now;
    now.present = true;
    tell(s, topic_, now);
  }
}

/// Nobody: it is a duplicate.
std::optional<dispatcher::audience> dispatcher::audience_of(const event& e) {
  if (!e.present && !is_transition(e.kind)) return audience::all;
  std::string key = circuit_key(e);
  const auto found = circuits_.find(key);
  if (found == circuits_.end()) {
    if (circuits_.size() < most_circuits) {
      circuits_.emplace(std::move(key), circuit{e, e.present ? 0 : e.sequence});
      known_.store(circuits_.size(), std::memory_order_relaxed);
    }
    return e.present ? audience::with_present : audience::all;
  }
  circuit& known = found->second;
  const std::uint64_t last = known.now.sequence;
  if (e.sequence <= (e.present ? last : known.told)) return std::nullopt;
  if (e.sequence <= last) {
    // Its publisher told how the circuit is while this one was still on its way.
    if (e.sequence == last) known.now = e;
    known.told = e.sequence;
    return audience::without_present;
  }
  const std::uint64_t gap = e.sequence - last - (e.present ? 0 : 1);
  if (gap != 0) {
    count_missed(gap, "circuit " + e.service + ": " + std::to_string(gap) + " transitions were missed, between " +
                          std::to_string(last) + " and " + std::to_string(e.sequence));
  }
  known.now = e;
  if (!e.present) known.told = e.sequence;
  return e.present ? audience::with_present : audience::all;
}

void dispatcher::handle(const event& e) {
  const auto who = audience_of(e);
  if (!who) {
    duplicates_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  topic_ = topic_of(e);
  const auto list = all();
  for (const auto& s : *list) {
    const bool meant = *who == audience::all || s->present == (*who == audience::with_present);
    if (s->active && meant && topic_matches(s->pattern, topic_)) tell(*s, topic_, e);
  }
  delivered_.fetch_add(1, std::memory_order_relaxed);
}

void dispatcher::tell(subscriber& s, std::string_view topic, const event& e) {
  bool failed = false;
  std::string why;
  {
    const std::lock_guard running(s.running);
    if (s.gone.load()) return;
    s.thread.store(std::this_thread::get_id());
    try {
      s.call(topic, e);
    } catch (const std::exception& thrown) {
      failed = true;
      why = std::string(": ") + thrown.what();
    } catch (...) {
      failed = true;
    }
    s.thread.store(std::thread::id());
  }
  if (!failed) return;
  // Not while the handler counts as running: who hears the notice may want to end the subscription on another thread.
  handler_errors_.fetch_add(1, std::memory_order_relaxed);
  notices_->say(bus_notice::kind::handler_failed, 1, "a handler for " + s.pattern + " threw" + why);
}

void dispatcher::add_to(bus_metrics& m) const {
  // The parts before the whole, so that they never add up to more.
  m.delivered = delivered_.load(std::memory_order_relaxed);
  m.duplicates = duplicates_.load(std::memory_order_relaxed);
  m.undelivered = inbox_.dropped() + lost_.load(std::memory_order_relaxed);
  m.received = inbox_.pushed();
  m.missed = missed_.load(std::memory_order_relaxed);
  m.handler_errors = handler_errors_.load(std::memory_order_relaxed);
  m.circuits = known_.load(std::memory_order_relaxed);
}

}  // namespace switchgear::inline v1::detail
