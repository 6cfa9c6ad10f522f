// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/order.hpp>
#include <switchgear/policy_event.hpp>

namespace switchgear::inline v1::detail {
namespace {

bool is_limit(policy_kind k) { return k == policy_kind::timeout || k == policy_kind::time_limiter; }
bool is_limiter(policy_kind k) { return k == policy_kind::bulkhead || k == policy_kind::adaptive_limiter; }

std::optional<std::string> doubt(const policy_facts_at_runtime& outer, const policy_facts_at_runtime& inner) {
  const auto sentence = [&](const char* why) { return outer.text + " outside " + inner.text + ": " + why; };
  const bool inner_limits = is_limit(inner.kind) || inner.kind == policy_kind::guard;
  const bool outer_limits = is_limit(outer.kind) || outer.kind == policy_kind::guard;
  if (outer_limits && inner_limits && outer.limit && inner.limit && *inner.limit >= *outer.limit) {
    return sentence("the inner limit is not shorter, so it can never be the one that ends a call");
  }
  if (is_limit(outer.kind) && outer.limit && inner.total && *inner.total >= *outer.limit) {
    return sentence("the total limit of the retry is not shorter, so it can never be the one that ends it");
  }
  if (outer.kind == policy_kind::retry && inner.kind == policy_kind::retry) {
    return sentence("attempts multiply; one retry with a budget does less harm");
  }
  if (outer.kind == policy_kind::hedge && inner.kind == policy_kind::retry) {
    return sentence("attempts multiply, each attempt of the hedge retries for itself; put the hedge inside");
  }
  if (outer.budget && inner.budget && *outer.budget == *inner.budget) {
    return sentence("both earn from the same budget, so that one call earns more than once; give one of them another");
  }
  if (outer.kind == policy_kind::rate_limiter && (inner.kind == policy_kind::retry || inner.kind == policy_kind::hedge)) {
    return sentence("further attempts are not limited, so that they exceed the rate; put the limiter inside");
  }
  if (outer.kind == policy_kind::adaptive_limiter && inner.kind == policy_kind::hedge) {
    return sentence("it counts one call where the dependency sees several; put the limiter inside");
  }
  if (outer.breaker != nullptr && outer.breaker == inner.breaker) {
    return sentence("it is the same circuit, which counts each call twice");
  }
  if (outer.executor != nullptr && outer.executor == inner.executor) {
    return sentence("both run on one executor, where the calls that wait can hold every thread that they wait for");
  }
  if (is_limiter(outer.kind) && inner.kind == policy_kind::retry) {
    return sentence("a call keeps its place while the retry waits; inside, it holds one for the attempts alone");
  }
  if (outer.kind == policy_kind::guard && inner.kind == policy_kind::retry && inner.waits_for_retry_after) {
    return sentence("the retry waits for rejections, but this circuit rejects before the retry begins");
  }
  if (outer.kind == policy_kind::time_limiter && inner.kind == policy_kind::guard) {
    return sentence("the circuit hears of a call that hangs only when it comes back; put the limiter inside");
  }
  if (outer.kind == policy_kind::guard && inner.kind == policy_kind::hedge) {
    return sentence("the circuit sees one call where the dependency sees several; put the hedge outside");
  }
  return std::nullopt;
}

struct warner final : policy_state {
  warner() : policy_state("pipeline", "pipeline") {}
};

}  // namespace

std::vector<std::string> order_warnings(const std::vector<policy_facts_at_runtime>& all) {
  std::vector<std::string> out;
  for (std::size_t outer = 0; outer < all.size(); ++outer) {
    for (std::size_t inner = outer + 1; inner < all.size(); ++inner) {
      if (auto text = doubt(all[outer], all[inner])) out.push_back(std::move(*text));
    }
  }
  return out;
}

void tell_warnings(const std::vector<std::string>& warnings) noexcept {
  if (warnings.empty()) return;
  const warner voice;
  if (!voice.is_observed()) return;
  for (const std::string& w : warnings) voice.tell({.kind = policy_event_kind::warning, .reason = w});
}

}  // namespace switchgear::inline v1::detail
