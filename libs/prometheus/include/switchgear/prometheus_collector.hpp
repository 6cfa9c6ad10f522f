// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/adaptive_limiter.hpp>
#include <switchgear/bulkhead.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/event_bus.hpp>
#include <switchgear/fallback.hpp>
#include <switchgear/hedge.hpp>
#include <switchgear/last_known_good.hpp>
#include <switchgear/provider_chain.hpp>
#include <switchgear/rate_limiter.hpp>
#include <switchgear/registry.hpp>
#include <switchgear/retry.hpp>
#include <switchgear/retry_budget.hpp>
#include <switchgear/snapshot.hpp>
#include <switchgear/thread_pool.hpp>
#include <switchgear/time_limiter.hpp>
#include <switchgear/timeout.hpp>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace switchgear::inline v1 {

/// How the metrics are named and how many there can be. An aggregate, for designated initialisers.
struct prometheus_options {
  /// What every name begins with, before an underscore: letters, digits and underscores, no digit first.
  std::string prefix = "switchgear";

  /// Labels that every sample carries, for example the service; values of 1 … 200 bytes of UTF-8 without control characters.
  /// Not a name that the metrics use themselves: `name`, `circuit_instance`, `state`, `outcome`, `kind`, `provider`.
  std::map<std::string, std::string> labels{};

  /// Of how many circuits at most, 1 … 1,000,000; those beyond it are left out and counted in `switchgear_circuits_left_out`.
  /// Each takes about 30 time series in the server. A registry gives the first in the order of names.
  std::size_t max_circuits = 10'000;

  /// Every problem at once; empty when the options are good.
  [[nodiscard]] std::vector<problem> validate() const;
};

/// One circuit, for collectors whose circuits do not come from a registry.
struct prometheus_circuit {
  snapshot now;            ///< without state_changes
  std::string instance{};  ///< tells circuits of one name apart: the label `circuit_instance`, unless empty
  bool counted = true;     ///< false: only the state is known; counters, the window and counts of the moment are left out
};

/// One member of a fleet: how it stands to the others and what it has done since it began. Has what fleet::metrics has, without
/// needing a fleet.
struct prometheus_fleet {
  enum class link : std::uint8_t { connecting, shared, local };  ///< as fleet::link: only when shared others are heard
  link now = link::connecting;
  std::uint64_t requests = 0;
  std::uint64_t replies = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t link_losses = 0;
  std::uint64_t local_decisions = 0;
  std::uint64_t fleet_decisions = 0;
  std::uint64_t stale = 0;
  std::uint64_t leases_granted = 0;
  std::uint64_t leases_unused = 0;
  std::uint64_t leases_lost = 0;
  std::uint64_t restores = 0;
  std::uint32_t members = 0;  ///< 0: unknown, and left out
};

namespace detail {

/// What can be added to a collector beside circuits.
using metrics_reading =
    std::variant<retry_metrics, retry_budget_metrics, timeout_metrics, time_limiter_metrics, thread_pool_metrics,
                 fallback_metrics, bulkhead_metrics, rate_limiter_metrics, adaptive_limiter_metrics, hedge_metrics,
                 last_known_good_metrics, std::vector<provider_metrics>, bus_metrics,
                 prometheus_fleet>;

template <class P>
concept policy_with_metrics = std::copy_constructible<P> && requires(const P& policy) {
  { metrics_reading(policy.metrics()) };
};

/// Whatever tells the metrics of a fleet's member, as fleet::member does.
template <class M>
concept fleet_with_metrics = requires(const M& member) {
  { member.metrics().now == decltype(member.metrics().now)::shared } -> std::convertible_to<bool>;
  { member.metrics().now == decltype(member.metrics().now)::local } -> std::convertible_to<bool>;
  { member.metrics().fleet_decisions } -> std::convertible_to<std::uint64_t>;
  { member.metrics().leases_granted } -> std::convertible_to<std::uint64_t>;
};

template <class Metrics>
prometheus_fleet fleet_reading(const Metrics& m) {
  using link = prometheus_fleet::link;
  using theirs = decltype(m.now);
  return {.now = m.now == theirs::shared ? link::shared : m.now == theirs::local ? link::local : link::connecting,
          .requests = m.requests,
          .replies = m.replies,
          .timeouts = m.timeouts,
          .link_losses = m.link_losses,
          .local_decisions = m.local_decisions,
          .fleet_decisions = m.fleet_decisions,
          .stale = m.stale,
          .leases_granted = m.leases_granted,
          .leases_unused = m.leases_unused,
          .leases_lost = m.leases_lost,
          .restores = m.restores,
          .members = m.members};
}

}  // namespace detail

