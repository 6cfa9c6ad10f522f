// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/waiting.hpp>

namespace switchgear::inline v1::detail {

bool waiting_room::shared::finish(reason r) {
  {
    const std::lock_guard lock(mutex);
    if (why) return false;
    why = r;
  }
  changed.notify_one();
  return true;
}

waiting_room::reason waiting_room::wait(std::optional<std::chrono::nanoseconds> deadline, const std::stop_token& stop) {
  const std::stop_callback on_stop(stop, [s = shared_] { s->finish(reason::stopped); });
  std::optional<armed_timer> timer;
  if (deadline) timer.emplace(clock_, *deadline, [s = shared_] { s->finish(reason::deadline); });
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait(lock, [this] { return shared_->why.has_value(); });
  return *shared_->why;
}

bool sleep_until(clock& source, std::chrono::nanoseconds deadline, const std::stop_token& stop) {
  if (stop.stop_requested()) return false;
  return waiting_room(source).wait(deadline, stop) == waiting_room::reason::deadline;
}

}  // namespace switchgear::inline v1::detail
