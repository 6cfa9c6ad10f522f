// SPDX-License-Identifier: Apache-2.0
//
// Parsers of what a model wrote, tried in turn. One that keeps failing is passed over for a while, and when none can make anything of
// it the text itself is the answer.
#include "check.hpp"

#include <switchgear/llm/parser_chain.hpp>

#include <charconv>
#include <stdexcept>
#include <string>

namespace sg = switchgear;

struct tool_call {
  std::string name;
  int argument = 0;
};

std::optional<tool_call> parse_tagged(std::string_view text) {  // <tool>add 3</tool>
  const auto begin = text.find("<tool>"), end = text.find("</tool>");
  if (begin == text.npos) throw std::runtime_error("no tag");
  const std::string_view inside = text.substr(begin + 6, end - begin - 6);
  const auto space = inside.find(' ');
  tool_call call{std::string(inside.substr(0, space))};
  std::from_chars(inside.data() + space + 1, inside.data() + inside.size(), call.argument);
  return call;
}

std::optional<tool_call> parse_words(std::string_view text) {  // call add with 3
  if (!text.starts_with("call ")) return std::nullopt;
  const auto with = text.find(" with ");
  if (with == text.npos) return std::nullopt;
  tool_call call{std::string(text.substr(5, with - 5))};
  std::from_chars(text.data() + with + 6, text.data() + text.size(), call.argument);
  return call;
}

int main() {
  // [chain]
  sg::llm::parser_chain<tool_call> parsers{{.name = "tool_parsing", .breaker = {.failure_threshold = 3}}};
  parsers.add("tagged", parse_tagged).add("words", parse_words);

  const sg::llm::parsed<tool_call> answer = parsers("call add with 3");
  if (answer) std::cout << answer.parser << ": " << answer.value->name << " " << answer.value->argument << "\n";
  // [/chain]
  expect(answer && answer.parser == "words" && answer.value->argument == 3);
  expect(answer.failures.size() == 1 && answer.failures[0].why == sg::llm::parser_failure::kind::threw);
  expect(parsers("<tool>add 4</tool>").parser == "tagged");

  // Nothing to be parsed: text mode.
  for (int i = 0; i < 3; ++i) {
    const auto plain = parsers("I would rather not.");
    expect(!plain && plain.text == "I would rather not.");
  }
  expect(parsers.breaker("tagged").is_open());  // passed over from now on
  const auto last = parsers("I would rather not.");
  expect(last.failures[0].why == sg::llm::parser_failure::kind::open);
}
