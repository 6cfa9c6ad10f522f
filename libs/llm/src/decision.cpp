// SPDX-License-Identifier: Apache-2.0
#include <switchgear/errors.hpp>
#include <switchgear/llm/decision.hpp>

#include <exception>
#include <utility>

namespace switchgear::inline v1::llm {
namespace {

bool is_timeout(const std::exception_ptr& thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const call_timeout_error&) {
    return true;
  } catch (...) {
  }
  return false;
}

std::string in_words(const failure_info& why) {
  if (why.circuit() != nullptr) {
    return "the circuit " + why.circuit()->name() + " is " + std::string(to_string(why.circuit()->state()));
  }
  if (why.kind() == failure_kind::rejection) return "the call was rejected";
  if (why.kind() == failure_kind::bad_result) return "its answer is of no use";
  return is_timeout(why.error()) ? "it took too long" : "the call failed";
}

}  // namespace

fallback_decision::fallback_decision(fallback_decision_options options) : options_(std::move(options)) {
  if (!(options_.confidence >= 0 && options_.confidence <= 1)) {
    throw config_error({{"confidence", std::to_string(options_.confidence), "0 … 1", "out of range"}});
  }
}

decision fallback_decision::operator()(const failure_info& why) const {
  if (options_.rule) {
    if (std::optional<decision> own = options_.rule(why)) return *std::move(own);
  }
  return {options_.allow, options_.confidence,
          options_.reason.empty() ? "the model is unavailable: " + in_words(why) : options_.reason};
}

}  // namespace switchgear::inline v1::llm
