// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../assets.hpp"
#include "access.hpp"
#include "stream_queue.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace switchgear::inline v1::detail {

/// The file of a path; null when there is none. The server's is find_asset.
using find_file = const asset* (*)(std::string_view path) noexcept;

/// Written by the server's thread, read by any.
struct web_counters {
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> turned_away{0};
  std::atomic<std::uint64_t> slow_clients{0};
  std::atomic<std::size_t> open_connections{0};
  std::atomic<std::size_t> watching{0};
};

struct web_options {
  access_rules access;
  find_file find = nullptr;
  std::size_t max_connections = 1'024;
  std::chrono::nanoseconds client_timeout = std::chrono::seconds(10);
  stream_limits streams{};
  std::function<void(const std::string&)> on_notice{};
};

}  // namespace switchgear::inline v1::detail
