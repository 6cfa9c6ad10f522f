// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/detail/dispatcher.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace switchgear::inline v1::kafka {

/// Whether a bus is connected: it can send and, once somebody listens, it reads.
///
/// Thread safety: every function from any thread.
class bus_link {
 public:
  explicit bus_link(std::shared_ptr<detail::notice_board> notices) : notices_(std::move(notices)) {}

  void sending(bool up, const std::string& why) noexcept {
    change([&] { sending_ = up; }, why);
  }
  /// Not connected until reading(true), which is no loss of a connection.
  void wants_reading() noexcept {
    const std::lock_guard lock(mutex_);
    wants_reading_ = true;
    connected_ = connected_ && reading_;
  }
  void reading(bool up, const std::string& why) noexcept {
    change([&] { reading_ = up; }, why);
  }

  void add_to(bus_metrics& m) const {
    const std::lock_guard lock(mutex_);
    m.connected = connected_;
    m.connections = connections_;
  }

 private:
  template <class F>
  void change(F&& f, const std::string& why) noexcept {
    bool now = false;
    const std::lock_guard in_order(telling_);  // who hears a notice may call everything but change()
    {
      const std::lock_guard lock(mutex_);
      f();
      now = sending_ && (!wants_reading_ || reading_);
      if (std::exchange(connected_, now) == now) return;
      if (now) ++connections_;
    }
    notices_->say(now ? bus_notice::kind::connected : bus_notice::kind::disconnected, 1,
                  now ? "connected to Kafka" : "no connection to Kafka: " + why);
  }

  const std::shared_ptr<detail::notice_board> notices_;
  std::mutex telling_;
  mutable std::mutex mutex_;
  bool sending_ = false, reading_ = false, wants_reading_ = false, connected_ = false;
  std::uint64_t connections_ = 0;
};

}  // namespace switchgear::inline v1::kafka
