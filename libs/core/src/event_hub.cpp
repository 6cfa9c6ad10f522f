// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/event_hub.hpp>
#include <switchgear/detail/exceptions.hpp>
#include <switchgear/detail/library_thread.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/machine/describe.hpp>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <utility>
#include <variant>

namespace switchgear::inline v1::detail {
namespace {

/// How many events may wait, for their turn or for an observer.
constexpr std::size_t most_waiting = 1024;

/// Bounded; one thread takes from it. Starts with the first event of the process. When it is full, the last transition of each
/// breaker is kept aside and comes behind all others, so that in the end observers know how every breaker is.
class event_queue {
 public:
  event_queue() : slots_(most_waiting), thread_([this] { run(); }) {}
  /// Delivers what waits and ends the thread; what comes afterwards is dropped.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  using item = std::variant<event_record, std::function<void()>>;

  void push(item next) {
    item displaced;  // destroyed outside the lock
    {
      const std::lock_guard lock(mutex_);
      const event_record* const record = std::get_if<event_record>(&next);
      const bool lasting = record != nullptr && is_transition(record->kind);
      const bool full = queued_ - taken_ == slots_.size();
      if (stopping_ || (full && !lasting)) {
        dropped_.fetch_add(1, std::memory_order_relaxed);
        return;
      }
      // Once something of a breaker is aside, all its further transitions go there too.
      if (lasting && (full || (!aside_.empty() && aside_.contains(record->hub.get())))) {
        event_hub* const hub = record->hub.get();
        const auto [place, fresh] = aside_.try_emplace(hub);
        if (!fresh) dropped_.fetch_add(1, std::memory_order_relaxed);
        displaced = std::exchange(place->second, std::move(next));
      } else {
        slots_[queued_++ % slots_.size()] = std::move(next);
      }
    }
    wake_.notify_all();
  }

  void drain() {
    if (std::this_thread::get_id() == thread_.get_id()) return;
    std::unique_lock lock(mutex_);
    const std::uint64_t all = queued_;
    delivered_all_.wait(lock, [&] { return delivered_ >= all && aside_.empty() && !delivering_aside_; });
  }

  static inline std::atomic<std::uint64_t> dropped_{0};

 private:
  void run() {
    own_no_lane();
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return stopping_ || taken_ < queued_ || !aside_.empty(); });
      if (taken_ == queued_ && aside_.empty()) return;
      if (taken_ == queued_) {
        deliver_aside(lock);
        continue;
      }
      item next = std::exchange(slots_[taken_++ % slots_.size()], std::function<void()>());
      lock.unlock();
      if (const event_record* record = std::get_if<event_record>(&next)) {
        record->hub->deliver(*record);
      } else {
        std::get<std::function<void()>>(next)();
      }
      next = std::function<void()>();  // what it holds may be the last owner of something: not under the lock
      lock.lock();
      ++delivered_;
      delivered_all_.notify_all();
    }
  }

  void deliver_aside(std::unique_lock<std::mutex>& lock) {
    auto kept = std::exchange(aside_, {});
    delivering_aside_ = true;
    lock.unlock();
    for (auto& [hub, record] : kept) hub->deliver(std::get<event_record>(record));
    kept.clear();
    lock.lock();
    delivering_aside_ = false;
    delivered_all_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable delivered_all_;
  std::vector<item> slots_;
  std::uint64_t queued_ = 0, taken_ = 0, delivered_ = 0;
  bool stopping_ = false;
  bool delivering_aside_ = false;
  std::map<event_hub*, item> aside_;  ///< the records keep the hubs alive
  std::thread thread_;
};

event_queue& queue() {
  // As steady_clock(): the object for ever, its thread not.
  static event_queue& instance = *new event_queue;
  static const struct ending {
    ~ending() { instance.stop(); }
  } at_the_end;
  return instance;
}

event make_event(const event_record& r, const event_hub& hub, const std::string& service) {
  event e;
  e.kind = r.kind;
  e.service = service;
  e.state = r.state;
  e.previous_state = r.previous_state;
  e.failure_count = r.failure_count;
  e.last_failure = r.last_failure;
  e.generation = e.sequence = r.generation;
  e.correlation_id = r.correlation_id.data();
  if (r.retry_after >= 0) e.retry_after = std::chrono::nanoseconds(r.retry_after);
  e.shadow = r.shadow;
  e.time = r.time;
  e.id = make_uuid();
  e.instance = hub.instance();
  if (is_transition(r.kind)) {
    e.reason = machine::describe(r.change, r.text ? std::string_view(*r.text) : std::string_view());
  } else {
    e.reason = r.text ? *r.text : std::string(r.failure_text.data());
  }
  return e;
}

/// 64 bits of a UUID, in hexadecimal.
std::string make_instance() {
  std::string text = make_uuid();
  std::erase(text, '-');
  return text.substr(16);
}

}  // namespace

