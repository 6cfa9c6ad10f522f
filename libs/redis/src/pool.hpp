// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wake_event.hpp"

#include <switchgear/redis/client.hpp>
#include <switchgear/redis/connection.hpp>

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

namespace switchgear::inline v1::redis::detail {

/// Connections, so many at most. Thread safety: every function from any thread; the lock is held for taking and giving back
/// alone.
class pool {
 public:
  /// A place for one connection. `peer` is empty until it is opened, and after it broke.
  struct line {
    std::optional<connection> peer;
    wake_event wake;
  };
  /// A line that is out. Giving it back without keep() closes its connection.
  class lease {
   public:
    lease(pool& owner, std::unique_ptr<line> l) noexcept : owner_(&owner), line_(std::move(l)) {}
    lease(lease&&) noexcept = default;
    lease& operator=(lease&&) = delete;
    ~lease() {
      if (line_) owner_->give_back(std::move(line_), keep_);
    }
    [[nodiscard]] line& operator*() const noexcept { return *line_; }
    void keep() noexcept { keep_ = true; }

   private:
    pool* owner_;
    std::unique_ptr<line> line_;
    bool keep_ = false;
  };

  pool(std::string target, std::size_t most, std::chrono::nanoseconds patience);

  /// A free line; one whose connection died while it was idle comes without. Throws no_connection_free, cancelled_error,
  /// io_error.
  [[nodiscard]] lease take(const std::stop_token& stop);
  [[nodiscard]] client::pool_state state() const;

 private:
  [[nodiscard]] std::unique_ptr<line> take_line(const std::stop_token& stop);
  void give_back(std::unique_ptr<line> l, bool keep) noexcept;

  const std::string target_;
  const std::size_t most_;
  const std::chrono::nanoseconds patience_;
  mutable std::mutex mutex_;
  std::condition_variable_any freed_;
  std::vector<std::unique_ptr<line>> idle_;  ///< the one used last is last
  std::size_t out_ = 0;
};

}  // namespace switchgear::inline v1::redis::detail
