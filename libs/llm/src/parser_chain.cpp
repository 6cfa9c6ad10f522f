// SPDX-License-Identifier: Apache-2.0
#include <switchgear/llm/parser_chain.hpp>

#include <algorithm>
#include <stdexcept>

namespace switchgear::inline v1::llm {

std::string_view to_string(parser_failure::kind k) noexcept {
  switch (k) {
    case parser_failure::kind::no_result: return "no_result";
    case parser_failure::kind::threw: return "threw";
    case parser_failure::kind::open: break;
  }
  return "open";
}

namespace detail {

void parser_breakers::add(const std::string& name, const config& c) {
  if (auto wrong = validate_name(name)) throw config_error({*std::move(wrong)});
  if (std::ranges::any_of(all_, [&](const one& o) { return o.name == name; })) {
    throw config_error({{"name", name, "", "the chain has a parser of that name"}});
  }
  const std::string full = options_.name + "." + name;
  all_.push_back({name, options_.clock == nullptr ? std::make_unique<circuit_breaker>(full, c)
                                                  : std::make_unique<circuit_breaker>(full, c, *options_.clock)});
}

circuit_breaker& parser_breakers::find(std::string_view name) const {
  for (const one& o : all_) {
    if (o.name == name) return *o.breaker;
  }
  throw std::out_of_range("the chain has no parser of that name");
}

}  // namespace detail
}  // namespace switchgear::inline v1::llm