event_kind kind_of(const machine::transition& t) noexcept {
  if (t.trigger == machine::trigger::reset) return event_kind::reset;
  switch (t.to) {
    case state::closed: return event_kind::closed;
    case state::open: return event_kind::opened;
    case state::half_open: return event_kind::half_open;
    case state::forced_open: return event_kind::forced_open;
    case state::disabled: return event_kind::disabled;
  }
  return event_kind::closed;
}

event_hub::event_hub(std::string service, bool in_order)
    : service_(std::move(service)), instance_(make_instance()), in_order_(in_order) {}

subscription event_hub::subscribe(handler h, std::uint64_t generation, event_filter filter) {
  queue();  // started before the handler's owner, so that it ends after it
  auto added = std::make_shared<subscriber>();
  added->call = std::move(h);
  added->filter = filter;
  {
    const std::lock_guard lock(mutex_);
    if (subscribers_.empty()) {
      before_ = std::max(before_, generation);
      next_ = before_ + 1;
      early_.clear();
    }
    subscribers_.push_back(added);
    count_observers();
  }
  return subscription([self = shared_from_this(), added] { self->end(added); });
}

void event_hub::end(const std::shared_ptr<subscriber>& s) {
  waiting unheard;  // destroyed outside the lock
  {
    const std::lock_guard lock(mutex_);
    std::erase(subscribers_, s);
    count_observers();
    // What waits for its turn keeps this hub alive; with nobody left to tell, its turn never comes.
    if (subscribers_.empty()) early_.swap(unheard);
  }
  s->gone.store(true);
  if (s->thread.load() != std::this_thread::get_id()) const std::lock_guard wait(s->running);
}

void event_hub::count_observers() {
  event_filter widest = event_filter::transitions;
  for (const auto& s : subscribers_) widest = std::max(widest, s->filter);
  widest_.store(widest, std::memory_order_relaxed);
  observers_.store(static_cast<std::uint32_t>(subscribers_.size()), std::memory_order_relaxed);
}

void event_hub::resume_after(std::uint64_t generation) {
  const std::lock_guard lock(mutex_);
  before_ = generation;
  next_ = generation + 1;
}

void event_hub::publish(event_record record) {
  const std::lock_guard lock(mutex_);
  if (subscribers_.empty()) {
    // Whoever subscribes next may have looked at the generation before this transition.
    if (is_transition(record.kind)) before_ = std::max(before_, record.generation);
    return;
  }
  if (is_transition(record.kind) && record.generation <= before_) return;  // older than the first observer
  record.hub = shared_from_this();
  if (!in_order_) {
    queue().push(std::move(record));
    return;
  }
  const auto ready = [this](const event_record& r) {
    return is_transition(r.kind) ? r.generation <= next_ : r.generation < next_;
  };
  const auto queue_one = [this](event_record&& r) {
    if (is_transition(r.kind) && r.generation == next_) ++next_;
    queue().push(std::move(r));
  };
  if (ready(record)) {
    queue_one(std::move(record));
  } else if (is_transition(record.kind) || early_.size() < most_waiting) {
    // Its thread was faster than the one that tells of an earlier transition.
    const std::pair key{record.generation, !is_transition(record.kind)};
    early_.emplace(key, std::move(record));
  } else {
    event_queue::dropped_.fetch_add(1, std::memory_order_relaxed);
  }
  while (!early_.empty()) {
    const auto next = early_.begin();
    if (!ready(next->second)) {
      // The missing transition comes when its thread runs again. Only memory sets a limit to that.
      if (early_.size() < 4 * most_waiting) return;
      next_ = next->first.first + (next->first.second ? 1 : 0);
    }
    queue_one(std::move(next->second));
    early_.erase(next);
  }
}

void event_hub::deliver(const event_record& record) {
  std::vector<std::shared_ptr<subscriber>> all;
  {
    const std::lock_guard lock(mutex_);
    all = subscribers_;
  }
  const event e = make_event(record, *this, service_);
  for (const auto& s : all) {
    if (s->filter < filter_of(record.kind)) continue;
    const std::lock_guard running(s->running);
    if (s->gone.load()) continue;
    s->thread.store(std::this_thread::get_id());
#if SWITCHGEAR_HAS_EXCEPTIONS
    try {
      s->call(e);
    } catch (...) {
      // A handler that throws changes nothing, for the circuit or for the other handlers.
    }
#else
    s->call(e);
#endif
    s->thread.store(std::thread::id());
  }
}

void start_event_delivery() { queue(); }

void deliver_later(std::function<void()> action) { queue().push(std::move(action)); }

}  // namespace switchgear::inline v1::detail

namespace switchgear::inline v1 {

void drain_events() { detail::queue().drain(); }
std::uint64_t dropped_events() noexcept { return detail::event_queue::dropped_.load(std::memory_order_relaxed); }

}  // namespace switchgear::inline v1
