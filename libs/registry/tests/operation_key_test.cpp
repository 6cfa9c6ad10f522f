// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <set>

namespace {

using namespace registries;

std::string here(sg::code_location where = sg::code_location::current()) {
  return sg::operation_key("worker", where);
}

TEST(operation_key, is_type_and_function) { EXPECT_EQ(sg::operation_key("storage", "save_task"), "storage:save_task"); }

TEST(operation_key, knows_scopes) {
  EXPECT_EQ(sg::operation_key("worker", "jobs", "save"), "worker:jobs::save");
  EXPECT_EQ(sg::operation_key("worker", "jobs::save"), sg::operation_key("worker", "jobs", "save"));
}

TEST(operation_key, keeps_functions_of_one_name_apart_trap_22) {
  manual_clock clock;
  sg::registry circuits(quiet(), clock);
  const auto jobs = circuits.get(sg::operation_key("worker", "jobs", "save"));
  const auto users = circuits.get(sg::operation_key("worker", "users", "save"));
  EXPECT_NE(jobs, users);
  jobs->trip();
  EXPECT_TRUE(users->is_closed());
}

TEST(operation_key, keeps_places_apart_trap_22) {
  const auto one = [] { return here(); };
  const auto other = [] { return here(); };
  const std::string a = here();
  const std::string b = here();
  EXPECT_EQ((std::set<std::string>{one(), other(), a, b}.size()), 4U);
  EXPECT_EQ(one(), one());
  EXPECT_TRUE(a.starts_with("worker:")) << a;
}

struct elsewhere {  // in the shape of std::source_location
  const char* function_name() const { return "void jobs::save(const task&)"; }
  const char* file_name() const { return "src/jobs@2.cpp"; }
  unsigned line() const { return 12; }
  unsigned column() const { return 7; }
};

TEST(operation_key, takes_a_place_from_whatever_names_places) {
  EXPECT_EQ(sg::operation_key("worker", elsewhere{}), "worker:void jobs::save(const task&)@src/jobs@2.cpp:12:7");
}

struct numbered_place {
  const char* file;
  unsigned line_number, column_number;
  const char* function_name() const { return "f"; }
  const char* file_name() const { return file; }
  unsigned line() const { return line_number; }
  unsigned column() const { return column_number; }
};

TEST(operation_key, takes_no_end_of_a_file_name_for_a_line) {
  EXPECT_EQ(sg::operation_key("worker", numbered_place{"a", 1, 2}), "worker:f@a:1:2");
  EXPECT_EQ(sg::operation_key("worker", numbered_place{"a:1", 2, 0}), "worker:f@a%3A1:2");
}

TEST(operation_key, no_separator_in_a_part_makes_two_pairs_one) {
  const std::vector<std::string> parts = {"",   "a",    "b",   ":",    "::",   "a:",  ":a",    "a:b",   "a::b", "%3A", "%",
                                          "~",  "%7E",  "a%",  "3A",   "a%3A", "@",   "a@b",   ":::",   "\n",   "%0A", "\xff",
                                          "%FF", "\xc3", "\xa9", "\xc3\xa9"};
  std::set<std::string> pairs, triples;
  for (const auto& type : parts) {
    for (const auto& function : parts) {
      const std::string key = sg::operation_key(type, function);
      EXPECT_FALSE(sg::validate_name(key)) << key;
      EXPECT_TRUE(pairs.insert(key).second) << key;
      for (const auto& scope : parts) {
        const std::string full = sg::operation_key(type, scope, function);
        EXPECT_FALSE(sg::validate_name(full)) << full;
        EXPECT_TRUE(triples.insert(full).second) << full;
      }
    }
  }
}

TEST(operation_key, writes_what_a_name_cannot_hold_in_hexadecimal) {
  EXPECT_EQ(sg::operation_key("a:b", "c"), "a%3Ab:c");
  EXPECT_EQ(sg::operation_key("a", "b\n\xff%~"), "a:b%0A%FF%25%7E");
  EXPECT_EQ(sg::operation_key("größe", "prüfen"), "größe:prüfen");
}

TEST(operation_key, shortens_what_is_too_long_without_making_two_one) {
  const std::string prefix(300, 'x');
  const std::string a = sg::operation_key("type", prefix + "a"), b = sg::operation_key("type", prefix + "b");
  EXPECT_NE(a, b);
  EXPECT_EQ(a, sg::operation_key("type", prefix + "a"));
  EXPECT_LE(a.size(), 200U);
  EXPECT_TRUE(a.starts_with("type:xxx"));
  EXPECT_NE(sg::operation_key("type", a.substr(5)), a) << "a short key never looks like a shortened one";
}

TEST(operation_key, is_valid_at_every_length) {
  for (std::size_t size = 0; size < 250; ++size) {
    std::string wide;
    while (wide.size() < size) wide += "€";
    for (const std::string& function : {std::string(size, 'x'), wide, std::string(size, '~')}) {
      const std::string key = sg::operation_key("t", function);
      EXPECT_FALSE(sg::validate_name(key)) << key;
    }
  }
  EXPECT_EQ(sg::operation_key("t", std::string(198, 'x')).size(), 200U);
}

TEST(agent_key, is_the_name_of_the_agents_breaker) { EXPECT_EQ(sg::agent_key("researcher"), "agent.researcher"); }

}  // namespace
