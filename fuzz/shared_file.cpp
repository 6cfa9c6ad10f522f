// SPDX-License-Identifier: Apache-2.0
//
// Input: what to change in a real file of shared circuits. A file has some 350 KiB, which is more than a fuzzer can get to
// know, so the input is small: one byte that chooses among real files, then changes of ten bytes each, a word's number (2)
// and what the word becomes (8). A first byte of 0xff: the rest is the file.
#include "fuzz.hpp"

#include <switchgear/host/shared_circuits.hpp>
#include <switchgear/host/shared_image.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include <stdlib.h>

namespace sg = switchgear;
using namespace std::chrono_literals;
using bytes = std::vector<char>;

namespace {

/// A file with one circuit after some calls (s is a success, f a failure, X never ends) and one that was removed.
bytes made_by(const sg::host::state_folder& folder, const std::string& name, const sg::config& c, std::string_view calls) {
  sg::testing::manual_clock clock(1s);
  const auto source = [&clock] {
    return sg::host::moment{.since_boot = clock.now().count(), .wall = 1'700'000'000'000'000'000 + clock.now().count()};
  };
  const sg::host::shared_options sizes{.max_circuits = 2, .max_processes = 1, .lanes_per_process = 1};
  const auto shared = sg::host::shared_circuits::open(folder, name, sizes, source);
  (void)shared->breaker("gone", {}, {}, clock);
  shared->remove("gone");
  const auto breaker = shared->breaker("payments", c, {}, clock);
  std::vector<sg::permit> lost;
  for (const char call : calls) {
    clock.advance(700ms);
    sg::permit p = breaker->try_acquire();
    if (!p) continue;
    if (call == 'X') {
      lost.push_back(std::move(p));
    } else if (call == 'f') {
      p.failure("exit status 1");
    } else {
      p.success();
    }
  }
  std::ifstream in(shared->path(), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<bytes> make_files() {
  std::string pattern = (std::filesystem::temp_directory_path() / "switchgear-fuzz-XXXXXX").string();
  sg::fuzz::require(::mkdtemp(pattern.data()) != nullptr, "a folder can be made");
  std::vector<bytes> files;
  {
    const auto folder = sg::host::state_folder::open_or_create(pattern);
    const sg::config counting{.window = sg::calls(20), .failure_rate_threshold = 0.9};
    const sg::config timed{.window = sg::last(10s), .failure_count_threshold = 9};
    const sg::config opening{.failure_threshold = 2, .open_duration = 1h};
    const sg::config probing{.failure_threshold = 1, .open_duration = 1s, .half_open_max_calls = 3, .success_threshold = 9};
    files.push_back(made_by(folder, "a", counting, "sfsfsX"));
    files.push_back(made_by(folder, "b", timed, "sfsfsX"));
    files.push_back(made_by(folder, "c", opening, "sXff"));
    files.push_back(made_by(folder, "d", probing, "fsssXsX"));
  }
  std::filesystem::remove_all(pattern);
  for (const bytes& file : files) {
    sg::fuzz::require(!sg::host::problem_of_shared_image(std::as_bytes(std::span(file))), "a real file is accepted");
  }
  return files;
}

void check(std::span<std::byte> image) {
  const bool accepted = !sg::host::problem_of_shared_image(image);
  sg::fuzz::require(sg::host::exercise_shared_image(image) == accepted, "the machine runs on what is accepted, only on that");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<bytes> files = make_files();
  if (size == 0) return 0;
  if (data[0] == 0xff) {
    bytes image(data + 1, data + size);
    check(std::as_writable_bytes(std::span(image)));
    return 0;
  }
  bytes image = files[data[0] % files.size()];
  const auto changed = std::as_writable_bytes(std::span(image));
  for (std::size_t at = 1; at + 10 <= size; at += 10) {
    std::uint16_t word = 0;
    std::memcpy(&word, data + at, sizeof word);
    std::memcpy(image.data() + word % (image.size() / 8) * 8, data + at + 2, 8);
  }
  check(changed);
  sg::host::seal_shared_image(changed);
  check(changed);
  return 0;
}
