// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/failure_info.hpp>

#include <functional>
#include <optional>
#include <string>

namespace switchgear::inline v1::llm {

/// What a model was asked to decide.
struct decision {
  bool allow = false;
  double confidence = 0;  ///< 0 … 1
  std::string reason{};

  friend bool operator==(const decision&, const decision&) = default;
};

/// What a decision is made of when the model cannot be asked.
struct fallback_decision_options {
  /// What is answered when the model cannot be asked. An empty reason is filled in: `the model is unavailable: …`.
  bool allow = false;
  double confidence = 0;  ///< 0 … 1
  std::string reason{};

  /// Asked first, when it is set: a rule of your own, that sees why the model did not answer. Nothing = the answer above.
  std::function<std::optional<decision>(const failure_info& why)> rule{};
};

/// Decides in the place of a model that does not answer; denies unless told otherwise.
///
///     sg::pipeline judge{sg::fallback(sg::llm::fallback_decision()), sg::guard(model_breaker)};
///     sg::llm::decision d = judge([&] { return ask(model, request); });
///
/// The reasons that it fills in have no text of exceptions in them, which may quote what was asked.
/// Thread safety: any number of threads, as far as the rule allows it.
class fallback_decision {
 public:
  /// Throws config_error when the confidence is not 0 … 1.
  explicit fallback_decision(fallback_decision_options options = {});

  [[nodiscard]] decision operator()(const failure_info& why) const;

 private:
  fallback_decision_options options_;
};

}  // namespace switchgear::inline v1::llm
