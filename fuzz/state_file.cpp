// SPDX-License-Identifier: Apache-2.0
//
// Input: what to change in a real state file. A file has some 370 KiB, which is more than a fuzzer can get to know, so
// the input is small: one byte that chooses among real files, then changes of ten bytes each, a word's number (2) and
// what the word becomes (8). A first byte of 0xff: the rest is the file.
#include "fuzz.hpp"

#include <switchgear/host/state_file.hpp>
#include <switchgear/host/state_image.hpp>

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

/// A state file after some calls: s is a success, f a failure, X never ends.
bytes made_by(const sg::host::state_folder& folder, const std::string& name, const sg::config& c,
              std::string_view calls) {
  sg::host::moment now{.since_boot = 1'000'000'000, .wall = 1'700'000'000'000'000'000};
  auto file = sg::host::state_file::open_or_create(folder, name, c, [&now] { return now; });
  for (const char call : calls) {
    now.since_boot += 700'000'000;
    now.wall += 700'000'000;
    const auto asked = file.acquire();
    if (asked.admitted() && call != 'X') {
      file.settle(asked.permit, call == 'f' ? sg::verdict::failure : sg::verdict::success, "exit status 1");
    }
  }
  std::ifstream in(folder.path() / folder.files().back(), std::ios::binary);
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
    const sg::config probing{
        .failure_threshold = 1, .open_duration = 1s, .half_open_max_calls = 3, .success_threshold = 9};
    files.push_back(made_by(folder, "a count window", counting, "sfsfsX"));
    files.push_back(made_by(folder, "b time window", timed, "sfsfsX"));
    files.push_back(made_by(folder, "c open", opening, "sXff"));
    files.push_back(made_by(folder, "d half open", probing, "fsssXsX"));
  }
  std::filesystem::remove_all(pattern);
  for (const bytes& file : files) {
    sg::fuzz::require(!sg::host::problem_of_image(std::as_bytes(std::span(file))), "a real file is accepted");
  }
  return files;
}

void check(std::span<std::byte> image) {
  const bool accepted = !sg::host::problem_of_image(image);
  sg::fuzz::require(sg::host::exercise_image(image) == accepted, "the machine runs on what is accepted, only on that");
  if (!accepted) return;
  sg::host::seal_image(image);
  sg::fuzz::require(!sg::host::problem_of_image(image), "what the machine leaves is accepted again");
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
  const auto changes = std::as_writable_bytes(std::span(image));
  for (std::size_t at = 1; at + 10 <= size; at += 10) {
    std::uint16_t word = 0;
    std::memcpy(&word, data + at, sizeof word);
    std::memcpy(image.data() + word % (image.size() / 8) * 8, data + at + 2, 8);
  }
  (void)sg::host::problem_of_image(changes);
  sg::host::seal_image(changes);
  check(changes);
  return 0;
}
