// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/counters.hpp>
#include <switchgear/detail/validation.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/executor.hpp>
#include <switchgear/fallback.hpp>
#include <switchgear/provider_chain.hpp>

#include <stdexcept>
#include <system_error>
#include <typeinfo>

namespace switchgear::inline v1 {
namespace {

/// The last exception of a fallback on this thread. Kept alive so that another exception cannot get its address and be taken
/// for it.
struct noted_exception {
  std::exception_ptr exception, before;
};
thread_local noted_exception noted;

constexpr std::size_t failed_counter = 3;

/// The exception that is being handled again, with `first` nested in it, when it is exactly an E and has nothing nested yet.
/// (To nest something in an exception its type has to be known, because the new one derives from it.)
template <class E>
std::exception_ptr nested_as(const std::exception_ptr& first) {
  try {
    throw;
  } catch (const E& e) {
    if (typeid(e) != typeid(E)) return nullptr;
    try {
      std::rethrow_exception(first);
    } catch (...) {
      try {
        std::throw_with_nested(e);
      } catch (...) {
        return std::current_exception();
      }
    }
  } catch (...) {
    return nullptr;
  }
}

template <class... E>
std::exception_ptr nested_in_one_of(const std::exception_ptr& first) {
  std::exception_ptr out;
  ((out = nested_as<E>(first)) || ...);
  return out;
}

}  // namespace

std::vector<problem> fallback_options::validate() const {
  detail::validation v;
  v.name(name);
  return v.take();
}

std::exception_ptr failure_before_fallback(const std::exception_ptr& e) noexcept {
  return e && noted.exception == e ? noted.before : nullptr;
}

namespace detail {
namespace {

fallback_options checked(fallback_options o) {
  require_no(o.validate());
  return o;
}

}  // namespace

void remember_failure_before_fallback(const std::exception_ptr& e, std::exception_ptr before) noexcept {
  noted = {e, std::move(before)};
}

struct fallback_core::counts : counters<4> {};

fallback_core::fallback_core(fallback_options o)
    : policy_state("fallback", o.name),
      options(checked(std::move(o))),
      judges_values(options.when.judges_values() && !options.only_rejections),
      counts_(std::make_unique<counts>()) {}

fallback_core::~fallback_core() = default;

std::optional<failure_info> fallback_core::caught(const execution& e) const {
  return failure_of_current_exception(options.when, options.only_rejections, e);
}

void fallback_core::answering(const failure_info& why, const execution& e) const noexcept {
  counts_->add(static_cast<std::size_t>(why.kind()));
  if (!is_observed()) return;
  try {
    tell({.kind = policy_event_kind::fell_back,
          .reason = std::string(why.what()),
          .correlation_id = std::string(e.context.correlation_id)});
  } catch (...) {
    // No memory for an event: the call it tells of goes on.
  }
}

void fallback_core::failed(const failure_info& why) const {
  counts_->add(failed_counter);
  std::exception_ptr thrown = std::current_exception();
  if (why.error() && thrown != why.error()) {
    if (auto nested = nested_in_one_of<std::runtime_error, std::logic_error, std::invalid_argument, std::domain_error,
                                       std::length_error, std::out_of_range, std::range_error, std::overflow_error,
                                       std::underflow_error, std::system_error, error, rejected_error, cancelled_error,
                                       circuit_open_error, call_timeout_error, connection_error, executor_full_error,
                                       all_providers_failed_error, all_providers_rejected_error>(why.error())) {
      thrown = std::move(nested);
    }
  }
  remember_failure_before_fallback(thrown, why.error());
  std::rethrow_exception(std::move(thrown));
}

fallback_metrics fallback_core::metrics() const {
  return {counts_->sum(0), counts_->sum(1), counts_->sum(2), counts_->sum(failed_counter)};
}

}  // namespace detail
}  // namespace switchgear::inline v1
