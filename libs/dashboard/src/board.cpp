// SPDX-License-Identifier: Apache-2.0
#include "board.hpp"

#include "feed.hpp"
#include "json_object.hpp"

#include <algorithm>
#include <compare>
#include <utility>

namespace switchgear::inline v1::detail {
namespace {

/// How many circuits have series at a time, 12 KiB each at most. Of circuits beyond that, rates alone are known.
constexpr std::size_t most_series = 10'000;

std::strong_ordering order(const circuit_reading& a, const circuit_reading& b) noexcept {
  const std::strong_ordering by_name = a.now.name <=> b.now.name;
  return by_name != 0 ? by_name : a.instance <=> b.instance;
}

bool before(const circuit_reading& a, const circuit_reading& b) noexcept { return order(a, b) < 0; }

/// In order, each circuit once. Returns how many were in it twice.
std::size_t put_in_order(std::vector<circuit_reading>& readings) {
  if (!std::ranges::is_sorted(readings, before)) std::ranges::stable_sort(readings, before);
  const auto same = [](const auto& a, const auto& b) { return order(a, b) == 0; };
  const auto twice = std::unique(readings.begin(), readings.end(), same);
  const auto count = static_cast<std::size_t>(readings.end() - twice);
  readings.erase(twice, readings.end());
  return count;
}

bool rejects(const circuit_reading& r) noexcept {
  return r.enabled && !r.shadow && (r.now.state == state::open || r.now.state == state::forced_open);
}

}  // namespace

board::board(std::vector<std::string> critical, switchgear::clock& time) : critical_(std::move(critical)), time_(time) {}

std::shared_ptr<const std::string> board::take(std::optional<std::vector<circuit_reading>> readings,
                                               std::vector<std::string> problems, bool wanted) {
  if (readings) {
    if (const std::size_t twice = put_in_order(*readings); twice != 0) {
      problems.push_back("circuits with the name and the instance of another are not shown: " + std::to_string(twice));
    }
  }
  const std::lock_guard lock(mutex_);
  document_ = first_event_ = nullptr;
  problems_ = std::move(problems);
  wall_ = std::chrono::system_clock::now();
  now_ = time_.now();
  changes what;
  if (readings) {
    looked_at_ = std::exchange(read_at_, now_).value_or(now_);
    looked_.look(step_of(now_));
    what = merge(std::move(*readings));
  }
  if (!wanted) return nullptr;
  std::string out;
  add_head(out);
  out += ",\"circuits\":";
  json_list(out, what.changed, [&](const entry* e) { out += e->text; });
  out += ",\"gone\":";
  json_list(out, what.gone, [&](const auto& g) { json_object(out).text("name", g.first).text("instance", g.second).end(); });
  out += '}';
  return std::make_shared<const std::string>(std::move(out));
}

board::changes board::merge(std::vector<circuit_reading>&& readings) {
  changes out;
  entries next;
  next.reserve(readings.size());
  states_ = {};
  shadows_ = 0;
  std::size_t at = 0;
  for (circuit_reading& r : readings) {
    ++states_[static_cast<std::size_t>(r.now.state)];
    shadows_ += r.shadow ? 1 : 0;
    while (at < entries_.size() && order(entries_[at]->row.reading, r) < 0) forget(*entries_[at++], out);
    const bool known = at < entries_.size() && order(entries_[at]->row.reading, r) == 0;
    if (known) {
      next.push_back(std::move(entries_[at++]));
      if (update(*next.back(), std::move(r))) out.changed.push_back(next.back().get());
    } else {
      auto made = std::make_unique<entry>();
      made->row = row_after(nullptr, std::move(r), wall_);
      const std::string& name = made->row.reading.now.name;
      made->row.critical = std::ranges::any_of(critical_, [&](const std::string& p) { return topic_matches(p, name); });
      made->first_seen = now_;
      made->text = to_json(made->row);
      out.changed.push_back(made.get());
      next.push_back(std::move(made));
    }
  }
  while (at < entries_.size()) forget(*entries_[at++], out);
  entries_ = std::move(next);
  return out;
}

void board::forget(const entry& e, changes& out) {
  const circuit_reading& r = e.row.reading;
  if (e.calls && e.calls->has_series()) --series_;
  failures_.forget(r.now.name, r.instance);
  out.gone.emplace_back(r.now.name, r.instance);
}

bool board::update(entry& e, circuit_reading&& reading) {
  circuit_row next = row_after(&e.row, std::move(reading), wall_);
  if (next.reading.counted) {
    // What was counted before anybody counted is not known.
    const bool counted_before = e.row.reading.counted;
    note_calls(e, counted_before ? e.row.reading.now.metrics : next.reading.now.metrics, next.reading.now.metrics);
    next.rates = e.calls ? e.calls->rates() : measured_rates{};
  }
  if (same_row(e.row, next)) {
    e.row.reading.now.time_in_state = next.reading.now.time_in_state;
    e.row.reading.now.retry_after = next.reading.now.retry_after;
    return false;
  }
  e.row = std::move(next);
  e.text = to_json(e.row);
  return true;
}

void board::note_calls(entry& e, const lifetime_metrics& before, const lifetime_metrics& now) {
  const call_totals totals = totals_of(now);
  if (!e.calls) {
    const call_totals was = totals_of(before);
    if (was == totals) return;
    const bool with_series = series_ < most_series;
    series_ += with_series ? 1 : 0;
    e.calls = std::make_unique<traffic>(e.first_seen, looked_at_, now_, was, with_series);
  }
  e.calls->note(now_, totals);
  if (e.calls->is_over(now_)) {
    series_ -= e.calls->has_series() ? 1 : 0;
    e.calls.reset();
  }
}

void board::add_head(std::string& out) const {
  json_object object(out);
  object.time("time", wall_);
  json_object(object.member("summary"))
      .number("total", entries_.size())
      .number("closed", states_[static_cast<std::size_t>(state::closed)])
      .number("open", states_[static_cast<std::size_t>(state::open)])
      .number("half_open", states_[static_cast<std::size_t>(state::half_open)])
      .number("forced_open", states_[static_cast<std::size_t>(state::forced_open)])
      .number("disabled", states_[static_cast<std::size_t>(state::disabled)])
      .number("shadow", shadows_)
      .end();
  json_list(object.member("problems"), problems_, [&](const std::string& p) { out += json_string(p); });
}

std::shared_ptr<const std::string> board::document_locked() {
  if (!document_) {
    std::size_t size = 1024;
    for (const auto& e : entries_) size += e->text.size() + 1;
    std::string out;
    out.reserve(size);
    add_head(out);
    out += ",\"circuits\":";
    json_list(out, entries_, [&](const auto& e) { out += e->text; });
    out += '}';
    document_ = std::make_shared<const std::string>(std::move(out));
  }
  return document_;
}

std::shared_ptr<const std::string> board::document() {
  const std::lock_guard lock(mutex_);
  return document_locked();
}

std::shared_ptr<const std::string> board::first_event() {
  const std::lock_guard lock(mutex_);
  if (!first_event_) first_event_ = server_sent_event("circuits", *document_locked());
  return first_event_;
}

std::pair<board::entries::const_iterator, board::entries::const_iterator> board::named(std::string_view name) const {
  const auto name_of = [](const auto& e) -> std::string_view { return e->row.reading.now.name; };
  return {std::ranges::lower_bound(entries_, name, {}, name_of), std::ranges::upper_bound(entries_, name, {}, name_of)};
}

bool board::has(std::string_view name, std::string_view instance) const {
  const std::lock_guard lock(mutex_);
  const auto [first, last] = named(name);
  return std::any_of(first, last, [&](const auto& e) { return instance.empty() || e->row.reading.instance == instance; });
}

std::size_t board::count(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto [first, last] = named(name);
  return static_cast<std::size_t>(last - first);
}

std::optional<circuit_view> board::find(std::string_view name, std::string_view instance) const {
  const std::lock_guard lock(mutex_);
  const auto [first, last] = named(name);
  const entry* found = nullptr;
  for (auto at = first; at != last; ++at) {
    const circuit_reading& r = (*at)->row.reading;
    if (!instance.empty() && r.instance != instance) continue;
    if (found == nullptr || severity(r.now.state) > severity(found->row.reading.now.state)) found = at->get();
  }
  if (found == nullptr) return std::nullopt;
  const circuit_reading& r = found->row.reading;
  circuit_view out;
  out.row = found->row;
  out.row_text = found->text;
  out.failures = failures_.of(name, r.instance);
  out.time = wall_;
  const bool with_series = r.counted && (!found->calls || found->calls->has_series());
  out.series = with_series ? series_json(found->calls.get(), looked_, step_of(found->first_seen), now_, wall_)
                           : empty_series_json(wall_);
  for (auto at = first; at != last; ++at) {
    const circuit_reading& one = (*at)->row.reading;
    out.instances.push_back({one.instance, one.source, one.now.state});
  }
  return out;
}

std::vector<std::string> board::critical_open() const {
  std::vector<std::string> out;
  const std::lock_guard lock(mutex_);
  for (const auto& e : entries_) {
    const circuit_reading& r = e->row.reading;
    if (e->row.critical && rejects(r) && (out.empty() || out.back() != r.now.name)) out.push_back(r.now.name);
  }
  return out;
}

std::vector<prometheus_circuit> board::circuits() const {
  std::vector<prometheus_circuit> out;
  const std::lock_guard lock(mutex_);
  out.reserve(entries_.size());
  for (const auto& e : entries_) out.push_back({e->row.reading.now, e->row.reading.instance, e->row.reading.counted});
  return out;
}

}  // namespace switchgear::inline v1::detail
