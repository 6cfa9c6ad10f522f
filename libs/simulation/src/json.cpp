// SPDX-License-Identifier: Apache-2.0
#include <switchgear/json.hpp>
#include <switchgear/simulation/report.hpp>

#include <cmath>
#include <cstdio>
#include <string_view>

namespace switchgear::inline v1::simulation {
namespace {

/// An object that is being written, with its members in the order in which they come.
class object {
 public:
  object& raw(std::string_view key, std::string_view json) {
    out_ += out_.size() == 1 ? "" : ",";
    out_ += json_string(key);
    out_ += ":";
    out_ += json;
    return *this;
  }
  object& put(std::string_view key, std::string_view text) { return raw(key, json_string(text)); }
  object& put(std::string_view key, const char* text) { return raw(key, json_string(text)); }
  object& put(std::string_view key, bool b) { return raw(key, b ? "true" : "false"); }
  template <std::integral T>
  object& put(std::string_view key, T n) {
    return raw(key, std::to_string(n));
  }
  /// Four digits behind the point are enough for everything here.
  object& put(std::string_view key, double n) { return raw(key, json_number(std::round(n * 1e4) / 1e4)); }
  object& put(std::string_view key, std::chrono::nanoseconds d) { return put(key, static_cast<double>(d.count()) * 1e-9); }
  object& put(std::string_view key, const std::optional<std::chrono::nanoseconds>& d) {
    return d ? put(key, *d) : raw(key, "null");
  }
  [[nodiscard]] std::string text() const { return out_ + "}"; }

 private:
  std::string out_ = "{";
};

template <class List, class Write>
std::string array(const List& list, const Write& write) {
  std::string out = "[";
  for (const auto& item : list) out += (out.size() == 1 ? "" : ",") + write(item);
  return out + "]";
}

std::string to_json(const fleet::metrics& m) {
  return object()
      .put("requests", m.requests)
      .put("replies", m.replies)
      .put("timeouts", m.timeouts)
      .put("link_losses", m.link_losses)
      .put("local_decisions", m.local_decisions)
      .put("fleet_decisions", m.fleet_decisions)
      .put("stale", m.stale)
      .put("leases_granted", m.leases_granted)
      .put("leases_unused", m.leases_unused)
      .put("leases_lost", m.leases_lost)
      .put("restores", m.restores)
      .text();
}

std::string to_json(const violation& v) {
  return object()
      .put("rule", v.rule)
      .put("what", v.what)
      .put("instance", v.instance)
      .put("at_seconds", v.at)
      .raw("events", array(v.events, [](const std::string& s) { return json_string(s); }))
      .text();
}

std::string to_json(const report& r) {
  object out;
  out.put("instances", r.instances)
      .put("seconds", r.duration)
      .put("first_knows_seconds", r.first_knows)
      .put("half_know_seconds", r.half_know)
      .put("most_know_seconds", r.most_know)
      .put("calls", r.calls)
      .put("admitted", r.admitted)
      .put("rejected", r.rejected)
      .put("wasted_calls", r.wasted)
      .put("probes", r.probes)
      .put("probes_at_once", r.probes_at_once)
      .put("overshoot", r.overshoot)
      .put("failed_after_revival", r.failed_after)
      .put("collapses", r.collapses)
      .put("full_service_seconds", r.full_service)
      .put("messages_per_instance_second", r.messages)
      .put("store_busy", r.store_busy)
      .put("events", r.events)
      .put("trouble_at_seconds", r.trouble_at)
      .put("revived_at_seconds", r.revived_at);
  if (r.sharing) out.raw("totals", to_json(r.totals));
  out.put("sample_seconds", r.sample_length);
  out.raw("samples", array(r.samples, [](const sample& s) {
            return object()
                .put("load", s.load)
                .put("good", s.good)
                .put("capacity", s.capacity)
                .put("open", s.open)
                .put("probes", s.probes)
                .text();
          }));
  out.raw("violation", r.violated ? to_json(*r.violated) : "null");
  return out.text();
}

const char* name_of(fleet::sharing s) {
  switch (s) {
    case fleet::sharing::local: return "local";
    case fleet::sharing::any: return "any";
    case fleet::sharing::quorum: return "quorum";
    case fleet::sharing::evidence: return "evidence";
  }
  return "";
}

}  // namespace

std::string to_json(const comparison& c) {
  object out;
  out.put("instances", c.of.instances)
      .put("seed", c.of.seed)
      .put("minutes", static_cast<double>(c.of.duration.count()) / 60e9)
      .put("plan", c.of.plan)
      .put("mode", name_of(c.of.fleet.opening))
      .put("calls_per_second", c.of.calls_per_second);
  out.raw("with_sharing", c.shared ? to_json(*c.shared) : "null");
  out.raw("without_sharing", c.alone ? to_json(*c.alone) : "null");
  return out.text();
}

std::string spoken(const std::optional<std::chrono::nanoseconds>& d) {
  if (!d) return "never";
  const double s = static_cast<double>(d->count()) * 1e-9;
  char text[48];
  if (s < 1) {
    std::snprintf(text, sizeof text, "%.0fms", s * 1000);
  } else if (s < 60) {
    std::snprintf(text, sizeof text, "%.2fs", s);
  } else {
    const long long whole = std::llround(s);
    std::snprintf(text, sizeof text, "%lldm%02llds", whole / 60, whole % 60);
  }
  return text;
}

}  // namespace switchgear::inline v1::simulation
