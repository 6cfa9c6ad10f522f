// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the registry have in common.

#include <switchgear/registry.hpp>
#include <switchgear/testing/breakers.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace registries {

namespace sg = switchgear;
using namespace std::chrono_literals;
using sg::testing::fail_times;
using sg::testing::manual_clock;
using sg::testing::small_config;
using sg::testing::succeed_times;

/// Options that do not look at the environment of the test program.
[[nodiscard]] inline sg::registry_options quiet(sg::registry_options options = {}) {
  if (!options.environment) options.environment = sg::variables{};
  return options;
}

[[nodiscard]] inline std::vector<std::string> keys_of(const std::vector<sg::problem>& problems) {
  std::vector<std::string> out;
  for (const sg::problem& p : problems) out.push_back(p.key);
  return out;
}

/// The keys with problems when `f` throws config_error; `nothing was thrown` when it does not.
template <class F>
[[nodiscard]] std::vector<std::string> refused(F&& f) {
  try {
    f();
  } catch (const sg::config_error& e) {
    return keys_of(e.problems());
  }
  return {"nothing was thrown"};
}

inline void open(sg::breaker_handle h) {
  while (!h->is_open()) fail_times(h, 1);
}

/// Waits for something that another thread will do. A test in which that never happens fails rather than hangs.
template <class F>
void until(F&& condition) {
  const auto limit = std::chrono::steady_clock::now() + 100s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) {
      ADD_FAILURE() << "what was waited for has not happened";
      return;
    }
    std::this_thread::yield();
  }
}

/// Everything that a registry tells of itself.
inline void look_at_all(const sg::registry& circuits) {
  (void)circuits.names();
  (void)circuits.snapshots();
  (void)circuits.open_circuits();
  (void)circuits.reports();
  (void)circuits.metrics();
  (void)circuits.size();
  circuits.for_each([](sg::circuit_breaker& b) { (void)b.snapshot(); });
}

/// A folder of a test's own.
class folder {
 public:
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "switchgear-registry-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() { std::filesystem::remove_all(path_); }

  [[nodiscard]] std::string operator/(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// Writes in place.
inline void write(const std::string& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

/// Writes a new file and renames it, as editors do.
inline void replace(const std::string& path, std::string_view text) {
  write(path + ".new", text);
  std::filesystem::rename(path + ".new", path);
}

}  // namespace registries
