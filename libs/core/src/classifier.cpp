// SPDX-License-Identifier: Apache-2.0
#include <switchgear/classifier.hpp>
#include <switchgear/errors.hpp>

namespace switchgear::inline v1 {

const classifier& classifier::standard() noexcept {
  static const classifier& instance = *new classifier;  // for ever: calls may be under way while the program ends
  return instance;
}

classifier::exception_verdict classifier::of_current_exception() const {
#if SWITCHGEAR_HAS_EXCEPTIONS
  std::string text;
  try {
    throw;
  } catch (const rejected_error&) {
    return {verdict::ignored, {}};
  } catch (const cancelled_error&) {
    return {verdict::ignored, {}};
  } catch (const call_timeout_error& e) {
    return {verdict::timeout, e.what()};
  } catch (const std::exception& e) {
    text = e.what();
  } catch (...) {
    text = "an exception that is not a std::exception";
  }
  for (const auto& rule : exception_rules_) {
    if (const std::optional<verdict> v = rule()) return {*v, std::move(text)};
  }
  return {other_exceptions_, std::move(text)};
#else
  return {};
#endif
}

}  // namespace switchgear::inline v1
