// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/counters.hpp>
#include <switchgear/detail/validation.hpp>
#include <switchgear/last_known_good.hpp>

namespace switchgear::inline v1 {

std::vector<problem> last_known_good_options::validate() const {
  detail::validation v;
  v.name(name);
  v.in_range("max_age", max_age, std::chrono::nanoseconds(1), detail::a_day);
  return v.take();
}

namespace detail {
namespace {

last_known_good_options checked(last_known_good_options o) {
  require_no(o.validate());
  return o;
}

}  // namespace

struct last_known_good_core::counts : counters<3> {};

last_known_good_core::last_known_good_core(last_known_good_options o, clock& c)
    : policy_state("last_known_good", o.name),
      options(checked(std::move(o))),
      judges_values(options.when.judges_values()),
      source(c),
      counts_(std::make_unique<counts>()) {}

last_known_good_core::~last_known_good_core() = default;

void last_known_good_core::count(counted what) const noexcept { counts_->add(what); }

void last_known_good_core::answered(const failure_info& why, std::chrono::nanoseconds age, const execution& e) const {
  counts_->add(hits);
  if (!is_observed()) return;
  tell({.kind = policy_event_kind::fell_back,
        .reason = "with a value " + format_duration(age) + " old: " + std::string(why.what()),
        .correlation_id = std::string(e.context.correlation_id)});
}

std::string last_known_good_core::describe() const { return "last_known_good(up to " + format_duration(options.max_age) + ")"; }

last_known_good_metrics last_known_good_core::metrics() const {
  return {counts_->sum(stored), counts_->sum(hits), counts_->sum(misses)};
}

}  // namespace detail
}  // namespace switchgear::inline v1
