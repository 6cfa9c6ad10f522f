// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <switchgear/host/state_image.hpp>

#include <algorithm>
#include <cstring>
#include <random>
#include <span>

namespace switchgear::host::tests {
namespace {

class state_image : public state_file_tests {
 protected:
  void SetUp() override {
    state_file file = open();
    trip_by_failures(file);
    host.pass(10s);
    (void)file.acquire();
    good = bytes_of(path_of());
  }
  void write(const std::vector<char>& bytes) {
    std::ofstream(path_of(), std::ios::binary | std::ios::trunc)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  /// Opening and reading refuse it, saying what it is, and leave it as it is.
  void expect_refused(const std::vector<char>& bytes, std::string_view why) {
    write(bytes);
    for (const bool reading : {false, true}) {
      try {
        reading ? (void)view() : (void)open();
        ADD_FAILURE() << "accepted: " << why;
      } catch (const state_error& e) {
        EXPECT_EQ(e.what_kind(), state_error::kind::refused);
        EXPECT_NE(std::string(e.what()).find(why), std::string::npos) << e.what();
        EXPECT_NE(std::string(e.what()).find(path_of().string()), std::string::npos) << e.what();
        EXPECT_NE(std::string(e.what()).find("move or delete it"), std::string::npos) << e.what();
      }
    }
    EXPECT_TRUE(bytes_of(path_of()) == bytes);
  }
  static std::span<std::byte> bytes(std::vector<char>& v) { return std::as_writable_bytes(std::span(v)); }

  std::vector<char> good;
};

TEST_F(state_image, of_a_file_is_accepted) {
  EXPECT_EQ(good.size(), state_image_bytes());
  EXPECT_FALSE(problem_of_image(bytes(good)));
}

TEST_F(state_image, that_is_cut_empty_longer_or_foreign_is_refused_and_left_as_it_is) {
  expect_refused({}, "0 bytes");
  expect_refused({good.begin(), good.begin() + 4096}, "4096 bytes");
  expect_refused({good.begin(), good.end() - 1}, "bytes");
  auto longer = good;
  longer.push_back('x');
  expect_refused(longer, "bytes");
  expect_refused(std::vector<char>(good.size(), 0), "not a state file");
  expect_refused(std::vector<char>(good.size(), 'x'), "not a state file");
}

TEST_F(state_image, of_another_version_or_byte_order_says_so) {
  auto other = good;
  other[16] = 1;  // the one before
  expect_refused(other, "another version");
  other[16] = 3;
  expect_refused(other, "another version");
  other = good;
  std::reverse(other.begin() + 20, other.begin() + 24);
  expect_refused(other, "byte order");
}

TEST_F(state_image, with_any_single_byte_changed_is_refused_or_means_the_same) {
  const auto meaning = to_json(view().snapshot);
  std::mt19937 random(7);
  std::size_t refused = 0;
  for (std::size_t at = 0; at < 50'000; at += at < 3000 ? 7 : 211) {
    auto changed = good;
    changed[at] = static_cast<char>(changed[at] ^ (1 << random() % 8));
    if (problem_of_image(bytes(changed))) {
      ++refused;
      continue;
    }
    write(changed);
    EXPECT_EQ(to_json(view().snapshot), meaning) << "byte " << at;
  }
  EXPECT_GT(refused, 300u);
}

TEST_F(state_image, with_a_damaged_history_is_refused) {
  auto changed = good;
  const std::string reason = "2 consecutive failures";
  const auto last = std::find_end(changed.begin(), changed.end(), reason.begin(), reason.end());
  ASSERT_NE(last, changed.end());
  *last = '3';
  expect_refused(changed, "history is damaged");
}

TEST_F(state_image, made_to_pass_the_checksums_never_hurts_the_machine) {
  std::mt19937_64 random(11);
  int ran = 0;
  for (int i = 0; i < 3000; ++i) {
    auto changed = good;
    for (int k = static_cast<int>(random() % 4); k >= 0; --k) {
      // Mostly in the first words of the two pages, where the machine's block is.
      const std::size_t at = 576 + random() % 2 * 22'912 + random() % (i % 2 == 0 ? 1600 : 22'000);
      const std::uint64_t value = random() % 3 == 0 ? random() : std::uint64_t{1} << random() % 64;
      std::memcpy(changed.data() + at / 8 * 8, &value, 8);
    }
    seal_image(bytes(changed));
    if (!exercise_image(bytes(changed))) continue;
    ++ran;
    // The block is left as the machine leaves it, which is a block that the checks accept.
    seal_image(bytes(changed));
    EXPECT_EQ(problem_of_image(bytes(changed)).value_or(""), "");
  }
  EXPECT_GT(ran, 100);
}

TEST_F(state_image, of_random_bytes_is_refused) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 50; ++i) {
    std::vector<char> noise(state_image_bytes());
    for (char& c : noise) c = static_cast<char>(random());
    std::copy_n(good.begin(), 512, noise.begin());
    seal_image(bytes(noise));
    (void)exercise_image(bytes(noise));
  }
}

}  // namespace
}  // namespace switchgear::host::tests
