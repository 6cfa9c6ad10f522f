// SPDX-License-Identifier: Apache-2.0
#include "traffic.hpp"

#include "json_object.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace switchgear::inline v1::detail {
namespace {

using std::chrono::nanoseconds;

/// How far back rates look.
constexpr nanoseconds rate_period = std::chrono::seconds(10);
/// Not quite a second, because timers of a second are not exact.
constexpr nanoseconds between_samples = std::chrono::milliseconds(900);

double rounded(double value, double steps) { return std::round(value * steps) / steps; }

double share(std::uint64_t part, std::uint64_t whole) {
  // Counters are read one after the other, so a part may have been read a call later than its whole.
  return whole == 0 ? 0.0 : rounded(static_cast<double>(std::min(part, whole)) / static_cast<double>(whole), 10'000);
}

bool went_back(const call_totals& from, const call_totals& to) noexcept {
  return to.calls < from.calls || to.judged < from.judged || to.failures < from.failures || to.slow < from.slow ||
         to.rejections < from.rejections;
}

void add(std::uint32_t& sum, std::uint64_t n) noexcept {
  sum = static_cast<std::uint32_t>(std::min<std::uint64_t>(sum + n, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

call_totals totals_of(const lifetime_metrics& m) noexcept {
  return {m.total_calls(), m.successes + m.failures, m.failures, m.slow_calls, m.rejections};
}

void looked_steps::look(std::int64_t step) {
  if (steps_.empty() || steps_.back() < step) steps_.push_back(step);
  while (steps_.size() > series_length) steps_.pop_front();
}

bool looked_steps::looked(std::int64_t step) const noexcept { return std::ranges::binary_search(steps_, step); }

traffic::traffic(nanoseconds since, nanoseconds looked, nanoseconds now, const call_totals& before, bool with_series)
    : last_(before), last_step_(step_of(now)), with_series_(with_series) {
  samples_.push_back({std::max(since, std::min(looked, now - rate_period)), before});
}

void traffic::note(nanoseconds now, const call_totals& totals) {
  if (went_back(last_, totals)) {
    samples_ = {{now, totals}};
    rates_ = {};
    last_ = totals;
    return;
  }
  if (!(totals == last_)) {
    last_step_ = step_of(now);
    if (with_series_) count(last_step_, last_, totals);
    last_ = totals;
  }
  while (samples_.size() > 1 && samples_[1].at <= now - rate_period) samples_.pop_front();
  const sample& from = samples_.front();
  const double seconds = std::chrono::duration<double>(now - from.at).count();
  if (seconds > 0) {
    const std::uint64_t calls = totals.calls - from.totals.calls, judged = totals.judged - from.totals.judged;
    rates_ = {rounded(static_cast<double>(calls) / seconds, 1'000), share(totals.failures - from.totals.failures, judged),
              share(totals.slow - from.totals.slow, judged), share(totals.rejections - from.totals.rejections, calls)};
  }
  if (now - samples_.back().at >= between_samples) samples_.push_back({now, totals});
}

void traffic::count(std::int64_t number, const call_totals& from, const call_totals& to) {
  if (steps_.empty() || steps_.back().number < number) {
    std::erase_if(steps_, [&](const step& s) { return s.number <= number - static_cast<std::int64_t>(series_length); });
    steps_.push_back({number});
  }
  step& now = steps_.back();
  add(now.calls, to.calls - from.calls);
  add(now.failures, to.failures - from.failures);
  add(now.slow, to.slow - from.slow);
  add(now.rejections, to.rejections - from.rejections);
}

std::string series_json(const traffic* calls, const looked_steps& looked, std::int64_t first, nanoseconds now,
                        std::chrono::system_clock::time_point wall) {
  const std::int64_t last = step_of(now);
  const std::int64_t begin = std::max(first, last - static_cast<std::int64_t>(series_length) + 1);
  const nanoseconds rest = nanoseconds(series_step) * (last + 1) - now;
  std::string out;
  json_object object(out);
  object.number("step_seconds", static_cast<std::uint64_t>(series_step.count()))
      .time("end", wall + std::chrono::duration_cast<std::chrono::system_clock::duration>(rest));
  const auto line = [&](std::string_view key, std::uint32_t traffic::step::* what) {
    std::string& text = object.member(key);
    text += '[';
    std::size_t at = 0;
    for (std::int64_t number = begin; number <= last; ++number) {
      if (number != begin) text += ',';
      while (calls != nullptr && at < calls->steps().size() && calls->steps()[at].number < number) ++at;
      if (calls != nullptr && at < calls->steps().size() && calls->steps()[at].number == number) {
        text += std::to_string(calls->steps()[at].*what);
      } else {
        text += looked.looked(number) ? "0" : "null";
      }
    }
    text += ']';
  };
  line("calls", &traffic::step::calls);
  line("failures", &traffic::step::failures);
  line("slow", &traffic::step::slow);
  line("rejections", &traffic::step::rejections);
  object.end();
  return out;
}

std::string empty_series_json(std::chrono::system_clock::time_point wall) {
  std::string out;
  json_object object(out);
  object.number("step_seconds", static_cast<std::uint64_t>(series_step.count())).time("end", wall);
  for (const std::string_view key : {"calls", "failures", "slow", "rejections"}) object.raw(key, "[]");
  object.end();
  return out;
}

}  // namespace switchgear::inline v1::detail
