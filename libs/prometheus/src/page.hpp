// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/prometheus_collector.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::detail {

enum class figure_type : std::uint8_t { counter, gauge };

/// One number of a T: how it is called, what it says and where it comes from. Figures of one name that differ by one label stand
/// beside each other, and the first has the help.
template <class T>
struct figure {
  std::string_view name;  ///< without the prefix
  figure_type type;
  std::string_view help;
  std::optional<double> (*of)(const T&);  ///< nothing: there is no such number now
  std::string_view label{};
  std::string_view label_value{};
};

using sample_labels = std::vector<::prometheus::ClientMetric::Label>;

/// A T with the labels that tell it apart.
template <class T>
struct labelled {
  sample_labels labels;
  const T* value;
};

/// The families of one Collect().
class page {
 public:
  explicit page(const prometheus_options& options);

  template <class T>
  void add(std::span<const figure<T>> figures, const std::vector<labelled<T>>& items) {
    for (const figure<T>& f : figures) {
      if (!f.help.empty()) begin(f.name, f.type, f.help, items.size());
      for (const labelled<T>& item : items) {
        if (const std::optional<double> v = f.of(*item.value)) sample(item.labels, f.label, f.label_value, *v);
      }
    }
  }
  /// A family of one sample without labels.
  void add(std::string_view name, figure_type type, std::string_view help, double value);

  [[nodiscard]] std::vector<::prometheus::MetricFamily> take();

 private:
  void begin(std::string_view name, figure_type type, std::string_view help, std::size_t expected);
  void sample(const sample_labels& labels, std::string_view label, std::string_view label_value, double value);

  const std::string prefix_;
  sample_labels constant_;
  std::vector<::prometheus::MetricFamily> families_;
};

void add_circuits(page& to, const std::vector<prometheus_circuit>& circuits, std::size_t left_out);
void add_registry(page& to, const registry_metrics& m);

struct named_reading {
  std::string name;
  metrics_reading reading;
};
void add_policies(page& to, const std::vector<named_reading>& readings);

}  // namespace switchgear::inline v1::detail
