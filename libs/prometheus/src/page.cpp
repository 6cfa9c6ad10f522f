// SPDX-License-Identifier: Apache-2.0
#include "page.hpp"

#include <utility>

namespace switchgear::inline v1::detail {

page::page(const prometheus_options& options) : prefix_(options.prefix + '_') {
  for (const auto& [name, value] : options.labels) constant_.push_back({name, value});
}

void page::begin(std::string_view name, figure_type type, std::string_view help, std::size_t expected) {
  // A family in which nothing was to be said is not shown.
  if (families_.empty() || !families_.back().metric.empty()) families_.emplace_back();
  ::prometheus::MetricFamily& family = families_.back();
  family.name = prefix_;
  family.name += name;
  family.help = help;
  family.type = type == figure_type::counter ? ::prometheus::MetricType::Counter : ::prometheus::MetricType::Gauge;
  family.metric.reserve(expected);
}

void page::sample(const sample_labels& labels, std::string_view label, std::string_view label_value, double value) {
  ::prometheus::MetricFamily& family = families_.back();
  ::prometheus::ClientMetric& m = family.metric.emplace_back();
  m.label.reserve(constant_.size() + labels.size() + 1);
  m.label.insert(m.label.end(), constant_.begin(), constant_.end());
  m.label.insert(m.label.end(), labels.begin(), labels.end());
  if (!label.empty()) m.label.push_back({std::string(label), std::string(label_value)});
  (family.type == ::prometheus::MetricType::Counter ? m.counter.value : m.gauge.value) = value;
}

void page::add(std::string_view name, figure_type type, std::string_view help, double value) {
  begin(name, type, help, 1);
  sample({}, {}, {}, value);
}

std::vector<::prometheus::MetricFamily> page::take() {
  if (!families_.empty() && families_.back().metric.empty()) families_.pop_back();
  return std::exchange(families_, {});
}

}  // namespace switchgear::inline v1::detail
