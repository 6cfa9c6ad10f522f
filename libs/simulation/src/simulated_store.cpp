// SPDX-License-Identifier: Apache-2.0
#include "simulated_store.hpp"

#include <utility>

namespace switchgear::inline v1::simulation {
namespace {

/// How often keys whose time is over are thrown away, in runs.
constexpr std::uint64_t sweep_every = 1 << 20;

void add_texts(store_value&& v, std::vector<std::string>& out) {
  using kind = store_value::kind;
  switch (v.is) {
    case kind::text:
    case kind::status: out.push_back(std::move(v.text)); return;
    case kind::integer: out.push_back(std::to_string(v.number)); return;
    case kind::nil: out.emplace_back(); return;
    case kind::error: return;
    case kind::array:
      for (auto& item : v.items) add_texts(std::move(item), out);
      return;
  }
}

}  // namespace

simulated_store::outcome simulated_store::run(std::span<const std::string> arguments, std::int64_t now) {
  if (++runs_ % sweep_every == 0) keys_.sweep(now);
  store_value v = engine_.run(arguments, now);
  if (v.is == store_value::kind::error) return {std::nullopt, std::move(v.text)};
  outcome out{.reply = std::vector<std::string>(), .error = {}};
  out.reply->reserve(v.items.size());
  add_texts(std::move(v), *out.reply);
  return out;
}

void simulated_store::roll_back() {
  if (copy_) keys_ = *copy_;
}

simulated_store::truth simulated_store::look(std::string_view space, std::string_view circuit, std::int64_t now) const {
  const std::string prefix = "sg:{" + std::string(space) + "}:";
  const std::string key = prefix + "c:" + std::string(circuit);
  const std::string epoch = keys_.field(key, "epoch", now);
  if (epoch.empty()) return {};
  const std::string state = keys_.field(key, "state", now);
  return {std::stoull(epoch), state, state == "open" && !keys_.exists(prefix + "t:" + std::string(circuit), now)};
}

}  // namespace switchgear::inline v1::simulation
