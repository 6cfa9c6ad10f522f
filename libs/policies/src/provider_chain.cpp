// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/counters.hpp>
#include <switchgear/detail/validation.hpp>
#include <switchgear/provider_chain.hpp>

#include <algorithm>

namespace switchgear::inline v1 {
namespace {

std::string failed_text(const std::string& chain, const std::vector<provider_failure>& failures) {
  if (failures.empty()) return chain + ": there is no provider";
  std::string text = chain + ": no provider answered";
  const char* separator = ": ";
  for (const provider_failure& f : failures) {
    text += separator + f.provider + " (" + std::string(to_string(f.kind)) + ": " + f.reason + ")";
    separator = "; ";
  }
  return text;
}

std::optional<std::chrono::nanoseconds> shortest(const std::vector<provider_failure>& failures) noexcept {
  std::optional<std::chrono::nanoseconds> least;
  for (const provider_failure& f : failures) {
    if (f.retry_after && (!least || *f.retry_after < *least)) least = f.retry_after;
  }
  return least;
}

provider_chain_options checked(provider_chain_options o) {
  detail::require_no(o.validate());
  return o;
}

enum counted : std::size_t { answers, failures_counted, rejections, number_of_counters };

}  // namespace

all_providers_failed_error::all_providers_failed_error(const std::string& chain, std::vector<provider_failure> failures)
    : error(failed_text(chain, failures)), provider_failures(std::move(failures)) {}

all_providers_rejected_error::all_providers_rejected_error(const std::string& chain, std::vector<provider_failure> failures)
    : rejected_error(failed_text(chain, failures), shortest(failures)), provider_failures(std::move(failures)) {}

std::optional<std::chrono::nanoseconds> provider_failures::retry_after() const noexcept { return shortest(failures_); }

std::vector<problem> provider_chain_options::validate() const {
  detail::validation v;
  v.name(name);
  return v.take();
}

namespace detail {

void throw_no_provider_answered(const std::string& chain, std::vector<provider_failure> failures) {
  const bool rejected = !failures.empty() && std::all_of(failures.begin(), failures.end(), [](const provider_failure& f) {
    return f.kind == failure_kind::rejection;
  });
  if (rejected) throw all_providers_rejected_error(chain, std::move(failures));
  throw all_providers_failed_error(chain, std::move(failures));
}

struct provider_chain_core::provider {
  std::string name;
  counters<number_of_counters> counts{};
};

provider_chain_core::provider_chain_core(provider_chain_options o)
    : policy_state("provider_chain", o.name),
      options(checked(std::move(o))),
      judges_values(options.when.judges_values() && !options.only_rejections) {}

provider_chain_core::~provider_chain_core() = default;

void provider_chain_core::add(std::string name) {
  validation v;
  v.name(name);
  const bool is_new = std::none_of(providers_.begin(), providers_.end(), [&](const auto& p) { return p->name == name; });
  v.expect(is_new, "provider", name, "a name that no other provider of the chain has", "is there already");
  require_no(v.take());
  providers_.push_back(std::unique_ptr<provider>(new provider{std::move(name)}));
}

void provider_chain_core::answered(std::size_t p) noexcept { providers_[p]->counts.add(answers); }

void provider_chain_core::caught(std::size_t p, std::vector<provider_failure>& failures, const execution& e) const {
  const auto why = failure_of_current_exception(options.when, options.only_rejections, e);
  if (!why) throw;
  note(p, *why, failures, e);
}

void provider_chain_core::bad_result(std::size_t p, std::vector<provider_failure>& failures, const execution& e) const {
  note(p, failure_info::of_result(p), failures, e);  // only the text counts: the value is gone by the time anybody looks
}

void provider_chain_core::note(std::size_t p, const failure_info& why, std::vector<provider_failure>& failures,
                               const execution& e) const {
  providers_[p]->counts.add(why.kind() == failure_kind::rejection ? rejections : failures_counted);
  failures.push_back({providers_[p]->name, why.kind(), std::string(why.what()), why.error(), why.retry_after()});
  if (p + 1 < providers_.size() && is_observed()) {
    tell({.kind = policy_event_kind::fell_back,
          .reason = "from " + providers_[p]->name + " to " + providers_[p + 1]->name + ": " + failures.back().reason,
          .attempt = static_cast<int>(p) + 1,
          .correlation_id = std::string(e.context.correlation_id)});
  }
}

std::vector<provider_metrics> provider_chain_core::metrics() const {
  std::vector<provider_metrics> out;
  for (const auto& p : providers_) {
    out.push_back({p->name, p->counts.sum(answers), p->counts.sum(failures_counted), p->counts.sum(rejections)});
  }
  return out;
}

std::string provider_chain_core::describe() const {
  std::string text = "provider_chain(";
  for (const auto& p : providers_) text += (p == providers_.front() ? "" : ", ") + p->name;
  return text + ")";
}

}  // namespace detail
}  // namespace switchgear::inline v1
