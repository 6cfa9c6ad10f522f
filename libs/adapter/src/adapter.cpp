// SPDX-License-Identifier: Apache-2.0
#include <switchgear/adapter.hpp>

namespace switchgear::inline v1 {
namespace {

std::unique_ptr<circuit_breaker> own_breaker(const std::string& target, const adapter_options& o, const classifier& rules) {
  if (o.shared_breaker != nullptr) return nullptr;
  return o.clock == nullptr ? std::make_unique<circuit_breaker>(target, o.breaker, rules)
                            : std::make_unique<circuit_breaker>(target, o.breaker, rules, *o.clock);
}

retry_options retries(const std::string& target, retry_options o, const classifier& rules) {
  if (o.name == retry_options{}.name) o.name = target;
  if (o.when.is_empty()) {
    o.when = rules;
  } else {
    o.when.ignore<refused_error>();  // after the user's own rules, which may say otherwise
  }
  return o;
}

/// Throws a connection_error with the exception that is being handled nested in it. How often it was tried is told of the new
/// exception too.
[[noreturn]] void wrap(connection_error e) {
  const std::optional<retry_report> report = retry_report_of(std::current_exception());
  try {
    std::throw_with_nested(std::move(e));
  } catch (...) {
    if (report) detail::remember_retry_report(std::current_exception(), *report);
    throw;
  }
}

classifier completed(classifier rules) { return std::move(rules.ignore<refused_error>()); }

}  // namespace

adapter::adapter(std::string transport, std::string target, adapter_options options, classifier rules)
    : transport_(std::move(transport)),
      target_(std::move(target)),
      own_(own_breaker(target_, options, completed(rules))),
      breaker_(own_ ? own_.get() : options.shared_breaker),
      once_(guard(*breaker_)),
      repeated_(guard(*breaker_), switchgear::retry(retries(target_, options.retry, completed(rules)),
                                                    options.clock == nullptr ? steady_clock() : *options.clock)) {}

adapter::~adapter() = default;

void adapter::rethrow_in_context(std::string_view failed, const error_context& context, const std::string& id) {
  const auto text = [&](const char* cause) { return std::string(failed) + ": " + cause; };
  try {
    throw;
  } catch (const rejected_error&) {
    throw;
  } catch (const refused_error&) {
    throw;
  } catch (const config_error&) {
    throw;
  } catch (const cancelled_error&) {
    throw;
  } catch (const call_timeout_error&) {
    throw;
  } catch (const connection_error&) {
    throw;
  } catch (const std::exception& e) {
    wrap({text(e.what()), context, id});
  } catch (...) {
    wrap({text("an exception of an unknown type"), context, id});
  }
}

}  // namespace switchgear::inline v1
