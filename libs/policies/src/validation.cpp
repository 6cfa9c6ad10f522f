// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/validation.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/json.hpp>

namespace switchgear::inline v1::detail {

void validation::name(std::string_view value) {
  auto p = validate_name(value);
  if (!p) return;
  if (value.empty()) p->message = "a policy needs a name";  // the core speaks of circuit breakers
  problems_.push_back(std::move(*p));
}

void validation::whole_in_range(std::string_view key, std::int64_t value, std::int64_t least, std::int64_t most) {
  expect(value >= least && value <= most, key, std::to_string(value), std::to_string(least) + " … " + std::to_string(most),
         "out of range");
}

void validation::in_range(std::string_view key, double value, double least, double most) {
  expect(value >= least && value <= most, key, json_number(value), json_number(least) + " … " + json_number(most),
         "out of range");
}

void validation::in_range(std::string_view key, std::chrono::nanoseconds value, std::chrono::nanoseconds least,
                          std::chrono::nanoseconds most) {
  expect(value >= least && value <= most, key, format_duration(value), format_duration(least) + " … " + format_duration(most),
         "out of range");
}

void validation::expect(bool good, std::string_view key, std::string value, std::string allowed, std::string message) {
  if (!good) problems_.push_back({std::string(key), std::move(value), std::move(allowed), std::move(message)});
}

void require_no(std::vector<problem> problems) {
  if (!problems.empty()) throw config_error(std::move(problems));
}

}  // namespace switchgear::inline v1::detail
