// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/host/file_name.hpp>
#include <switchgear/host/state_file.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace switchgear::host::tests {

using namespace std::chrono_literals;

/// A folder of its own that goes away with the test.
class temporary_folder {
 public:
  temporary_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "switchgear-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A host whose clocks stand still until the test moves them.
struct test_host {
  std::shared_ptr<moment> at = std::make_shared<moment>(moment{{1}, 1'000'000'000'000, 1'700'000'000'000'000'000});

  [[nodiscard]] clock_source clock() const {
    return [at = at] { return *at; };
  }
  void pass(std::chrono::nanoseconds d) const {
    at->since_boot += d.count();
    at->wall += d.count();
  }
  /// The host is down for `down` by the wall clock, and the new boot has lasted `up` when we look.
  void reboot(std::chrono::nanoseconds down, std::chrono::nanoseconds up) const {
    ++at->boot[0];
    at->wall += (down + up).count();
    at->since_boot = up.count();
  }
};

class state_file_tests : public ::testing::Test {
 protected:
  state_file open(const config& initial = two_failures(), std::string_view name = "backup") {
    return state_file::open_or_create(folder, name, initial, host.clock());
  }
  circuit_view view(std::string_view name = "backup") { return read_circuit(folder, file_name_of(name), host.clock()); }
  state state_of(std::string_view name = "backup") { return view(name).snapshot.state; }

  static config two_failures() {
    config c;
    c.failure_threshold = 2;
    c.open_duration = 10s;
    c.success_threshold = 1;
    return c;
  }
  static void call(state_file& file, verdict v) {
    const admission a = file.acquire();
    ASSERT_TRUE(a.admitted());
    file.settle(a.permit, v, "exit status 1");
  }
  static void trip_by_failures(state_file& file) {
    call(file, verdict::failure);
    call(file, verdict::failure);
  }
  [[nodiscard]] std::filesystem::path path_of(std::string_view name = "backup") const {
    return folder.path() / file_name_of(name);
  }
  [[nodiscard]] std::vector<char> bytes_of(const std::filesystem::path& path) const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  temporary_folder temporary;
  state_folder folder = state_folder::open_or_create(temporary.path() / "state");
  test_host host;
};

}  // namespace switchgear::host::tests
