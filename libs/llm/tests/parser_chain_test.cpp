// SPDX-License-Identifier: Apache-2.0
#include <switchgear/llm/parser_chain.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gtest/gtest.h>

#include <charconv>
#include <stdexcept>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using sg::llm::parser_failure;
using failures = std::vector<parser_failure>;

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<int> words(std::string_view text) {
  if (text == "one") return 1;
  throw std::invalid_argument("no word for a number");
}

struct parser_chain : testing::Test {
  sg::testing::manual_clock clock;
  sg::llm::parser_chain<int> chain{{.name = "answer",
                                    .breaker = {.failure_threshold = 2, .open_duration = 30s}, .clock = &clock}};
  parser_chain() { chain.add("number", number).add("words", words); }
};

TEST_F(parser_chain, takes_the_first_that_can_do_it) {
  const auto p = chain("17");
  EXPECT_EQ(p.value, 17);
  EXPECT_EQ(p.parser, "number");
  EXPECT_EQ(p.failures, failures{});
}

TEST_F(parser_chain, goes_on_to_the_next_and_says_why) {
  const auto p = chain("one");
  EXPECT_EQ(p.value, 1);
  EXPECT_EQ(p.parser, "words");
  EXPECT_EQ(p.failures, (failures{{"number", parser_failure::kind::no_result}}));
}

TEST_F(parser_chain, falls_back_to_the_text) {
  const auto p = chain("many");
  EXPECT_FALSE(p);
  EXPECT_EQ(p.text, "many");
  EXPECT_EQ(p.parser, "");
  EXPECT_EQ(p.failures, (failures{{"number", parser_failure::kind::no_result}, {"words", parser_failure::kind::threw}}));
}

TEST_F(parser_chain, passes_over_a_parser_whose_circuit_is_open) {
  (void)chain("many");
  (void)chain("many");
  EXPECT_EQ(chain.breaker("number").state(), sg::state::open);
  const auto p = chain("17");
  EXPECT_FALSE(p);
  EXPECT_EQ(p.text, "17");
  EXPECT_EQ(p.failures, (failures{{"number", parser_failure::kind::open}, {"words", parser_failure::kind::open}}));
  clock.advance(30s);
  EXPECT_EQ(chain("17").value, 17);
}

TEST_F(parser_chain, has_a_breaker_for_each_parser) {
  EXPECT_EQ(chain.breaker("number").name(), "answer.number");
  EXPECT_THROW((void)chain.breaker("other"), std::out_of_range);
  chain.add("lenient", number, {.failure_threshold = 7});
  EXPECT_EQ(chain.breaker("lenient").configuration().failure_threshold, 7);
}

TEST_F(parser_chain, refuses_names_that_are_none_or_taken) {
  EXPECT_THROW(chain.add("number", number), sg::config_error);
  EXPECT_THROW(chain.add("", number), sg::config_error);
  EXPECT_EQ(chain("17").value, 17);
}

TEST(empty_parser_chain, falls_back_to_the_text) {
  const sg::llm::parser_chain<int> chain;
  EXPECT_EQ(chain("17").text, "17");
}

TEST(parser_failure_kinds, have_names) {
  EXPECT_EQ(to_string(parser_failure::kind::no_result), "no_result");
  EXPECT_EQ(to_string(parser_failure::kind::threw), "threw");
  EXPECT_EQ(to_string(parser_failure::kind::open), "open");
}

}  // namespace
