// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <sstream>
#include <streambuf>
#include <thread>

namespace {

using namespace logs;

TEST(json_lines, are_one_object_a_line) {
  std::ostringstream out;
  const sg::log_sink sink = sg::json_lines(out);
  sink({log_level::info, "one\ntwo", {{"n", number(1)}}, {}});
  sink({log_level::debug, "three", {}, {}});
  EXPECT_EQ(out.str(), "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\",\"message\":\"one\\ntwo\",\"n\":1}\n"
                       "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"debug\",\"message\":\"three\"}\n");
}

/// A stream that lets others run in the middle of a line, as slow ones do.
struct slow_buffer : std::streambuf {
  std::string text;
  int overflow(int c) override {
    if (c == traits_type::eof()) return 0;
    text.push_back(static_cast<char>(c));
    if (text.size() % 32 == 0) std::this_thread::yield();
    return c;
  }
};

TEST(json_lines, of_several_threads_stay_whole) {
  constexpr int threads = 4, lines = 25;
  slow_buffer buffer;
  std::ostream out(&buffer);
  const sg::log_sink sink = sg::json_lines(out);
  std::vector<std::thread> writers;
  for (int t = 0; t < threads; ++t) {
    writers.emplace_back([copy = sink, t] {
      for (int i = 0; i < lines; ++i) copy({log_level::info, std::string(20, static_cast<char>('a' + t)), {}, {}});
    });
  }
  for (std::thread& w : writers) w.join();
  std::istringstream in(buffer.text);
  int whole = 0;
  for (std::string line; std::getline(in, line); ++whole) {
    ASSERT_EQ(line.size(), sg::to_json({log_level::info, std::string(20, 'a'), {}, {}}).size()) << line;
    const auto at = line.find("\"message\":\"") + 11;
    EXPECT_EQ(line.substr(at, 20), std::string(20, line.at(at)));
  }
  EXPECT_EQ(whole, threads * lines);
}

}  // namespace
