// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace switchgear::host::tests {
namespace {

unsigned mode_of(const std::filesystem::path& path) {
  struct stat info{};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

std::string refusal(const std::filesystem::path& path) {
  try {
    (void)state_folder::open_or_create(path);
  } catch (const state_error& e) {
    EXPECT_EQ(e.what_kind(), state_error::kind::refused);
    return e.what();
  }
  return "(opened)";
}

TEST(state_folder, is_made_with_its_parents_and_closed_to_others) {
  const temporary_folder temporary;
  const auto path = temporary.path() / "a" / "b" / "switchgear";
  (void)state_folder::open_or_create(path);
  EXPECT_EQ(mode_of(path), 0700u);
  (void)state_folder::open_or_create(path / "");  // once more, with a slash at the end
}

TEST(state_folder, that_others_may_enter_is_refused_with_the_command_that_closes_it) {
  const temporary_folder temporary;
  const auto path = temporary.path() / "state";
  std::filesystem::create_directory(path);
  ::chmod(path.c_str(), 0750);
  EXPECT_NE(refusal(path).find("is open to others (mode 0750)"), std::string::npos) << refusal(path);
  EXPECT_NE(refusal(path).find("chmod 700"), std::string::npos);
}

TEST(state_folder, behind_a_symbolic_link_is_refused) {
  const temporary_folder temporary;
  (void)state_folder::open_or_create(temporary.path() / "real");
  std::filesystem::create_directory_symlink(temporary.path() / "real", temporary.path() / "link");
  EXPECT_NE(refusal(temporary.path() / "link").find("symbolic link"), std::string::npos);
  EXPECT_NE(refusal(temporary.path() / "link" / "").find("symbolic link"), std::string::npos);
}

TEST(state_folder, of_another_user_is_refused) {
  if (::geteuid() != 0) return;  // nobody else can give a folder away
  const temporary_folder temporary;
  const auto path = temporary.path() / "state";
  (void)state_folder::open_or_create(path);
  ASSERT_EQ(::chown(path.c_str(), 12345, 12345), 0);
  EXPECT_NE(refusal(path).find("belongs to user 12345"), std::string::npos) << refusal(path);
}

TEST(state_folder, that_is_a_file_is_refused) {
  const temporary_folder temporary;
  std::ofstream(temporary.path() / "state") << "x";
  EXPECT_NE(refusal(temporary.path() / "state").find("is not a folder"), std::string::npos);
}

TEST(state_folder, that_is_missing_can_be_told_from_one_that_is_refused) {
  const temporary_folder temporary;
  try {
    (void)state_folder::open(temporary.path() / "none");
    FAIL();
  } catch (const state_error& e) {
    EXPECT_EQ(e.what_kind(), state_error::kind::missing);
  }
}

TEST_F(state_file_tests, files_are_private_listed_and_leave_nothing_else_behind) {
  open(two_failures(), "b/c");
  open(two_failures(), "a");
  EXPECT_EQ(folder.files(), (std::vector<std::string>{"a.circuit", "b%2Fc.circuit"}));
  EXPECT_EQ(mode_of(path_of("a")), 0600u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 2);
}

TEST_F(state_file_tests, a_file_open_to_others_is_refused) {
  open();
  ::chmod(path_of().c_str(), 0640);
  EXPECT_THROW(open(), state_error);
  EXPECT_THROW(view(), state_error);
}

TEST_F(state_file_tests, a_link_a_folder_and_a_pipe_are_refused) {
  open();
  std::filesystem::create_symlink(path_of(), path_of("link"));
  std::filesystem::create_directory(path_of("folder"));
  ASSERT_EQ(::mkfifo(path_of("pipe").c_str(), 0600), 0);
  for (const char* name : {"link", "folder", "pipe"}) {
    EXPECT_THROW(open(two_failures(), name), state_error) << name;
    EXPECT_THROW(view(name), state_error) << name;
  }
}

}  // namespace
}  // namespace switchgear::host::tests
