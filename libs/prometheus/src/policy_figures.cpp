// SPDX-License-Identifier: Apache-2.0
#include "page.hpp"

#include <chrono>
#include <cstddef>
#include <span>
#include <utility>

namespace switchgear::inline v1::detail {
namespace {

using number = std::optional<double>;
constexpr auto counter = figure_type::counter;
constexpr auto gauge = figure_type::gauge;

template <auto Member>
struct owner;
template <class T, class M, M T::*Member>
struct owner<Member> {
  using type = T;
};

/// The member as it is, durations in seconds.
template <auto Member>
number of(const typename owner<Member>::type& m) {
  if constexpr (requires { (m.*Member).count(); }) {
    return std::chrono::duration<double>(m.*Member).count();
  } else {
    return static_cast<double>(m.*Member);
  }
}

constexpr figure<retry_metrics> retry_figures[] = {
    {"retry_calls_total", counter, "Calls through the retry, each under the one way in which it ended.",
     of<&retry_metrics::first_try>, "outcome", "first_try"},
    {"", counter, "", of<&retry_metrics::after_retries>, "outcome", "after_retries"},
    {"", counter, "", of<&retry_metrics::attempts_used_up>, "outcome", "attempts_used_up"},
    {"", counter, "", of<&retry_metrics::time_used_up>, "outcome", "time_used_up"},
    {"", counter, "", of<&retry_metrics::not_retryable>, "outcome", "not_retryable"},
    {"", counter, "", of<&retry_metrics::rejected>, "outcome", "rejected"},
    {"", counter, "", of<&retry_metrics::budget_used_up>, "outcome", "budget_used_up"},
    {"", counter, "", of<&retry_metrics::cancelled>, "outcome", "cancelled"},
    {"retry_retries_total", counter, "Attempts after the first.", of<&retry_metrics::retries>},
};

constexpr figure<retry_budget_metrics> retry_budget_figures[] = {
    {"retry_budget_calls_total", counter, "Calls that earned retries.", of<&retry_budget_metrics::calls>},
    {"retry_budget_retries_total", counter, "Retries that were paid for.", of<&retry_budget_metrics::retries>},
    {"retry_budget_refused_total", counter, "Retries that could not be paid for.", of<&retry_budget_metrics::refused>},
    {"retry_budget_saved", gauge, "Retries that could be paid for now.", of<&retry_budget_metrics::saved>},
};

constexpr figure<timeout_metrics> timeout_figures[] = {
    {"timeout_timeouts_total", counter, "Calls that took too long.", of<&timeout_metrics::timeouts>},
};

constexpr figure<time_limiter_metrics> time_limiter_figures[] = {
    {"time_limiter_timeouts_total", counter, "Calls that took too long.", of<&time_limiter_metrics::timeouts>},
    {"time_limiter_cancelled_total", counter, "Callers that left before the deadline.", of<&time_limiter_metrics::cancelled>},
    {"time_limiter_refused_total", counter, "Calls that the executor did not take.", of<&time_limiter_metrics::refused>},
    {"time_limiter_abandoned", gauge, "Calls that are out now although their callers have left.",
     of<&time_limiter_metrics::abandoned>},
};

constexpr figure<thread_pool_metrics> thread_pool_figures[] = {
    {"thread_pool_threads", gauge, "Threads that have been started.", of<&thread_pool_metrics::threads>},
    {"thread_pool_running", gauge, "Pieces of work that run now.", of<&thread_pool_metrics::running>},
    {"thread_pool_waiting", gauge, "Pieces of work that wait now.", of<&thread_pool_metrics::waiting>},
    {"thread_pool_completed_total", counter, "Pieces of work that are done.", of<&thread_pool_metrics::completed>},
    {"thread_pool_refused_total", counter, "Pieces of work for which there was no room.", of<&thread_pool_metrics::refused>},
};

constexpr figure<fallback_metrics> fallback_figures[] = {
    {"fallback_failures_total", counter, "Failures that went to the fallback, by their kind.", of<&fallback_metrics::rejections>,
     "kind", "rejection"},
    {"", counter, "", of<&fallback_metrics::exceptions>, "kind", "exception"},
    {"", counter, "", of<&fallback_metrics::bad_results>, "kind", "bad_result"},
    {"fallback_failed_total", counter, "Fallbacks that failed themselves.", of<&fallback_metrics::failed>},
};

constexpr figure<bulkhead_metrics> bulkhead_figures[] = {
    {"bulkhead_calls_total", counter, "Calls to the bulkhead, each under the one way in which it ended there.",
     of<&bulkhead_metrics::entered>, "outcome", "entered"},
    {"", counter, "", of<&bulkhead_metrics::rejected>, "outcome", "rejected"},
    {"", counter, "", of<&bulkhead_metrics::timed_out>, "outcome", "timed_out"},
    {"", counter, "", of<&bulkhead_metrics::cancelled>, "outcome", "cancelled"},
    {"bulkhead_waited_total", counter, "Calls that entered after waiting for a place.", of<&bulkhead_metrics::after_waiting>},
    {"bulkhead_in_use", gauge, "Places that are taken now.", of<&bulkhead_metrics::in_use>},
    {"bulkhead_queued", gauge, "Calls that wait for a place now.", of<&bulkhead_metrics::queued>},
    {"bulkhead_most_in_use", gauge, "The most places that were taken at a time.", of<&bulkhead_metrics::most_in_use>},
};

constexpr figure<rate_limiter_metrics> rate_limiter_figures[] = {
    {"rate_limiter_calls_total", counter, "Calls to the rate limiter: at once, after a wait, or not let through.",
     of<&rate_limiter_metrics::at_once>, "outcome", "at_once"},
    {"", counter, "", of<&rate_limiter_metrics::delayed>, "outcome", "delayed"},
    {"", counter, "", of<&rate_limiter_metrics::rejected>, "outcome", "rejected"},
    {"rate_limiter_cancelled_total", counter, "Calls that gave up before their turn.", of<&rate_limiter_metrics::cancelled>},
    {"rate_limiter_lost_total", counter, "Turns that were given up and could be given to nobody else.",
     of<&rate_limiter_metrics::lost>},
};

constexpr figure<adaptive_limiter_metrics> adaptive_limiter_figures[] = {
    {"adaptive_limiter_entered_total", counter, "Calls that were let through.", of<&adaptive_limiter_metrics::entered>},
    {"adaptive_limiter_rejected_total", counter, "Calls that were not let through.", of<&adaptive_limiter_metrics::rejected>},
    {"adaptive_limiter_ended_total", counter, "Calls that came back, by what they say of the dependency.",
     of<&adaptive_limiter_metrics::succeeded>, "outcome", "succeeded"},
    {"", counter, "", of<&adaptive_limiter_metrics::dropped>, "outcome", "dropped"},
    {"", counter, "", of<&adaptive_limiter_metrics::ignored>, "outcome", "ignored"},
    {"adaptive_limiter_windows_total", counter, "How often the limit was looked at.", of<&adaptive_limiter_metrics::windows>},
    {"adaptive_limiter_in_flight", gauge, "Calls that are out now.", of<&adaptive_limiter_metrics::in_flight>},
    {"adaptive_limiter_limit", gauge, "How many calls may be out now.", of<&adaptive_limiter_metrics::limit>},
    {"adaptive_limiter_normal_latency_seconds", gauge, "Latency of the dependency without a queue; 0 until it is known.",
     of<&adaptive_limiter_metrics::normal_latency>},
    {"adaptive_limiter_last_latency_seconds", gauge, "Mean latency of the last window.",
     of<&adaptive_limiter_metrics::last_latency>},
};

constexpr figure<hedge_metrics> hedge_figures[] = {
    {"hedge_calls_total", counter, "Calls through the hedge.", of<&hedge_metrics::calls>},
    {"hedge_hedges_total", counter, "Attempts that were started beside the first.", of<&hedge_metrics::hedges>},
    {"hedge_won_total", counter, "Calls that one of those answered.", of<&hedge_metrics::won>},
    {"hedge_refused_total", counter, "Attempts that the budget or the executor did not allow.", of<&hedge_metrics::refused>},
};

constexpr figure<last_known_good_metrics> last_known_good_figures[] = {
    {"last_known_good_stored_total", counter, "Good values that were remembered.", of<&last_known_good_metrics::stored>},
    {"last_known_good_failures_total", counter, "Failures: answered from memory (hit), or not (miss).",
     of<&last_known_good_metrics::hits>, "outcome", "hit"},
    {"", counter, "", of<&last_known_good_metrics::misses>, "outcome", "miss"},
};

constexpr figure<provider_metrics> provider_figures[] = {
    {"provider_calls_total", counter, "Calls to each provider of the chain, by their outcome.", of<&provider_metrics::answered>,
     "outcome", "answered"},
    {"", counter, "", of<&provider_metrics::failed>, "outcome", "failed"},
    {"", counter, "", of<&provider_metrics::rejected>, "outcome", "rejected"},
};

constexpr figure<bus_metrics> bus_figures[] = {
    {"bus_published_total", counter, "Events that were given to the bus.", of<&bus_metrics::published>},
    {"bus_sent_total", counter, "Events that the bus has taken over.", of<&bus_metrics::sent>},
    {"bus_dropped_total", counter, "Events that will never leave.", of<&bus_metrics::dropped>},
    {"bus_received_total", counter, "Events that came in.", of<&bus_metrics::received>},
    {"bus_delivered_total", counter, "Events that were put before the handlers.", of<&bus_metrics::delivered>},
    {"bus_duplicates_total", counter, "Events that had been delivered before.", of<&bus_metrics::duplicates>},
    {"bus_undelivered_total", counter, "Events that were dropped because handlers were too slow.", of<&bus_metrics::undelivered>},
    {"bus_missed_total", counter, "Transitions that never came in.", of<&bus_metrics::missed>},
    {"bus_refused_total", counter, "Messages that are no events.", of<&bus_metrics::refused>},
    {"bus_handler_errors_total", counter, "Exceptions of handlers.", of<&bus_metrics::handler_errors>},
    {"bus_connections_total", counter, "How often a connection was made.", of<&bus_metrics::connections>},
    {"bus_circuits", gauge, "Circuits whose present state is known.", of<&bus_metrics::circuits>},
    {"bus_connected", gauge, "Whether the bus is connected now.", of<&bus_metrics::connected>},
};

template <prometheus_fleet::link Link>
number is_now(const prometheus_fleet& m) {
  return m.now == Link ? 1.0 : 0.0;
}

constexpr figure<prometheus_fleet> fleet_figures[] = {
    {"fleet_link", gauge, "1 for how the member stands to its fleet; only when shared its circuits decide with the others.",
     is_now<prometheus_fleet::link::connecting>, "state", "connecting"},
    {"", gauge, "", is_now<prometheus_fleet::link::shared>, "state", "shared"},
    {"", gauge, "", is_now<prometheus_fleet::link::local>, "state", "local"},
    {"fleet_members", gauge, "Members that the store has seen lately, this one included; absent when nobody knows.",
     [](const prometheus_fleet& m) { return m.members == 0 ? number() : number(m.members); }},
    {"fleet_requests_total", counter, "Requests to the store.", of<&prometheus_fleet::requests>},
    {"fleet_replies_total", counter, "Replies of the store that were understood.", of<&prometheus_fleet::replies>},
    {"fleet_timeouts_total", counter, "Requests that the store did not answer in time.", of<&prometheus_fleet::timeouts>},
    {"fleet_link_losses_total", counter, "How often the store went out of reach.", of<&prometheus_fleet::link_losses>},
    {"fleet_decisions_total", counter, "Decisions about circuits: made here, or by the fleet and put in force here.",
     of<&prometheus_fleet::local_decisions>, "kind", "local"},
    {"", counter, "", of<&prometheus_fleet::fleet_decisions>, "kind", "fleet"},
    {"fleet_stale_total", counter, "Requests that came too late, because the fleet had decided otherwise.",
     of<&prometheus_fleet::stale>},
    {"fleet_leases_granted_total", counter, "Rights to send a probe that were granted.", of<&prometheus_fleet::leases_granted>},
    {"fleet_leases_unused_total", counter, "Of those, given back because no call came.", of<&prometheus_fleet::leases_unused>},
    {"fleet_leases_lost_total", counter, "Of those, ended before the probe did, or with an outcome that could not be told.",
     of<&prometheus_fleet::leases_lost>},
    {"fleet_restores_total", counter, "How often the store got records back from here that it had lost.",
     of<&prometheus_fleet::restores>},
};

template <class M>
void add_sort(page& to, const std::vector<named_reading>& readings, std::span<const figure<M>> figures) {
  std::vector<labelled<M>> items;
  for (const named_reading& r : readings) {
    if (const M* m = std::get_if<M>(&r.reading)) items.push_back({{{"name", r.name}}, m});
  }
  to.add(figures, items);
}

void add_providers(page& to, const std::vector<named_reading>& readings) {
  std::vector<labelled<provider_metrics>> items;
  for (const named_reading& r : readings) {
    const auto* providers = std::get_if<std::vector<provider_metrics>>(&r.reading);
    if (providers == nullptr) continue;
    for (const provider_metrics& p : *providers) {
      items.push_back({{{"name", r.name}, {"provider", p.name}}, &p});
    }
  }
  to.add(std::span<const figure<provider_metrics>>(provider_figures), items);
}

}  // namespace

void add_policies(page& to, const std::vector<named_reading>& readings) {
  const auto add = [&]<class M, std::size_t N>(const figure<M>(&figures)[N]) {
    add_sort(to, readings, std::span<const figure<M>>(figures));
  };
  add(retry_figures);
  add(retry_budget_figures);
  add(timeout_figures);
  add(time_limiter_figures);
  add(thread_pool_figures);
  add(fallback_figures);
  add(bulkhead_figures);
  add(rate_limiter_figures);
  add(adaptive_limiter_figures);
  add(hedge_figures);
  add(last_known_good_figures);
  add_providers(to, readings);
  add(bus_figures);
  add(fleet_figures);
}

}  // namespace switchgear::inline v1::detail
