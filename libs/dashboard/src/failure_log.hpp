// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/event.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace switchgear::inline v1::detail {

/// One call that failed.
struct recent_failure {
  std::chrono::system_clock::time_point time;
  event_kind kind = event_kind::failure;
  std::string text;
  std::string correlation_id;
};

/// The last failures of each circuit, bounded for each and for all together: the oldest go first. Texts are cut to 1,000 bytes.
///
/// Thread safety: every function from any thread.
class failure_log {
 public:
  explicit failure_log(std::size_t most_of_one = 50, std::size_t most_of_all = 20'000)
      : most_of_one_(most_of_one), most_of_all_(most_of_all) {}

  /// Events that tell of no failure are passed over.
  void add(const event& e);
  void forget(std::string_view name, std::string_view instance);
  /// Newest first.
  [[nodiscard]] std::vector<recent_failure> of(std::string_view name, std::string_view instance) const;
  [[nodiscard]] std::size_t size() const;

 private:
  struct item {
    std::string circuit;
    recent_failure failure;
  };
  using items = std::list<item>;

  const std::size_t most_of_one_, most_of_all_;
  mutable std::mutex mutex_;
  items all_;  ///< oldest first
  std::unordered_map<std::string, std::deque<items::iterator>> circuits_;
};

}  // namespace switchgear::inline v1::detail
