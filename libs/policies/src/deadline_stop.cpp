// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/deadline_stop.hpp>

namespace switchgear::inline v1::detail {

void deadline_stop::shared::ask(first f, call_fate why) noexcept {
  first expected = first::nobody;
  if (!who.compare_exchange_strong(expected, f)) {
    // After the deadline the caller may still lose interest altogether; the other way round nothing changes.
    if (f == first::caller && why == call_fate::lost) fate.store(why);
    return;
  }
  fate.store(why);  // before the request: who is woken by it knows already what for
  stop.request_stop();
}

void deadline_stop::ask_by_caller::operator()() const noexcept {
  target->ask(first::caller, fate == nullptr ? call_fate::wanted : fate->load());
}

deadline_stop::deadline_stop(clock& source, std::chrono::nanoseconds deadline, const execution& caller)
    : shared_(std::make_shared<shared>()), on_caller_(caller.stop, ask_by_caller{shared_.get(), caller.fate}) {
  if (shared_->who.load() == first::nobody) {
    timer_.emplace(source, deadline, [s = shared_] { s->ask(first::deadline, call_fate::timed_out); });
  }
}

deadline_stop::deadline_stop(const std::stop_token& limit, const execution& caller)
    : shared_(std::make_shared<shared>()), on_caller_(caller.stop, ask_by_caller{shared_.get(), caller.fate}) {
  on_limit_.emplace(limit, ask_by_limit{shared_.get()});
}

deadline_stop::first deadline_stop::decide(bool late) const noexcept {
  const first f = shared_->who.load();
  return f == first::nobody && late ? first::nobody_but_late : f;
}

}  // namespace switchgear::inline v1::detail
