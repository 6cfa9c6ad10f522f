// SPDX-License-Identifier: Apache-2.0
#include <switchgear/simulation/report.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace switchgear::inline v1::simulation {
namespace {

constexpr double width = 900;
constexpr double left = 74;
constexpr double right = 884;
constexpr double panel_height = 180;
constexpr double panel_gap = 56;
constexpr double first_panel = 104;
constexpr double height = first_panel + 3 * panel_height + 2 * panel_gap + 52;

constexpr const char* style = R"(<style>
  text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; fill: #59636e; }
  .title { font-size: 16px; font-weight: 600; fill: #1f2328; }
  .name { font-size: 13px; font-weight: 600; fill: #1f2328; }
  .curve { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
  .with { stroke: #0969da; }
  .without { stroke: #bc4c00; }
  .capacity { stroke: #59636e; stroke-width: 1.2; stroke-dasharray: 5 4; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .band { fill: #f6e3e1; }
  .ground { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1; }
    .title, .name { fill: #f0f6fc; }
    .with { stroke: #4493f8; }
    .without { stroke: #f0883e; }
    .capacity { stroke: #9198a1; }
    .grid { stroke: #3d444d; }
    .band { fill: #3a2124; }
    .ground { fill: #0d1117; }
  }
</style>
)";

std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

/// As a label of an axis: `1200`, `0.5`, `12k`, `1.5M`.
std::string label(double value) {
  char text[40];
  const char* unit = "";
  if (value >= 1e6) {
    value /= 1e6;
    unit = "M";
  } else if (value >= 1e4) {
    value /= 1e3;
    unit = "k";
  }
  std::snprintf(text, sizeof text, "%.4g%s", value, unit);
  return text;
}

/// The distance of grid lines, 1, 2 or 5 times a power of ten, so that there are `wanted` of them or somewhat fewer.
double step_for(double most, int wanted) {
  const double rough = std::max(most, 1e-9) / wanted;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double times : {1.0, 2.0, 5.0}) {
    if (times * power >= rough * 0.999) return times * power;
  }
  return 10 * power;
}

std::string text_at(double x, double y, std::string_view anchor, std::string_view what, std::string_view kind = {}) {
  std::string out = "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\"";
  if (anchor != "start") out += " text-anchor=\"" + std::string(anchor) + "\"";
  if (!kind.empty()) out += " class=\"" + std::string(kind) + "\"";
  return out + ">" + std::string(what) + "</text>\n";
}

std::string line_at(double x1, double y1, double x2, double y2, std::string_view kind) {
  return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) + "\" y2=\"" + number(y2) +
         "\" class=\"" + std::string(kind) + "\"/>\n";
}

/// A run, how it is drawn and what it is called.
struct curve {
  const report* of;
  const char* kind;
  const char* name;
};

class panel {
 public:
  panel(int which, double seconds, double most) : top_(first_panel + which * (panel_height + panel_gap)), seconds_(seconds) {
    step_ = step_for(most, 4);
    if (step_ < 1) step_ = 1;
    most_ = std::max(step_, std::ceil(most / step_ - 1e-9) * step_);
  }
  [[nodiscard]] double x(double second) const { return left + (right - left) * std::min(1.0, second / seconds_); }
  [[nodiscard]] double y(double value) const { return top_ + panel_height * (1 - value / most_); }

  [[nodiscard]] std::string ground(const report& r, std::string_view name) const {
    std::string out;
    const double from = static_cast<double>(r.trouble_at.count()) * 1e-9;
    const double to = r.revived_at.count() == 0 ? seconds_ : static_cast<double>(r.revived_at.count()) * 1e-9;
    if (r.trouble_at.count() > 0) {
      out += "<rect x=\"" + number(x(from)) + "\" y=\"" + number(top_) + "\" width=\"" + number(x(to) - x(from)) +
             "\" height=\"" + number(panel_height) + "\" class=\"band\"/>\n";
    }
    out += text_at(left, top_ - 10, "start", name, "name");
    for (double value = 0; value <= most_ * 1.0001; value += step_) {
      out += line_at(left, y(value), right, y(value), "grid") + text_at(left - 8, y(value) + 4, "end", label(value));
    }
    const bool minutes = seconds_ >= 240;
    const double unit = minutes ? 60 : 1;
    const double step = step_for(seconds_ / unit, 10);
    for (double at = 0; at <= seconds_ / unit * 1.0001; at += step) {
      out += line_at(x(at * unit), top_ + panel_height, x(at * unit), top_ + panel_height + 4, "grid") +
             text_at(x(at * unit), top_ + panel_height + 18, "middle", label(at) + (minutes ? " min" : " s"));
    }
    return out;
  }

  template <class Value>
  [[nodiscard]] std::string draw(const report& r, std::string_view kind, const Value& value) const {
    std::string points;
    double second = 0;
    for (const sample& s : r.samples) {
      second += static_cast<double>(r.sample_length.count()) * 1e-9;
      points += (points.empty() ? "" : " ") + number(x(second)) + "," + number(y(std::min(most_, value(s))));
    }
    return "<polyline class=\"curve " + std::string(kind) + "\" points=\"" + points + "\"/>\n";
  }

 private:
  double top_, seconds_;
  double step_ = 1;
  double most_ = 1;
};

std::string legend(const std::vector<curve>& curves) {
  std::string out;
  double x = left;
  const auto entry = [&](std::string_view kind, std::string_view name) {
    out += line_at(x, 66, x + 26, 66, "curve " + std::string(kind)) + text_at(x + 32, 70, "start", name);
    x += 46 + 7.2 * static_cast<double>(name.size());
  };
  for (const curve& c : curves) entry(c.kind, c.name);
  entry("capacity", "capacity of the upstream");
  out += "<rect x=\"" + number(x) + "\" y=\"59.0\" width=\"26\" height=\"14\" class=\"band\"/>\n" +
         text_at(x + 32, 70, "start", "the upstream is dead or slow");
  return out;
}

}  // namespace

std::string to_svg(const comparison& c) {
  std::vector<curve> curves;
  if (c.alone) curves.push_back({&*c.alone, "without", "without sharing"});
  if (c.shared) curves.push_back({&*c.shared, "with", "with sharing"});
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(width) + " " + number(height) +
                    "\" width=\"" + number(width) + "\" height=\"" + number(height) + "\" role=\"img\">\n";
  const std::string title = std::to_string(c.of.instances) + (c.of.instances == 1 ? " instance" : " instances") + ", plan " +
                            c.of.plan + ", seed " + std::to_string(c.of.seed);
  out += "<title>" + title + "</title>\n";
  out += style;
  out += "<rect width=\"100%\" height=\"100%\" class=\"ground\"/>\n";
  out += text_at(left, 38, "start", title, "title") + legend(curves);
  if (curves.empty()) return out + "</svg>\n";

  double seconds = 0;
  sample most;
  for (const curve& one : curves) {
    seconds = std::max(seconds, static_cast<double>(one.of->duration.count()) * 1e-9);
    for (const sample& s : one.of->samples) {
      most.load = std::max({most.load, s.load, s.capacity});
      most.open = std::max(most.open, s.open);
      most.probes = std::max(most.probes, s.probes);
    }
  }
  const panel load(0, seconds, most.load);
  const panel open(1, seconds, most.open);
  const panel probes(2, seconds, most.probes);
  out += load.ground(*curves.front().of, "calls a second that reach the upstream");
  out += load.draw(*curves.back().of, "capacity", [](const sample& s) { return s.capacity; });
  out += open.ground(*curves.front().of, "instances whose circuit is not closed");
  out += probes.ground(*curves.front().of, "probes in flight at a time, at the most");
  for (const curve& one : curves) {
    out += load.draw(*one.of, one.kind, [](const sample& s) { return s.load; });
    out += open.draw(*one.of, one.kind, [](const sample& s) { return static_cast<double>(s.open); });
    out += probes.draw(*one.of, one.kind, [](const sample& s) { return static_cast<double>(s.probes); });
  }
  return out + "</svg>\n";
}

}  // namespace switchgear::inline v1::simulation