/// Shows circuits, policies, buses and members of fleets to Prometheus: register it with a prometheus::Registry, or serve
/// to_prometheus_text() of Collect().
///
///     auto metrics = std::make_shared<sg::prometheus_collector>(circuits);
///     metrics->add("orders", retry_orders);
///     exposer.RegisterCollectable(metrics);
///
/// Names and help texts are listed in the README of the component. Times are in seconds, ratios 0 … 1. Circuits are told apart
/// by the label `name`; reasons, owners and failure texts are no labels, because there is no bound on how many there can be.
///
/// Counters never go down while a circuit lives, except when reset_metrics() is called; a circuit that was evicted or removed and
/// made again begins at 0. Prometheus takes both for a restart: rate() and increase() stay right.
///
/// Thread safety: every function from any thread. Collect() calls the function of circuits outside every lock.
///
/// Cost: Collect() makes about 30 samples for each circuit, each with its labels.
class prometheus_collector final : public ::prometheus::Collectable {
 public:
  /// Gives all circuits; called once for each Collect(), by any thread. What it throws leaves Collect().
  using circuit_function = std::function<std::vector<prometheus_circuit>()>;

  /// Policies and buses alone. Here and below, throws config_error with every problem of the options.
  explicit prometheus_collector(prometheus_options options = {});
  /// The circuits of a registry, and what it does itself. It outlives the collector.
  explicit prometheus_collector(const registry& circuits, prometheus_options options = {});
  /// Circuits from anywhere. Left out and counted as such are, besides those beyond the bound: of several with the same name and
  /// instance all but the first, and those whose name no breaker could have (see validate_name).
  explicit prometheus_collector(circuit_function circuits, prometheus_options options = {});
  ~prometheus_collector() override;

  /// Adds a policy: a retry, retry_budget, timeout, time_limiter, fallback, bulkhead, rate_limiter, adaptive_limiter, hedge,
  /// last_known_good or provider_chain. `name` becomes the label `name`. Policies are handles: the collector keeps one, so the
  /// policy may go; what a policy refers to itself (a clock, an executor) has to outlive the collector. Here and below, throws
  /// config_error when something of the same sort has that name already.
  template <detail::policy_with_metrics Policy>
  void add(std::string name, const Policy& policy) {
    add_reading(std::move(name), [policy] { return detail::metrics_reading(policy.metrics()); });
  }
  /// The pool outlives the collector.
  void add(std::string name, const thread_pool& pool);
  /// The bus outlives the collector.
  void add(std::string name, const event_bus& bus);
  /// A fleet::member, or anything whose metrics() has the same members; it outlives the collector. `name` is the fleet's.
  template <detail::fleet_with_metrics Member>
    requires(!detail::policy_with_metrics<Member>)
  void add(std::string name, const Member& member) {
    add_reading(std::move(name), [&member] { return detail::metrics_reading(detail::fleet_reading(member.metrics())); });
  }

  [[nodiscard]] std::vector<::prometheus::MetricFamily> Collect() const override;

 private:
  void add_reading(std::string name, std::function<detail::metrics_reading()> read);

  struct state;
  const std::unique_ptr<state> state_;
};

/// The text that Prometheus scrapes, in its format 0.0.4: serve it as `text/plain; version=0.0.4; charset=utf-8`.
[[nodiscard]] std::string to_prometheus_text(const std::vector<::prometheus::MetricFamily>& families);

}  // namespace switchgear::inline v1
