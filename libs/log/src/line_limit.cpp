// SPDX-License-Identifier: Apache-2.0
#include "line_limit.hpp"

#include <algorithm>
#include <utility>

namespace switchgear::inline v1::detail {

/// Two breakers of one name are two circuits.
std::string line_limit::key_of(const event& e) {
  return (e.instance.empty() ? e.source : e.instance) + '\n' + e.service;
}

line_limit::circuit& line_limit::known(const event& e, std::vector<left_out>& forgotten) {
  std::string key = key_of(e);
  if (const auto found = known_.find(key); found != known_.end()) {
    circuits_.splice(circuits_.begin(), circuits_, found->second);
    return circuits_.front();
  }
  if (circuits_.size() >= max_circuits_) {
    take(circuits_.back(), forgotten);
    known_.erase(circuits_.back().key);
    circuits_.pop_back();
  }
  circuits_.push_front({std::move(key), e.service, e.source, e.instance, {}});
  try {
    known_.emplace(circuits_.front().key, circuits_.begin());
  } catch (...) {
    circuits_.pop_front();
    throw;
  }
  return circuits_.front();
}

std::optional<left_out> line_limit::take(circuit& c, std::size_t kind) {
  budget& b = c.budgets[kind];
  if (b.left_out == 0) return std::nullopt;
  return left_out{limited_kinds[kind], b.level, std::exchange(b.left_out, 0), b.since, c.service, c.source, c.instance};
}

void line_limit::take(circuit& c, std::vector<left_out>& out) {
  for (std::size_t i = 0; i < c.budgets.size(); ++i) {
    if (auto some = take(c, i)) out.push_back(std::move(*some));
  }
}

line_limit::answer line_limit::ask(const event& e, log_level level, std::chrono::nanoseconds now) {
  answer out;
  const auto place = std::find(limited_kinds.begin(), limited_kinds.end(), e.kind);
  const auto kind = static_cast<std::size_t>(place - limited_kinds.begin());
  circuit& c = known(e, out.forgotten);
  budget& b = c.budgets.at(kind);
  if (!b.began || now - *b.began >= per_) {
    b.began = now;
    b.lines = 0;
  }
  if (b.lines < lines_) {
    ++b.lines;
    out.before = take(c, kind);
    return out;
  }
  out.write = false;
  if (b.left_out++ == 0) {
    b.since = now;
    b.level = level;
  }
  b.level = std::max(b.level, level);
  return out;
}

std::vector<left_out> line_limit::take(const event& e) {
  std::vector<left_out> out;
  if (const auto found = known_.find(key_of(e)); found != known_.end()) take(*found->second, out);
  return out;
}

std::vector<left_out> line_limit::take_all() {
  std::vector<left_out> out;
  for (circuit& c : circuits_) take(c, out);
  return out;
}

}  // namespace switchgear::inline v1::detail
