// SPDX-License-Identifier: Apache-2.0
#include "console.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <unistd.h>

std::string spoken(std::chrono::nanoseconds d) {
  using namespace std::chrono;
  char text[48];
  const auto whole = static_cast<long long>(std::max<seconds::rep>(0, duration_cast<seconds>(d).count()));
  if (d < 1s) {
    const auto rounded = std::max<milliseconds::rep>(0, ceil<milliseconds>(d).count());
    std::snprintf(text, sizeof text, "%lldms", static_cast<long long>(rounded));
  } else if (whole < 60) {
    std::snprintf(text, sizeof text, "%.1fs", static_cast<double>(ceil<milliseconds>(d).count() / 100) / 10.0);
  } else if (whole < 3600) {
    std::snprintf(text, sizeof text, "%lldm%02llds", whole / 60, whole % 60);
  } else if (whole < 86400) {
    std::snprintf(text, sizeof text, "%lldh%02lldm", whole / 3600, whole / 60 % 60);
  } else {
    std::snprintf(text, sizeof text, "%lldd%02lldh", whole / 86400, whole / 3600 % 24);
  }
  return text;
}

std::string local_time(std::chrono::system_clock::time_point t) {
  const std::time_t then = std::chrono::system_clock::to_time_t(t);
  const std::time_t now = std::time(nullptr);
  std::tm at{};
  std::tm today{};
  ::localtime_r(&then, &at);
  ::localtime_r(&now, &today);
  char text[64];
  const bool is_today = at.tm_year == today.tm_year && at.tm_yday == today.tm_yday;
  std::strftime(text, sizeof text, is_today ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &at);
  return text;
}

std::string line_of(std::string_view circuit, const switchgear::host::change& c) {
  std::string line = "circuit " + std::string(circuit) + " ";
  line += to_string(c.step.from);
  line += " → ";
  line += to_string(c.step.to);
  return line + ": " + c.reason;
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
  }
  // C1 control characters, U+0080 … U+009F, are two bytes in UTF-8.
  for (std::size_t i = 0; i + 1 < out.size(); ++i) {
    const auto second = static_cast<unsigned char>(out[i + 1]);
    if (static_cast<unsigned char>(out[i]) == 0xc2 && second >= 0x80 && second < 0xa0) out.replace(i, 2, "  ");
  }
  return out;
}

const char* colour_of(switchgear::state s) {
  using switchgear::state;
  switch (s) {
    case state::closed: return "32";
    case state::half_open: return "33";
    case state::disabled: return "36";
    case state::open:
    case state::forced_open: break;
  }
  return "31";
}

namespace {

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }

}  // namespace

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

std::string cut(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::size_t at = 0;
  for (std::size_t seen = 0; at < text.size(); ++at) {
    if (starts_character(text[at]) && ++seen == columns) break;
  }
  return std::string(text.substr(0, at)) + "…";
}

table::table(std::vector<heading> headings) {
  std::vector<cell> first;
  for (auto& h : headings) {
    first.push_back({std::move(h.text), "1"});
    dispensable_.push_back(h.dispensable);
  }
  rows_.push_back(std::move(first));
}

void table::add(std::vector<cell> row) { rows_.push_back(std::move(row)); }

std::vector<bool> table::columns_that_fit(const std::vector<std::size_t>& widths, std::size_t width) const {
  constexpr std::size_t enough_of_the_last = 12;  // it may be cut
  std::vector<bool> shown(widths.size(), true);
  const auto total = [&] {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const bool last = i + 1 == widths.size();
      if (shown[i]) sum += (last ? std::min(widths[i], enough_of_the_last) : widths[i]) + 2;
    }
    return sum - 2;
  };
  while (width != 0 && total() > width) {
    std::size_t worst = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (!shown[i] || dispensable_[i] == 0) continue;
      if (worst == widths.size() || dispensable_[i] > dispensable_[worst]) worst = i;
    }
    if (worst == widths.size()) break;
    shown[worst] = false;
  }
  return shown;
}

std::vector<std::string> table::lines(bool coloured, std::size_t width) const {
  std::vector<std::size_t> widths(dispensable_.size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns_of(row[i].text));
  }
  const std::vector<bool> shown = columns_that_fit(widths, width);
  std::vector<std::string> out;
  for (const auto& row : rows_) {
    std::string line;
    std::size_t used = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!shown[i]) continue;
      if (width != 0 && used >= width) break;
      const std::string text = width == 0 ? row[i].text : cut(row[i].text, width - used);
      const bool coloured_cell = coloured && *row[i].colour != '\0' && !text.empty();
      line += coloured_cell ? std::string("\x1b[") + row[i].colour + "m" + text + "\x1b[0m" : text;
      used += columns_of(text);
      std::size_t padding = widths[i] - std::min(widths[i], columns_of(text)) + 2;
      if (width != 0) padding = std::min(padding, width - std::min(width, used));
      line.append(padding, ' ');
      used += padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out.push_back(std::move(line));
  }
  return out;
}

bool output_is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }

bool output_wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return output_is_terminal() && (no_colour == nullptr || *no_colour == '\0') &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}
