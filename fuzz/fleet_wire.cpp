// SPDX-License-Identifier: Apache-2.0
//
// Input: one byte that says what it is, and then
//   a message of the channel · the fields of a record, one a line · a view of an instance · any text for one line · or what
//   happens to an agent: pieces that end with \x1e, each a letter and, of an answer, texts that end with \x1f.
#include "../libs/fleet/src/agent.hpp"
#include "fuzz.hpp"

#include <switchgear/config.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace sg = switchgear;
namespace fleet = switchgear::fleet;

namespace {

using namespace std::chrono_literals;

std::vector<std::string> split(std::string_view text, char end) {
  std::vector<std::string> out;
  for (;;) {
    const std::size_t at = text.find(end);
    out.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

void look_at(const fleet::record& r) {
  std::vector<std::string> texts;
  fleet::write(r, texts);
  sg::fuzz::require(fleet::read_record(texts) == r, "what was read is written and read as the same");
  sg::fuzz::require(!sg::validate_name(r.name), "the name is one of a circuit");
  sg::fuzz::require(fleet::decision_text(r).find('\n') == std::string::npos, "a reason is one line");
}

void read_view(std::string_view text) {
  if (const auto v = fleet::read_view("web-1", text)) {
    sg::fuzz::require(fleet::read_view("web-1", fleet::view_text(*v)) == v, "what was read is written and read as the same");
  }
}

void cut(std::string_view text) {
  const std::string line = fleet::one_line(text);
  sg::fuzz::require(line.size() <= fleet::longest_text, "a line is not too long");
  sg::fuzz::require(line.empty() || !sg::validate_name(line), "a line is UTF-8 without control characters");
  sg::fuzz::require(fleet::one_line(line) == line, "a line stays as it is");
}

void drive(std::string_view text) {
  sg::testing::manual_clock clock(1h);
  sg::circuit_breaker breaker("a", {.failure_threshold = 1, .open_duration = 1s, .success_threshold = 1, .probe_timeout = 2s}, clock);
  fleet::options o;
  o.opening = static_cast<fleet::sharing>(text.size() % 4);
  {
    fleet::agent agent(o, "web-1", 1);
    agent.add(breaker);
    std::deque<std::uint64_t> asked;
    std::vector<fleet::request> out;
    for (const std::string& piece : split(text, '\x1e')) {
      const std::string_view rest = std::string_view(piece).substr(piece.empty() ? 0 : 1);
      switch (piece.empty() ? ' ' : piece[0]) {
        case 'u': agent.link_up(clock.now()); break;
        case 'd': agent.link_down(clock.now(), rest); break;
        case 'n': agent.news(rest, clock.now()); break;
        case 'a':
          agent.answered(asked.empty() ? 0 : asked.front(), split(rest, '\x1f'), clock.now());
          if (!asked.empty()) asked.pop_front();
          break;
        case 's': if (auto p = breaker.try_acquire()) p.success(); break;
        case 'f': if (auto p = breaker.try_acquire()) p.failure("no"); break;
        case 'o': breaker.force_open(std::string(rest), "Ada", 1s); break;
        case 'r': breaker.release(); break;
        case 'x': agent.remove("a"); break;
        case 'j': agent.add(breaker); break;
        default: clock.advance(100ms); break;
      }
      agent.step(clock.now(), out);
      for (const auto& r : out) asked.push_back(r.id);
      out.clear();
      sg::fuzz::require(agent.is_up() || sg::detail::breaker_access::look(breaker).gate.off(), "without a link there is no gate");
      sg::fuzz::require(agent.next(clock.now()) <= 250ms, "there is always a next step");
    }
  }
  sg::fuzz::require(sg::detail::breaker_access::look(breaker).gate.off(), "without an agent there is no gate");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = sg::fuzz::text_of(data + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      if (const auto item = fleet::read_news(text)) look_at(item->what);
      break;
    case 1:
      if (const auto r = fleet::read_record(split(text, '\n'))) look_at(*r);
      break;
    case 2: read_view(text); break;
    case 3: cut(text); break;
    default: drive(text); break;
  }
  return 0;
}
