// SPDX-License-Identifier: Apache-2.0
#include <switchgear/host/file_name.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace switchgear::host {
namespace {

TEST(file_name, keeps_plain_names_readable) {
  EXPECT_EQ(file_name_of("backup"), "backup.circuit");
  EXPECT_EQ(file_name_of("Agent.researcher_2-b"), "Agent.researcher_2-b.circuit");
}

TEST(file_name, never_leaves_the_folder) {
  EXPECT_EQ(file_name_of("."), "%2E.circuit");
  EXPECT_EQ(file_name_of(".."), "%2E..circuit");
  EXPECT_EQ(file_name_of("../../etc/passwd"), "%2E.%2F..%2Fetc%2Fpasswd.circuit");
  EXPECT_EQ(file_name_of("/"), "%2F.circuit");
}

TEST(file_name, escapes_what_it_escapes_with) {
  EXPECT_EQ(file_name_of("a%2Fb"), "a%252Fb.circuit");
  EXPECT_NE(file_name_of("a%2Fb"), file_name_of("a/b"));
  EXPECT_EQ(file_name_of("a~b"), "a%7Eb.circuit");
}

TEST(file_name, fits_every_file_system_and_stays_unique_for_the_longest_names) {
  std::set<std::string> seen;
  for (int last = 0; last < 500; ++last) {
    std::string name;
    while (name.size() + 3 <= 196) name += "€";
    name += std::to_string(1000 + last);
    const std::string file = file_name_of(name);
    EXPECT_LE(file.size(), 255u);
    EXPECT_TRUE(seen.insert(file).second) << file;
  }
}

TEST(file_name, of_a_long_plain_name_is_cut_too_only_when_it_has_to_be) {
  EXPECT_EQ(file_name_of(std::string(200, 'a')), std::string(200, 'a') + ".circuit");
  EXPECT_LE(file_name_of(std::string(199, 'a') + "/").size(), 255u);
  EXPECT_NE(file_name_of(std::string(199, 'a') + "/"), file_name_of(std::string(199, 'a') + ":"));
}

}  // namespace
}  // namespace switchgear::host
