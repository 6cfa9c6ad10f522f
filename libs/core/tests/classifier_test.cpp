// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

namespace {

using namespace shell;

struct response {
  int status = 200;
};

bool is_server_error(const response& r) { return r.status >= 500; }
bool is_server_error_quietly(const response& r) noexcept { return r.status >= 500; }

TEST(classifier, takes_a_value_for_a_success_unless_a_rule_says_otherwise) {
  EXPECT_EQ(sg::classifier{}.of_value(response{503}), sg::verdict::success);
  EXPECT_FALSE(sg::classifier{}.judges_values());
}

TEST(classifier, fails_values_by_a_predicate) {
  const auto rules = sg::classifier{}.fail_if([](const response& r) { return r.status >= 500; });
  EXPECT_EQ(rules.of_value(response{503}), sg::verdict::failure);
  EXPECT_EQ(rules.of_value(response{404}), sg::verdict::success);
  EXPECT_TRUE(rules.judges_values());
}

TEST(classifier, ignores_values_by_a_predicate) {
  const auto rules = sg::classifier{}.ignore_if([](const response& r) { return r.status == 429; });
  EXPECT_EQ(rules.of_value(response{429}), sg::verdict::ignored);
}

TEST(classifier, judges_values_by_a_function) {
  const auto rules = sg::classifier{}.judge_value<response>([](const response& r) -> std::optional<sg::verdict> {
    if (r.status >= 500) return sg::verdict::failure;
    if (r.status >= 400) return sg::verdict::ignored;
    return std::nullopt;
  });
  EXPECT_EQ(rules.of_value(response{503}), sg::verdict::failure);
  EXPECT_EQ(rules.of_value(response{404}), sg::verdict::ignored);
  EXPECT_EQ(rules.of_value(response{200}), sg::verdict::success);
}

TEST(classifier, takes_functions_and_parameters_by_value) {
  EXPECT_EQ(sg::classifier{}.fail_if(is_server_error).of_value(response{503}), sg::verdict::failure);
  EXPECT_EQ(sg::classifier{}.fail_if(&is_server_error_quietly).of_value(response{503}), sg::verdict::failure);
  EXPECT_EQ(sg::classifier{}.fail_if([](response r) noexcept { return r.status == 200; }).of_value(response{}),
            sg::verdict::failure);
}

TEST(classifier, lets_the_first_rule_that_knows_a_value_decide) {
  const auto rules = sg::classifier{}
                         .ignore_if([](const response& r) { return r.status == 503; })
                         .fail_if([](const response& r) { return r.status >= 500; });
  EXPECT_EQ(rules.of_value(response{503}), sg::verdict::ignored);
  EXPECT_EQ(rules.of_value(response{500}), sg::verdict::failure);
}

TEST(classifier, applies_a_rule_to_values_of_exactly_its_type) {
  const auto rules = sg::classifier{}.fail_if([](const int& n) { return n < 0; });
  EXPECT_EQ(rules.of_value(-1), sg::verdict::failure);
  EXPECT_EQ(rules.of_value(-1L), sg::verdict::success);
  EXPECT_EQ(rules.of_value(response{-1}), sg::verdict::success);
}

TEST(classifier, may_be_kept_and_extended) {
  sg::classifier rules;
  rules.fail_if([](const int& n) { return n < 0; });
  rules.ignore_if([](const int& n) { return n == 0; });
  EXPECT_EQ(rules.of_value(-1), sg::verdict::failure);
  EXPECT_EQ(rules.of_value(0), sg::verdict::ignored);
}

TEST(classified_calls, count_a_bad_value_as_failure_and_still_return_it) {
  small_breaker t(small_config(), sg::classifier{}.fail_if([](const response& r) { return r.status >= 500; }));
  EXPECT_EQ(t.breaker.call([] { return response{503}; }).status, 503);
  EXPECT_EQ(t.metrics().failures, 1u);
  EXPECT_EQ(t.breaker.snapshot().last_failure, "the result was classified as a failure");
  EXPECT_EQ(t.breaker.call([] { return response{503}; }).status, 503);
  EXPECT_TRUE(t.breaker.is_open());
}

TEST(classified_calls, judge_what_a_reference_refers_to) {
  small_breaker t(small_config(), sg::classifier{}.fail_if([](const response& r) { return r.status >= 500; }));
  response r{503};
  EXPECT_EQ(&t.breaker.call([&]() -> response& { return r; }), &r);
  EXPECT_EQ(t.metrics().failures, 1u);
}

TEST(classified_calls, ignore_without_evidence) {
  small_breaker t(small_config(), sg::classifier{}.ignore_if([](const response& r) { return r.status == 404; }));
  for (int i = 0; i < 10; ++i) t.breaker.call([] { return response{404}; });
  EXPECT_EQ(t.metrics().ignored, 10u);
  EXPECT_EQ(t.breaker.snapshot().window.calls, 0u);
}

#if SWITCHGEAR_HAS_EXCEPTIONS

struct bad_query : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct bad_topic : bad_query {
  using bad_query::bad_query;
};

template <class E>
sg::classifier::exception_verdict verdict_on(const sg::classifier& rules, E e) {
  try {
    throw e;
  } catch (...) {
    return rules.of_current_exception();
  }
}

TEST(classifier, takes_an_exception_for_a_failure_with_its_text) {
  const auto found = verdict_on(sg::classifier{}, std::runtime_error("connection refused"));
  EXPECT_EQ(found.verdict, sg::verdict::failure);
  EXPECT_EQ(found.text, "connection refused");
}

TEST(classifier, has_a_text_for_what_is_no_std_exception) {
  EXPECT_EQ(verdict_on(sg::classifier{}, 7).text, "an exception that is not a std::exception");
}

TEST(classifier, ignores_exceptions_of_a_type_and_those_derived_from_it) {  // trap 20
  const auto rules = sg::classifier{}.ignore<bad_query>();
  EXPECT_EQ(verdict_on(rules, bad_query("?")).verdict, sg::verdict::ignored);
  EXPECT_EQ(verdict_on(rules, bad_topic("?")).verdict, sg::verdict::ignored);
  EXPECT_EQ(verdict_on(rules, std::runtime_error("?")).verdict, sg::verdict::failure);
}

TEST(classifier, fails_exceptions_before_a_later_rule_ignores_them) {
  const auto rules = sg::classifier{}.fail<bad_topic>().ignore<bad_query>();
  EXPECT_EQ(verdict_on(rules, bad_topic("?")).verdict, sg::verdict::failure);
  EXPECT_EQ(verdict_on(rules, bad_query("?")).verdict, sg::verdict::ignored);
}

TEST(classifier, may_fail_certain_exceptions_only) {
  const auto rules = sg::classifier{}.fail_only<bad_query, std::logic_error>();
  EXPECT_EQ(verdict_on(rules, bad_topic("?")).verdict, sg::verdict::failure);
  EXPECT_EQ(verdict_on(rules, std::logic_error("?")).verdict, sg::verdict::failure);
  EXPECT_EQ(verdict_on(rules, std::runtime_error("?")).verdict, sg::verdict::ignored);
  EXPECT_EQ(verdict_on(rules, 7).verdict, sg::verdict::ignored);
}

TEST(classifier, judges_exceptions_by_a_function_that_may_leave_it_to_the_next_rule) {
  const auto rules = sg::classifier{}
                         .judge_exception<bad_query>([](const bad_query& e) -> std::optional<sg::verdict> {
                           if (std::string_view(e.what()) == "mine") return sg::verdict::ignored;
                           return std::nullopt;
                         })
                         .judge_exception<std::exception>([](const std::exception&) { return sg::verdict::timeout; });
  EXPECT_EQ(verdict_on(rules, bad_query("mine")).verdict, sg::verdict::ignored);
  EXPECT_EQ(verdict_on(rules, bad_query("yours")).verdict, sg::verdict::timeout);
}

TEST(classifier, ignores_the_rejection_of_an_inner_policy_whatever_the_rules_say) {  // trap 18
  const auto rules = sg::classifier{}.fail<std::exception>();
  EXPECT_EQ(verdict_on(rules, sg::rejected_error("bulkhead full")).verdict, sg::verdict::ignored);
  EXPECT_EQ(verdict_on(rules, sg::circuit_open_error({.name = "inner"})).verdict, sg::verdict::ignored);
}

TEST(classifier, ignores_a_cancellation_by_the_caller_whatever_the_rules_say) {
  const auto rules = sg::classifier{}.fail<std::exception>();
  EXPECT_EQ(verdict_on(rules, sg::cancelled_error("gave up")).verdict, sg::verdict::ignored);
}

TEST(classified_calls, pass_an_ignored_exception_on_and_count_it_as_ignored) {
  small_breaker t(small_config(), sg::classifier{}.ignore<bad_query>());
  for (int i = 0; i < 5; ++i) EXPECT_THROW(t.breaker.call([] { throw bad_query("?"); }), bad_query);
  EXPECT_TRUE(t.breaker.is_closed());
  EXPECT_EQ(t.metrics().ignored, 5u);
  EXPECT_EQ(t.metrics().failures, 0u);
}

TEST(classified_calls, ignore_the_rejection_of_an_inner_breaker) {  // traps 7, 18
  small_breaker inner;
  inner.open();
  small_breaker outer;
  for (int i = 0; i < 5; ++i) {
    EXPECT_THROW(outer.breaker.call([&] { inner.breaker.call([] {}); }), sg::circuit_open_error);
  }
  EXPECT_TRUE(outer.breaker.is_closed());
  EXPECT_EQ(outer.metrics().ignored, 5u);
}

TEST(classified_calls, settle_as_failure_when_the_rule_about_exceptions_throws) {  // trap 34
  small_breaker t(small_config(), sg::classifier{}.judge_exception<bad_query>([](const bad_query&) -> sg::verdict {
    throw std::logic_error("the classifier is broken");
  }));
  t.breaker.trip();
  t.clock.advance(30s);
  EXPECT_THROW(t.breaker.call([] { throw bad_query("?"); }), std::logic_error);
  EXPECT_TRUE(t.breaker.is_open());
  EXPECT_EQ(t.metrics().failures, 1u);
  EXPECT_EQ(t.breaker.snapshot().probes_in_flight, 0u);
  EXPECT_EQ(t.breaker.snapshot().last_failure, "the classifier threw");
}

TEST(classified_calls, settle_as_failure_when_the_rule_about_values_throws) {  // trap 34
  small_breaker t(small_config(), sg::classifier{}.fail_if([](const int&) -> bool {
    throw std::logic_error("the classifier is broken");
  }));
  EXPECT_THROW(t.breaker.call([] { return 1; }), std::logic_error);
  EXPECT_EQ(t.metrics().failures, 1u);
  EXPECT_EQ(t.metrics().total_calls(), 1u);
}

TEST(classified_calls, show_a_throwing_classifier_in_the_result_of_try_call) {
  small_breaker t(small_config(), sg::classifier{}.fail_if([](const int&) -> bool {
    throw std::logic_error("the classifier is broken");
  }));
  const auto result = t.breaker.try_call([] { return 1; });
  EXPECT_FALSE(result);
  EXPECT_EQ(result.verdict(), sg::verdict::failure);
  EXPECT_EQ(result.error(), "the classifier is broken");
}

#endif

}  // namespace
