// SPDX-License-Identifier: Apache-2.0
#include "screen.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace switchgear::demo {
namespace {

constexpr std::size_t width = 80;

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

const char* code_of(colour c) {
  switch (c) {
    case colour::plain: return "";
    case colour::dim: return "\x1b[2m";
    case colour::bold: return "\x1b[1m";
    case colour::red: return "\x1b[31m";
    case colour::green: return "\x1b[32m";
    case colour::yellow: return "\x1b[33m";
  }
  return "";
}

// A heading over several columns.
std::string bracket(std::string_view text, std::size_t columns) {
  const std::size_t dashes = columns - 4 - columns_of(text);
  std::string line = "┌";
  for (std::size_t i = 0; i < dashes; ++i) {
    if (i == dashes / 2) line += " " + std::string(text) + " ";
    line += "─";
  }
  return line + "┐";
}

bool wants_colour(std::FILE* to) {
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string_view(value == nullptr ? "" : value);
  };
  return ::isatty(::fileno(to)) == 1 && set("NO_COLOR").empty() && set("TERM") != "dumb";
}

}  // namespace

screen::screen(std::FILE* to, double seconds)
    : out_(to), coloured_(wants_colour(to)), time_columns_(std::max<std::size_t>(4, number("%.1f", seconds).size())) {}

void screen::put(std::string_view text, colour c) {
  const bool colours = coloured_ && c != colour::plain;
  const std::string whole =
      (colours ? code_of(c) : "") + std::string(text) + (colours ? "\x1b[0m" : "");
  std::fwrite(whole.data(), 1, whole.size(), out_);
}

void screen::line(std::string_view text, colour c) {
  put(text, c);
  std::fputc('\n', out_);
  std::fflush(out_);
}

void screen::note(double at, std::string_view text, colour c) {
  put_time(at);
  const std::size_t start = time_columns_ + 2, indent = start + (text.starts_with('[') ? 4 : 0);
  std::size_t column = start;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (column > indent && column + 1 + columns_of(word) > width) {
      put("\n" + std::string(indent, ' '), colour::plain);
      column = indent;
    } else if (column > start) {
      put(" ", colour::plain);
      ++column;
    }
    put(word, c);
    column += columns_of(word);
  }
  line();
}

void screen::put_time(double at) { put(right(number("%.1f", at), time_columns_) + "s ", colour::dim); }

void screen::row_heading() {
  const std::string margin(time_columns_ + 2, ' ');
  line(margin + " " + bracket("guarded by breakers", 38) + "   " + bracket("unguarded", 31), colour::dim);
  line(margin + left("  payments, calls/s", 31) + right("search", 8) +
           left("     payments, calls/s", 26) + right("search", 8),
       colour::dim);
  line(right("time", time_columns_ + 1) + "  passed failed rejected    each  passed     passed failed    each  passed",
       colour::dim);
}

void screen::row(double at, const tallies& t, double period) {
  const auto rate = [&](std::uint64_t n, std::size_t columns) {
    return right(number("%.0f", static_cast<double>(n) / period), columns);
  };
  // The time that one of them took, where there was one.
  const auto each = [](const std::vector<std::int64_t>& times, std::size_t columns) {
    return right(times.empty() ? "·" : short_time(quantile(times, 0.5)), columns);
  };
  const tally& g = t.guarded[payments];
  const tally& u = t.unguarded[payments];
  put_time(at);
  put(rate(g.passed, 7), g.passed > 0 ? colour::green : colour::plain);
  put(rate(g.failed, 7), g.failed > 0 ? colour::red : colour::plain);
  put(rate(g.rejected, 9) + each(g.rejection_ns, 8), g.rejected > 0 ? colour::yellow : colour::plain);
  put(rate(t.guarded[search].passed, 8), colour::green);
  put(rate(u.passed, 11), u.passed > 0 ? colour::green : colour::plain);
  put(rate(u.failed, 7) + each(u.failure_ns, 8), u.failed > 0 ? colour::red : colour::plain);
  put(rate(t.unguarded[search].passed, 8), colour::green);
  line();
}

std::string short_time(std::chrono::nanoseconds d) {
  double value = static_cast<double>(d.count());
  const char* units[] = {"ns", "µs", "ms", "s"};
  std::size_t unit = 0;
  // 999.5 would be shown as 1000.
  for (; value >= 999.5 && unit < 3; ++unit) value /= 1000;
  const char* format = value >= 99.95 || unit == 0 ? "%.0f" : value >= 9.995 ? "%.1f" : "%.2f";
  return number(format, value) + " " + units[unit];
}

std::string right(std::string_view text, std::size_t columns) {
  return std::string(columns - std::min(columns, columns_of(text)), ' ') + std::string(text);
}

std::string left(std::string_view text, std::size_t columns) {
  return std::string(text) + std::string(columns - std::min(columns, columns_of(text)), ' ');
}

std::string number(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace switchgear::demo
