// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "session.hpp"

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <stop_token>
#include <utility>
#include <vector>

namespace switchgear::inline v1::postgres::detail {

/// The connections of one client. Thread-safe; the lock is held for borrowing and giving back alone.
class pool {
 public:
  explicit pool(const options& o);

  /// A session that one caller has for himself. Goes back when this is destroyed, or is closed when it cannot be reused.
  class lease {
   public:
    lease(pool& from, std::unique_ptr<session> s) noexcept : from_(&from), session_(std::move(s)) {}
    lease(const lease&) = delete;
    lease& operator=(const lease&) = delete;
    ~lease() { from_->give_back(std::move(session_)); }
    session& operator*() const noexcept { return *session_; }

   private:
    pool* from_;
    std::unique_ptr<session> session_;
  };

  /// A connection that was open, or a new one. Throws rejected_error when none is free in time, and what session's constructor
  /// throws.
  [[nodiscard]] lease borrow(const std::stop_token& stop);

  [[nodiscard]] const std::string& target() const noexcept { return settings_.target; }
  [[nodiscard]] std::size_t open() const;

 private:
  /// The newest idle one, or null: then the caller may open one.
  std::unique_ptr<session> wait_for_place(const std::stop_token& stop);
  void give_back(std::unique_ptr<session> s) noexcept;

  const settings settings_;
  const std::chrono::nanoseconds connect_timeout_, wait_;
  const std::size_t most_;
  mutable std::mutex mutex_;
  std::condition_variable_any free_;
  std::vector<std::unique_ptr<session>> idle_;
  std::size_t used_ = 0;  ///< borrowed, or being opened
};

}  // namespace switchgear::inline v1::postgres::detail
