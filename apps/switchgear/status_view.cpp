// SPDX-License-Identifier: Apache-2.0
#include "status_view.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <tuple>

#include "console.hpp"

using switchgear::circuit_reading;
using switchgear::state;

namespace {

/// How soon a state is worth a look.
constexpr std::array by_urgency{state::forced_open, state::open, state::half_open, state::disabled, state::closed};

std::size_t urgency(state s) {
  return static_cast<std::size_t>(std::find(by_urgency.begin(), by_urgency.end(), s) - by_urgency.begin());
}

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, share == 0 || share == 1 ? "%.0f%%" : "%.1f%%", share * 100);
  return text;
}

/// What people ask after the state: who holds it so, and until when; else why it is so.
std::string note_on(const circuit_reading& r) {
  const auto& o = r.now.operator_override;
  if (!r.enabled) return "enabled = false";
  if (!o) return r.now.state == state::closed ? "" : r.reason;
  std::string text = o->owner.empty() ? o->reason : o->owner + ": " + o->reason;
  if (o->until) text += " (until " + local_time(*o->until) + ")";
  return text;
}

std::string name_of(const circuit_reading& r) {
  constexpr std::string_view scheme = "switchgear://";
  if (!r.source.starts_with(scheme)) return printable(r.now.name);
  return printable(r.now.name + " @" + r.source.substr(scheme.size()));
}

/// `5 circuits: 2 open, 3 closed`
std::string headline(const std::vector<circuit_reading>& circuits) {
  std::string text = std::to_string(circuits.size()) + (circuits.size() == 1 ? " circuit" : " circuits");
  const char* separator = ": ";
  for (const state s : by_urgency) {
    const auto count = std::ranges::count_if(circuits, [s](const auto& r) { return r.now.state == s; });
    if (count == 0) continue;
    text += separator + std::to_string(count) + " " + std::string(to_string(s));
    separator = ", ";
  }
  return text;
}

}  // namespace

std::string status_view::calls_per_second(const circuit_reading& r) const {
  const auto before = before_.find({r.now.name, r.instance});
  if (!r.counted || before == before_.end() || interval_.count() <= 0) return "";
  const std::uint64_t now = r.now.metrics.total_calls();
  const double calls = now > before->second ? static_cast<double>(now - before->second) : 0.0;
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", calls / (static_cast<double>(interval_.count()) / 1e9));
  return text;
}

std::vector<std::string> status_view::table_lines(std::vector<circuit_reading> circuits, bool coloured,
                                                  std::size_t width) const {
  std::ranges::sort(circuits, [](const auto& a, const auto& b) {
    return std::make_tuple(urgency(a.now.state), std::string_view(a.now.name), std::string_view(a.source)) <
           std::make_tuple(urgency(b.now.state), std::string_view(b.now.name), std::string_view(b.source));
  });
  const bool has_rates = interval_.count() > 0;
  std::vector<table::heading> headings{{"NAME"}, {"STATE"}, {"FOR", 5}};
  if (has_rates) headings.push_back({"CALLS/S", 3});
  for (table::heading& h : std::vector<table::heading>{
           {"FAILURES", 2}, {"SLOW", 7}, {"REJECTED", 6}, {"RETRY AFTER", 1}, {"NOTE", 4}}) {
    headings.push_back(std::move(h));
  }
  table t(std::move(headings));
  for (const circuit_reading& r : circuits) {
    const auto& s = r.now;
    std::string shown(to_string(s.state));
    if (r.shadow) shown += " (shadow)";
    std::vector<table::cell> row{{name_of(r)}, {shown, colour_of(s.state)}, {spoken(s.time_in_state)}};
    if (has_rates) row.push_back({calls_per_second(r)});
    row.push_back({r.counted ? std::to_string(s.window.failures) + " of " + std::to_string(s.window.calls) : "–"});
    row.push_back({r.counted ? percent(s.window.slow_rate()) : "–"});
    row.push_back({r.counted ? std::to_string(s.metrics.rejections) : "–"});
    row.push_back({s.retry_after ? spoken(*s.retry_after) : ""});
    row.push_back({printable(note_on(r))});
    t.add(std::move(row));
  }
  return t.lines(coloured, width);
}

std::vector<std::string> status_view::lines(std::vector<circuit_reading> circuits, const std::vector<std::string>& problems,
                                            bool coloured, std::size_t width, std::chrono::nanoseconds now) {
  interval_ = last_.count() == 0 ? std::chrono::nanoseconds(0) : now - last_;
  last_ = now;
  before_ = std::exchange(now_, {});
  for (const circuit_reading& r : circuits) now_[{r.now.name, r.instance}] = r.now.metrics.total_calls();

  const auto open = std::ranges::count_if(
      circuits, [](const auto& r) { return r.now.state == state::open || r.now.state == state::forced_open; });
  const auto fitted = [width](const std::string& text) { return width == 0 ? text : cut(text, width); };
  std::vector<std::string> out;
  std::string head = fitted(headline(circuits));
  if (coloured && open > 0) head = std::string("\x1b[1;") + colour_of(state::open) + "m" + head + "\x1b[0m";
  out.push_back(std::move(head));
  for (const std::string& problem : problems) out.push_back(fitted("error: " + printable(problem)));
  if (circuits.empty()) return out;
  out.emplace_back();
  auto rows = table_lines(std::move(circuits), coloured, width);
  out.insert(out.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
  return out;
}
