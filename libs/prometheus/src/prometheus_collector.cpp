// SPDX-License-Identifier: Apache-2.0
#include "page.hpp"

#include <switchgear/detail/validation.hpp>

#include <prometheus/check_names.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <sstream>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace switchgear::inline v1 {
namespace {

constexpr std::size_t most_circuits = 1'000'000;
constexpr std::string_view own_labels[] = {"name", "circuit_instance", "state", "outcome", "kind", "provider"};

/// What a name may be, a label may be: UTF-8 without control characters.
bool is_good_label(std::string_view value) { return !validate_name(value); }

struct entry {
  std::string name;
  std::size_t sort;  ///< which alternative of metrics_reading it gives
  std::function<detail::metrics_reading()> read;
};

}  // namespace

std::vector<problem> prometheus_options::validate() const {
  detail::validation v;
  const bool plain = prefix.find(':') == std::string::npos;  // colons are for recording rules
  v.expect(plain && ::prometheus::CheckMetricName(prefix), "prefix", prefix, "letters, digits and _, no digit first",
           "does not begin names of metrics");
  for (const auto& label : labels) {
    v.expect(::prometheus::CheckLabelName(label.first), "labels", label.first, "letters, digits and _, no digit first, not __",
             "is no name of a label");
    v.expect(std::ranges::find(own_labels, label.first) == std::end(own_labels), "labels", label.first, "",
             "is a label of the metrics themselves");
    v.expect(is_good_label(label.second), "labels." + label.first, label.second,
             "1 … 200 bytes of UTF-8 without control characters", "is no value of a label");
  }
  v.in_range("max_circuits", max_circuits, 1, static_cast<std::int64_t>(most_circuits));
  return v.take();
}

struct prometheus_collector::state {
  state(prometheus_options o, const registry* of, circuit_function f)
      : options(std::move(o)), circuits(of), function(std::move(f)) {
    detail::require_no(options.validate());
  }

  /// At most max_circuits; the others are counted.
  [[nodiscard]] std::vector<prometheus_circuit> read_registry(std::size_t& left_out) const {
    std::vector<snapshot> all = circuits->figures();
    const std::size_t shown = std::min(all.size(), options.max_circuits);
    left_out = all.size() - shown;
    std::vector<prometheus_circuit> out;
    out.reserve(shown);
    for (std::size_t i = 0; i < shown; ++i) out.push_back({.now = std::move(all[i])});
    return out;
  }

  [[nodiscard]] std::vector<prometheus_circuit> read_function(std::size_t& left_out) const {
    std::vector<prometheus_circuit> all = function();
    const std::size_t given = all.size();
    // One label that is no UTF-8, and the server refuses all; two samples with the same labels are one too many for it.
    std::unordered_set<std::string> seen;
    seen.reserve(std::min(given, options.max_circuits));
    std::erase_if(all, [&](const prometheus_circuit& c) {
      return seen.size() == options.max_circuits || !is_good_label(c.now.name) ||
             (!c.instance.empty() && !is_good_label(c.instance)) || !seen.insert(c.now.name + '\0' + c.instance).second;
    });
    left_out = given - all.size();
    return all;
  }

  const prometheus_options options;
  const registry* const circuits;
  const circuit_function function;
  std::mutex mutex;
  std::vector<std::shared_ptr<const entry>> entries;
};

prometheus_collector::prometheus_collector(prometheus_options options)
    : state_(std::make_unique<state>(std::move(options), nullptr, nullptr)) {}

prometheus_collector::prometheus_collector(const registry& circuits, prometheus_options options)
    : state_(std::make_unique<state>(std::move(options), &circuits, nullptr)) {}

prometheus_collector::prometheus_collector(circuit_function circuits, prometheus_options options)
    : state_(std::make_unique<state>(std::move(options), nullptr, std::move(circuits))) {}

prometheus_collector::~prometheus_collector() = default;

void prometheus_collector::add(std::string name, const thread_pool& pool) {
  add_reading(std::move(name), [&pool] { return detail::metrics_reading(pool.metrics()); });
}

void prometheus_collector::add(std::string name, const event_bus& bus) {
  add_reading(std::move(name), [&bus] { return detail::metrics_reading(bus.metrics()); });
}

void prometheus_collector::add_reading(std::string name, std::function<detail::metrics_reading()> read) {
  const std::size_t sort = read().index();
  detail::validation v;
  v.name(name);
  const std::lock_guard lock(state_->mutex);
  const auto same = [&](const auto& e) { return e->sort == sort && e->name == name; };
  v.expect(std::ranges::none_of(state_->entries, same), "name", name, "", "is the name of another of the same sort");
  detail::require_no(v.take());
  state_->entries.push_back(std::make_shared<const entry>(entry{std::move(name), sort, std::move(read)}));
}

std::vector<::prometheus::MetricFamily> prometheus_collector::Collect() const {
  std::vector<std::shared_ptr<const entry>> entries;
  {
    const std::lock_guard lock(state_->mutex);
    entries = state_->entries;
  }
  detail::page page(state_->options);
  if (state_->circuits != nullptr || state_->function) {
    std::size_t left_out = 0;
    const auto circuits = state_->circuits != nullptr ? state_->read_registry(left_out) : state_->read_function(left_out);
    detail::add_circuits(page, circuits, left_out);
  }
  if (state_->circuits != nullptr) detail::add_registry(page, state_->circuits->metrics());

  std::vector<detail::named_reading> readings;
  readings.reserve(entries.size());
  for (const auto& e : entries) readings.push_back({e->name, e->read()});
  detail::add_policies(page, readings);

  page.add("events_dropped_total", detail::figure_type::counter,
           "Events that were dropped because observers were too slow, in this process.", static_cast<double>(dropped_events()));
  return page.take();
}

std::string to_prometheus_text(const std::vector<::prometheus::MetricFamily>& families) {
  std::ostringstream out;
  ::prometheus::TextSerializer().Serialize(out, families);
  return std::move(out).str();
}

}  // namespace switchgear::inline v1
