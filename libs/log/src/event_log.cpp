// SPDX-License-Identifier: Apache-2.0
#include <switchgear/errors.hpp>
#include <switchgear/log/event_log.hpp>

#include "line_limit.hpp"
#include "one_line.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <utility>

namespace switchgear::inline v1 {
namespace {

constexpr std::int64_t most = 1'000'000;

/// `… and 4711 more in the last 10 s`.
std::string and_more(std::uint64_t count, std::chrono::nanoseconds elapsed) {
  const auto seconds = std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(elapsed).count());
  return "… and " + std::to_string(count) + " more in the last " + std::to_string(seconds) + " s";
}

log_field left_out_field(std::uint64_t count) { return {"left_out", static_cast<std::int64_t>(count)}; }

/// What was left out as a line of its own.
log_record summary(const detail::left_out& what, std::chrono::nanoseconds now) {
  const std::string kind(to_string(what.kind));
  const std::string message = "circuit " + what.service + " " + kind + ": " + and_more(what.count, now - what.since);
  log_record out{what.level, detail::one_line(message), {}, std::chrono::system_clock::now()};
  out.fields = {{"kind", kind}, {"service", what.service}, left_out_field(what.count)};
  if (!what.source.empty()) out.fields.push_back({"source", what.source});
  if (!what.instance.empty()) out.fields.push_back({"instance", what.instance});
  return out;
}

}  // namespace

std::vector<problem> event_log_options::validate() const {
  std::vector<problem> out;
  const auto whole = [&out](std::string_view key, std::int64_t value) {
    if (value >= 1 && value <= most) return;
    out.push_back({std::string(key), std::to_string(value), "1 … " + std::to_string(most), "out of range"});
  };
  whole("lines_per_circuit", lines_per_circuit);
  if (per < std::chrono::milliseconds(1) || per > std::chrono::hours(24)) {
    out.push_back({"per", format_duration(per), "1ms … 24h", "out of range"});
  }
  whole("max_circuits", max_circuits);
  return out;
}

namespace detail {

class event_log_state {
  template <class F>
  auto with_limit(const F& f) {
    const std::lock_guard lock(mutex_);
    return f(limit_);
  }

 public:
  event_log_state(log_sink sink, const event_log_options& options, clock& source)
      : sink_(std::move(sink)),
        least_(options.least),
        clock_(source),
        limit_(static_cast<std::uint64_t>(options.lines_per_circuit), options.per, static_cast<std::size_t>(options.max_circuits)) {}

  void hear(const event& e) noexcept {
    try {
      if (is_limited(e)) {
        if (level_of(e) >= least_) hear_limited(e);
        return;
      }
      if (is_transition(e.kind) && !e.present) {
        const std::chrono::nanoseconds now = clock_.now();
        for (const left_out& what : with_limit([&](line_limit& l) { return l.take(e); })) write(summary(what, now));
      }
      if (level_of(e) >= least_) write(to_log_record(e));
    } catch (...) {
      failed_.fetch_add(1, std::memory_order_relaxed);  // no memory for the line
    }
  }

  void flush() noexcept {
    try {
      const std::chrono::nanoseconds now = clock_.now();
      for (const left_out& what : with_limit([](line_limit& l) { return l.take_all(); })) write(summary(what, now));
    } catch (...) {
      failed_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  [[nodiscard]] event_log_metrics metrics() const noexcept {
    return {lines_.load(std::memory_order_relaxed), left_out_.load(std::memory_order_relaxed),
            failed_.load(std::memory_order_relaxed)};
  }

 private:
  static bool is_limited(const event& e) {
    return !e.present && std::find(limited_kinds.begin(), limited_kinds.end(), e.kind) != limited_kinds.end();
  }

  void hear_limited(const event& e) {
    const std::chrono::nanoseconds now = clock_.now();
    const line_limit::answer said = with_limit([&](line_limit& l) { return l.ask(e, level_of(e), now); });
    for (const left_out& what : said.forgotten) write(summary(what, now));
    if (!said.write) {
      left_out_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    log_record line = to_log_record(e);
    if (said.before) {
      line.message += " " + and_more(said.before->count, now - said.before->since);
      line.fields.push_back(left_out_field(said.before->count));
    }
    write(line);
  }

  void write(const log_record& r) noexcept {
    lines_.fetch_add(1, std::memory_order_relaxed);  // figures: nobody orders anything by them
    try {
      sink_(r);
    } catch (...) {
      failed_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  const log_sink sink_;
  const log_level least_;
  clock& clock_;
  std::mutex mutex_;  ///< of the limit; never held while the sink runs
  line_limit limit_;
  std::atomic<std::uint64_t> lines_{0}, left_out_{0}, failed_{0};
};

}  // namespace detail

event_log::event_log(log_sink sink, event_log_options options, clock& source) {
  std::vector<problem> problems = options.validate();
  if (!sink) problems.insert(problems.begin(), {"sink", "", "", "there is none to write to"});
  if (!problems.empty()) throw config_error(std::move(problems));
  state_ = std::make_shared<detail::event_log_state>(std::move(sink), options, source);
}

void event_log::handler_type::operator()(const event& e) const noexcept { state_->hear(e); }
void event_log::handler_type::operator()(std::string_view, const event& e) const noexcept { state_->hear(e); }

void event_log::flush() noexcept { state_->flush(); }
event_log_metrics event_log::metrics() const noexcept { return state_->metrics(); }

}  // namespace switchgear::inline v1
