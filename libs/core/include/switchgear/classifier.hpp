// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/detail/exceptions.hpp>
#include <switchgear/state.hpp>

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {

namespace detail {

/// An identity for a type that needs no RTTI.
template <class T>
inline constexpr char type_tag = 0;

template <class F>
struct only_argument;
template <class R, class C, class A>
struct only_argument<R (C::*)(A) const> { using type = std::remove_cvref_t<A>; };
template <class R, class C, class A>
struct only_argument<R (C::*)(A)> { using type = std::remove_cvref_t<A>; };
template <class R, class C, class A>
struct only_argument<R (C::*)(A) const noexcept> { using type = std::remove_cvref_t<A>; };

template <class F>
struct argument_of : only_argument<decltype(&F::operator())> {};
template <class R, class A>
struct argument_of<R (*)(A)> { using type = std::remove_cvref_t<A>; };
template <class R, class A>
struct argument_of<R (*)(A) noexcept> { using type = std::remove_cvref_t<A>; };

}  // namespace detail

/// Decides what a returned value or an exception says about the dependency. The first rule that knows it decides; without
/// one a value is a success and an exception a failure. Before any rule is asked, rejections of policies (rejected_error) and
/// cancellations (cancelled_error) are ignored, and a limit that was imposed further in (call_timeout_error) is a timeout.
///
///     sg::classifier{}
///         .ignore<bad_query>()                                          // the caller's fault
///         .fail_if([](const response& r) { return r.status >= 500; })   // a value can be a failure
///
/// A rule about values applies to calls that return exactly that type. Thread safety: rules are called from the threads of
/// the calls, several at a time. A rule that throws: the call counts as a failure, and the rule's exception passes on.
class classifier {
 public:
  /// Values for which `predicate` is true are failures. The type is that of its one parameter.
  template <class F>
  classifier& fail_if(F predicate) & {
    using T = typename detail::argument_of<F>::type;
    return judge_value<T>([p = std::move(predicate)](const T& v) -> std::optional<verdict> {
      if (p(v)) return verdict::failure;
      return std::nullopt;
    });
  }
  /// Values for which `predicate` is true are no evidence.
  template <class F>
  classifier& ignore_if(F predicate) & {
    using T = typename detail::argument_of<F>::type;
    return judge_value<T>([p = std::move(predicate)](const T& v) -> std::optional<verdict> {
      if (p(v)) return verdict::ignored;
      return std::nullopt;
    });
  }
  /// `judge` returns a verdict, or nothing to leave it to the next rule.
  template <class T>
  classifier& judge_value(std::function<std::optional<verdict>(const T&)> judge) & {
    value_rules_.push_back({&detail::type_tag<T>, [j = std::move(judge)](const void* v) {
                              return j(*static_cast<const T*>(v));
                            }});
    return *this;
  }

#if SWITCHGEAR_HAS_EXCEPTIONS
  /// Exceptions of type E, or derived from it, are no evidence.
  template <class E>
  classifier& ignore() & {
    return judge_exception<E>([](const E&) { return verdict::ignored; });
  }
  /// Exceptions of type E are failures, whatever a later rule says.
  template <class E>
  classifier& fail() & {
    return judge_exception<E>([](const E&) { return verdict::failure; });
  }
  /// Only these exceptions are failures; all others are ignored.
  template <class... E>
  classifier& fail_only() & {
    (fail<E>(), ...);
    other_exceptions_ = verdict::ignored;
    return *this;
  }
  /// `judge` returns a verdict, or std::optional<verdict> to leave it to the next rule.
  template <class E, class F>
  classifier& judge_exception(F judge) & {
    exception_rules_.push_back([j = std::move(judge)]() -> std::optional<verdict> {
      try {
        throw;
      } catch (const E& e) {
        return j(e);
      } catch (...) {
        return std::nullopt;
      }
    });
    return *this;
  }
  template <class E>
  classifier&& ignore() && { return std::move(ignore<E>()); }
  template <class E>
  classifier&& fail() && { return std::move(fail<E>()); }
  template <class... E>
  classifier&& fail_only() && { return std::move(fail_only<E...>()); }
  template <class E, class F>
  classifier&& judge_exception(F judge) && { return std::move(judge_exception<E>(std::move(judge))); }
#endif

  template <class F>
  classifier&& fail_if(F predicate) && { return std::move(fail_if(std::move(predicate))); }
  template <class F>
  classifier&& ignore_if(F predicate) && { return std::move(ignore_if(std::move(predicate))); }
  template <class T>
  classifier&& judge_value(std::function<std::optional<verdict>(const T&)> judge) && {
    return std::move(judge_value<T>(std::move(judge)));
  }

  /// The verdict on a returned value.
  template <class T>
  [[nodiscard]] verdict of_value(const T& value) const {
    for (const value_rule& rule : value_rules_) {
      if (rule.type != &detail::type_tag<T>) continue;
      if (const std::optional<verdict> v = rule.judge(&value)) return *v;
    }
    return verdict::success;
  }
  [[nodiscard]] bool judges_values() const noexcept { return !value_rules_.empty(); }

  /// Whether it has no rule of its own.
  [[nodiscard]] bool is_empty() const noexcept {
    return value_rules_.empty() && exception_rules_.empty() && other_exceptions_ == verdict::failure;
  }
  /// The one without rules, shared by all breakers that need no other.
  [[nodiscard]] static const classifier& standard() noexcept;

  /// The verdict on the exception that is being handled, and its text. To be called inside a catch clause.
  struct exception_verdict {
    switchgear::verdict verdict = switchgear::verdict::failure;
    std::string text;
  };
  [[nodiscard]] exception_verdict of_current_exception() const;

 private:
  struct value_rule {
    const void* type;
    std::function<std::optional<verdict>(const void*)> judge;
  };
  std::vector<value_rule> value_rules_;
  std::vector<std::function<std::optional<verdict>()>> exception_rules_;
  verdict other_exceptions_ = verdict::failure;
};

}  // namespace switchgear::inline v1
