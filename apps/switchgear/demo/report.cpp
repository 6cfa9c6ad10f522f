// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

namespace switchgear::demo {
namespace {

using nlohmann::json;

double to_seconds(std::chrono::nanoseconds d) { return static_cast<double>(d.count()) / 1e9; }

std::string seconds_text(double s) { return short_time(std::chrono::nanoseconds(static_cast<std::int64_t>(s * 1e9))); }

using tally_of_each = std::array<tally, upstream_names.size()>;

std::vector<std::int64_t> all(const tally_of_each& of, std::vector<std::int64_t> tally::*which) {
  std::vector<std::int64_t> values;
  for (const tally& t : of) values.insert(values.end(), (t.*which).begin(), (t.*which).end());
  return values;
}

std::chrono::nanoseconds wasted(const tally_of_each& of) {
  std::chrono::nanoseconds sum{0};
  for (const tally& t : of) sum += t.wasted();
  return sum;
}

json quantiles(const std::vector<std::int64_t>& values) {
  return {{"median", quantile(values, 0.5).count()}, {"p99", quantile(values, 0.99).count()}};
}

json one(const tally& t) {
  return {{"calls", t.calls()},
          {"successes", t.passed},
          {"failures", t.failed},
          {"rejections", t.rejected},
          {"seconds_wasted", to_seconds(t.wasted())}};
}

void table_row(screen& to, std::string_view upstream, std::string_view who, const tally& t) {
  const auto count = [](std::uint64_t n) { return right(std::to_string(n), 10); };
  to.line("  " + left(upstream, 10) + left(who, 11) + count(t.calls()) + count(t.passed) + count(t.failed) +
          count(t.rejected) + right(number("%.2f s", to_seconds(t.wasted())), 15));
}

}  // namespace

std::vector<std::string> results::problems() const {
  std::vector<std::string> found;
  for (const client_story& c : clients) {
    const std::string whose = "circuit payments of client process " + std::to_string(c.pid);
    if (!c.opened) {
      found.push_back(whose + " did not open");
    } else if (!c.recovered) {
      found.push_back(whose + " opened and did not recover");
    }
  }
  return found;
}

void print(const results& r, screen& to) {
  to.line();
  to.line("  upstream  callers         calls successes  failures  rejected    time wasted", colour::bold);
  for (std::size_t u = 0; u < upstream_names.size(); ++u) {
    table_row(to, upstream_names[u], "guarded", r.counts.guarded[u]);
    table_row(to, "", "unguarded", r.counts.unguarded[u]);
  }
  const auto with = wasted(r.counts.guarded), without = wasted(r.counts.unguarded);
  const auto rejections = all(r.counts.guarded, &tally::rejection_ns);
  const auto failures = all(r.counts.unguarded, &tally::failure_ns);
  to.line();
  if (without.count() > 0) {
    to.line("  time not wasted    " + number("%.2f s", to_seconds(without - with)) +
                number(", %.0f %% of what", 100 * to_seconds(without - with) / to_seconds(without)) +
                " the unguarded callers lost",
            colour::green);
  }
  const auto more = static_cast<std::int64_t>(r.counts.guarded[search].passed) -
                    static_cast<std::int64_t>(r.counts.unguarded[search].passed);
  if (more > 0) {
    to.line("  calls to search    " + std::to_string(more) + " more got through: guarded threads do not hang",
            colour::green);
  }
  if (!rejections.empty()) {
    to.line("  a rejection took   " + short_time(quantile(rejections, 0.5)) + " (median), " +
            short_time(quantile(rejections, 0.99)) + " (99th percentile)");
  }
  if (!failures.empty()) {
    to.line("  a failed call took " + short_time(quantile(failures, 0.5)) + " (median of the unguarded callers)");
  }
  for (std::size_t i = 0; i < r.clients.size(); ++i) {
    const client_story& c = r.clients[i];
    if (!c.opened || !c.recovered) continue;
    to.line("  client [" + std::to_string(i + 1) + "]         opened " + seconds_text(*c.opened - r.killed_at) +
            " after the kill, closed " + seconds_text(*c.recovered - r.restarted_at) + " after restart");
  }
  to.line();
  const auto problems = r.problems();
  for (const std::string& p : problems) to.line("  FAILED: " + p, colour::red);
  if (problems.empty()) to.line("  Every circuit opened and recovered.", colour::bold);
}

json to_json(const results& r) {
  json upstreams, clients = json::array();
  for (std::size_t u = 0; u < upstream_names.size(); ++u) {
    upstreams[std::string(upstream_names[u])] = {{"guarded", one(r.counts.guarded[u])},
                                                 {"unguarded", one(r.counts.unguarded[u])}};
  }
  for (const client_story& c : r.clients) {
    clients.push_back({{"pid", c.pid},
                       {"opened_at", c.opened ? json(*c.opened) : json()},
                       {"recovered_at", c.recovered ? json(*c.recovered) : json()},
                       {"transitions", c.transitions},
                       {"breakers", c.breakers}});
  }
  const auto rejections = all(r.counts.guarded, &tally::rejection_ns);
  const auto failures = all(r.counts.unguarded, &tally::failure_ns);
  const auto problems = r.problems();
  return {{"ok", problems.empty()},
          {"problems", problems},
          {"seconds", r.seconds},
          {"killed_at", r.killed_at},
          {"restarted_at", r.restarted_at},
          {"call_timeout_seconds", r.timeout},
          {"upstreams", upstreams},
          {"seconds_not_wasted", to_seconds(wasted(r.counts.unguarded) - wasted(r.counts.guarded))},
          {"rejection_ns", quantiles(rejections)},
          {"unguarded_failure_ns", quantiles(failures)},
          {"clients", clients}};
}

}  // namespace switchgear::demo
