// SPDX-License-Identifier: Apache-2.0
#include "redis_bus_link.hpp"

#include <switchgear/detail/validation.hpp>
#include <switchgear/event_reader.hpp>
#include <switchgear/redis/client.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace switchgear::inline v1::detail {
namespace {

using namespace std::chrono_literals;

redis_bus_options checked(redis_bus_options o) {
  require_no(o.validate());
  check(o.queues);
  return o;
}

std::string source_of_this_process() {
  event e;
  e.kind = event_kind::closed;
  e.service = "any";
  const event_reading read = read_event(to_json(completed(e)));
  return read ? read.value->source : std::string();
}

}  // namespace

redis_bus_shared::redis_bus_shared(redis_bus_options o)
    : options(checked(std::move(o))),
      source(options.clock == nullptr ? steady_clock() : *options.clock),
      target(redis::target_of(options.server)),
      names(options),
      process(source_of_this_process()),
      guard(target, options.breaker, redis::rules(), source),
      notices(std::make_shared<notice_board>(options.queues.on_notice)),
      receivers(std::make_shared<dispatcher>(options.queues, notices, false)) {}

std::string redis_bus_shared::position() const {
  const std::lock_guard lock(mutex_);
  return position_;
}

void redis_bus_shared::set_position(std::string entry) {
  const std::lock_guard lock(mutex_);
  position_ = std::move(entry);
}

redis_waker::redis_waker() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) throw std::system_error(errno, std::system_category(), "eventfd");
}

redis_waker::~redis_waker() { ::close(fd_); }

void redis_waker::wake() noexcept {
  const std::uint64_t one = 1;
  // It fails only when it is full, and then it is readable.
  if (::write(fd_, &one, sizeof one) < 0) return;
}

void redis_waker::forget() noexcept {
  std::uint64_t count = 0;
  if (::read(fd_, &count, sizeof count) < 0) return;
}

void redis_waker::sleep(clock& source, std::optional<std::chrono::nanoseconds> at_most) {
  std::optional<clock::timer> timer;
  if (at_most) timer = source.call_at(source.now() + *at_most, [self = shared_from_this()] { self->wake(); });
  pollfd watched{fd_, POLLIN, 0};
  while (::poll(&watched, 1, -1) < 0 && errno == EINTR) {
  }
  if (timer) source.cancel(*timer);
  forget();
}

redis_pulse::redis_pulse(clock& source, std::chrono::nanoseconds period, std::function<void()> wake)
    : source_(source), period_(period), state_(std::make_shared<state>()) {
  state_->wake = std::move(wake);
}

redis_pulse::~redis_pulse() {
  if (armed_) source_.cancel(timer_);
}

void redis_pulse::arm() {
  if (armed_) source_.cancel(timer_);
  state_->due.store(false);
  timer_ = source_.call_at(source_.now() + period_, [state = state_] {
    state->due.store(true);
    state->wake();
  });
  armed_ = true;
}

bool redis_pulse::is_due() {
  if (!state_->due.load()) return false;
  arm();
  return true;
}

redis_link::redis_link(const redis::options& o, redis_waker& waker, const std::atomic<bool>& stop)
    : waker_(waker), stop_(stop), timeout_(o.timeout == 0ns ? a_day : o.timeout), connection_(open(o, waker, stop)) {}

redis::connection redis_link::open(const redis::options& o, redis_waker& waker, const std::atomic<bool>& stop) {
  for (;;) {
    if (stop.load()) throw redis_interrupted();
    if (auto made = redis::connection::open(o, waker.descriptor())) return std::move(*made);
    waker.forget();
  }
}

redis::reply redis_link::receive() {
  const auto until = std::chrono::steady_clock::now() + timeout_;
  for (;;) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= 0ns) throw redis::io_timeout("no answer within " + format_duration(timeout_));
    if (auto got = poll(left)) return std::move(*got);
  }
}

redis::reply redis_link::ask(std::span<const std::string_view> words) {
  send(words);
  redis::reply got = receive();
  if (got.is_error()) throw redis::describe_error(got, words[0]);
  return got;
}

std::optional<redis::reply> redis_link::poll(std::chrono::nanoseconds at_most) {
  if (stop_.load()) throw redis_interrupted();
  auto got = connection_.poll(at_most, waker_.descriptor());
  if (!got) waker_.forget();
  return got;
}

void redis_reconnecting::connected() {
  told_.clear();
  connected_.store(true, std::memory_order_relaxed);
  shared_.connections.fetch_add(1, std::memory_order_relaxed);
  shared_.notices->say(bus_notice::kind::connected, 1, "connected to " + shared_.target + " for " + purpose_);
}

void redis_reconnecting::works() noexcept {
  attempt_ = 0;
  previous_ = 0ns;
}

void redis_reconnecting::lost(const std::string& why) {
  connected_.store(false, std::memory_order_relaxed);
  if (why != told_) {
    told_ = why;
    shared_.notices->say(bus_notice::kind::disconnected, 1,
                         "no connection to " + shared_.target + " for " + purpose_ + ": " + why);
  }
  if (attempt_ < 1000) ++attempt_;
  previous_ = shared_.options.reconnect.delay(attempt_, previous_);
  waker_.sleep(shared_.source, previous_);
}

void redis_reconnecting::rejected(const circuit_open_error& why) {
  // Without a time an operator has to end it, and who else is probing may end it any moment.
  const auto after = why.retry_after();
  waker_.sleep(shared_.source, after && *after > 0ns ? *after : std::max<std::chrono::nanoseconds>(
                                                                    shared_.options.reconnect.longest(1), 1ms));
}

}  // namespace switchgear::inline v1::detail
