// SPDX-License-Identifier: Apache-2.0
#include "shared_fixture.hpp"

#include <switchgear/host/shared_image.hpp>

#include <cstring>
#include <fstream>
#include <span>
#include <sys/stat.h>

namespace switchgear::host::tests {
namespace {

class shared_file_tests : public shared_tests {
 protected:
  void make() {
    const auto shared = open();
    const auto b = breaker(*shared);
    fail(*b, 2);
  }
  [[nodiscard]] std::vector<char> bytes(std::size_t most) const {
    std::vector<char> out(most);
    std::ifstream(path(), std::ios::binary).read(out.data(), static_cast<std::streamsize>(most));
    return out;
  }
  void put(std::uint64_t at, const void* from, std::size_t size) {
    std::fstream out(path(), std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(at));
    out.write(static_cast<const char*>(from), static_cast<std::streamsize>(size));
  }
  /// Opening and reading refuse it, saying why.
  void expect_refused(std::string_view why) {
    const state_error opened = error_of([&] { open(); });
    EXPECT_EQ(opened.what_kind(), state_error::kind::refused) << opened.what();
    EXPECT_NE(std::string(opened.what()).find(why), std::string::npos) << opened.what();
    const state_error read = error_of([&] { (void)read_shared_circuits(folder, shared_file_name_of("shop"), source()); });
    EXPECT_EQ(read.what_kind(), state_error::kind::refused) << read.what();
    EXPECT_NE(std::string(read.what()).find(why), std::string::npos) << read.what();
  }
};

TEST_F(shared_file_tests, is_private_and_has_its_whole_length_but_not_yet_the_room_of_its_circuits) {
  const auto shared = open(shared_options{});
  struct stat info{};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(static_cast<std::uint64_t>(info.st_size), shared_places(shared_options{}).file_bytes());
  EXPECT_LT(info.st_blocks * 512, 1'000'000);
  const auto b = breaker(*shared);
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_GE(info.st_blocks * 512, static_cast<blkcnt_t>(shared_places(shared_options{}).window_at(1)));
  EXPECT_LT(info.st_blocks * 512, 1'000'000);
}

TEST_F(shared_file_tests, has_the_size_that_is_documented) {
  for (const shared_options o : {shared_options{}, small, shared_options{1, 1, 1}, shared_options{7, 512, 16}}) {
    const std::uint64_t lanes = o.max_processes * o.lanes_per_process;
    const std::uint64_t window = 8 * std::max<std::uint64_t>(4104, 192 + 72 * lanes);
    const auto pages = [](std::uint64_t n) { return (n + 4095) / 4096 * 4096; };
    EXPECT_EQ(shared_places(o).window_at(1), 38'272 + 64 * lanes + window) << lanes;
    EXPECT_EQ(shared_places(o).record_bytes(), pages(38'272 + 64 * lanes + 4 * window)) << lanes;
    EXPECT_EQ(shared_places(o).file_bytes(),
              pages(4096 + 64 * o.max_processes + 512 * o.max_circuits) + o.max_circuits * shared_places(o).record_bytes());
  }
}

TEST_F(shared_file_tests, with_any_byte_of_its_header_changed_is_refused) {
  make();
  const std::vector<char> good = bytes(sizeof(shared_header));
  for (std::size_t at = 0; at < offsetof(shared_header, boot); ++at) {
    const char changed = static_cast<char>(good[at] ^ 0x41);
    put(at, &changed, 1);
    EXPECT_EQ(error_of([&] { open(); }).what_kind(), state_error::kind::refused) << at;
    put(at, &good[at], 1);
  }
  for (std::size_t at = offsetof(shared_header, unused_too); at < sizeof(shared_header); at += 97) {
    const char changed = 1;
    put(at, &changed, 1);
    EXPECT_EQ(error_of([&] { open(); }).what_kind(), state_error::kind::refused) << at;
    put(at, &good[at], 1);
  }
  EXPECT_NO_THROW(open());
}

TEST_F(shared_file_tests, whose_clock_is_damaged_is_refused) {
  make();
  const std::vector<char> good = bytes(sizeof(shared_header));
  for (std::size_t at = offsetof(shared_header, origin); at < offsetof(shared_header, seen); ++at) {
    const char changed = static_cast<char>(good[at] ^ 0x41);
    put(at, &changed, 1);
    const state_error e = error_of([&] { open(); });
    EXPECT_EQ(e.what_kind(), state_error::kind::refused) << at;
    EXPECT_NE(std::string(e.what()).find("clock is damaged"), std::string::npos) << e.what();
    put(at, &good[at], 1);
  }
  EXPECT_NO_THROW(open());
}

TEST_F(shared_file_tests, of_another_version_or_byte_order_or_that_is_something_else_says_so) {
  make();
  const std::vector<char> good = bytes(64);
  const std::uint32_t next = shared_layout_version + 1;
  put(offsetof(shared_header, layout), &next, sizeof next);
  expect_refused("another version of switchgear");
  put(0, good.data(), good.size());
  const std::uint32_t swapped = 0x04030201;
  put(offsetof(shared_header, byte_order), &swapped, sizeof swapped);
  expect_refused("another byte order");
  put(0, "something else..", 16);
  expect_refused("not a file of shared circuits");
}

TEST_F(shared_file_tests, that_is_cut_or_longer_is_refused) {
  make();
  const auto whole = std::filesystem::file_size(path());
  for (const auto size : {whole - 1, whole + 1, std::uintmax_t{5000}}) {
    std::filesystem::resize_file(path(), size);
    expect_refused("its length is not what its header says");
  }
  std::filesystem::resize_file(path(), 4095);
  expect_refused("too short");
  std::filesystem::resize_file(path(), 0);
  expect_refused("too short");
}

TEST_F(shared_file_tests, that_others_may_read_or_that_is_a_link_is_refused) {
  make();
  ASSERT_EQ(::chmod(path().c_str(), 0640), 0);
  expect_refused("open to others");
  ASSERT_EQ(::chmod(path().c_str(), 0600), 0);
  std::filesystem::rename(path(), folder.path() / "real");
  std::filesystem::create_symlink(folder.path() / "real", path());
  expect_refused("symbolic link");
}

TEST_F(shared_file_tests, that_is_refused_is_left_as_it_is) {
  make();
  const std::uint32_t next = 99;
  put(offsetof(shared_header, layout), &next, sizeof next);
  const auto size = std::filesystem::file_size(path());
  const auto before = bytes(size);
  expect_refused("move or delete it");
  EXPECT_TRUE(bytes(size) == before);
}

TEST_F(shared_file_tests, a_circuit_with_a_damaged_configuration_or_state_is_refused_and_the_others_are_not) {
  const auto shared = open();
  const auto a = breaker(*shared, "a");
  breaker(*shared, "b");
  breaker(*shared, "c");
  const auto raw = open_raw();
  raw->record(1).fixed().pages[0].words[3].fetch_xor(1);
  raw->record(2).block().word.fetch_or(7);
  for (const auto& [name, why] : {std::pair{"b", "configuration is damaged"}, std::pair{"c", "state in it is impossible"}}) {
    const state_error e = error_of([&, n = name] { breaker(*shared, n); });
    EXPECT_EQ(e.what_kind(), state_error::kind::refused);
    EXPECT_NE(std::string(e.what()).find(why), std::string::npos) << e.what();
  }
  EXPECT_NO_THROW(breaker(*shared, "a"));
  const shared_contents found = read_shared_circuits(folder, shared_file_name_of("shop"), source());
  EXPECT_EQ(found.circuits.size(), 1u);
  ASSERT_EQ(found.problems.size(), 2u);
  EXPECT_NE(found.problems[0].find(path().string()), std::string::npos);
}

TEST_F(shared_file_tests, the_image_of_a_real_file_is_accepted_and_bears_everything) {
  make();
  std::vector<char> image = bytes(std::filesystem::file_size(path()));
  const auto as_bytes = std::as_writable_bytes(std::span(image));
  EXPECT_FALSE(problem_of_shared_image(as_bytes));
  EXPECT_TRUE(exercise_shared_image(as_bytes));
  seal_shared_image(as_bytes);
  EXPECT_FALSE(problem_of_shared_image(as_bytes));
  EXPECT_TRUE(problem_of_shared_image(as_bytes.first(100)));
  EXPECT_TRUE(problem_of_shared_image(as_bytes.first(image.size() - 1)));
}

}  // namespace
}  // namespace switchgear::host::tests
