// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

namespace {

using namespace shell;

TEST(call_result, of_a_success_has_the_value) {
  small_breaker t;
  auto result = t.breaker.try_call([] { return std::string("receipt"); });
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, "receipt");
  EXPECT_EQ(result->size(), 7u);
  EXPECT_EQ(result.verdict(), sg::verdict::success);
  EXPECT_EQ(result.state(), sg::state::closed);
  EXPECT_FALSE(result.rejected());
  EXPECT_EQ(result.error(), "");
  EXPECT_EQ(result.exception(), nullptr);
}

TEST(call_result, of_nothing_is_still_a_result) {
  small_breaker t;
  EXPECT_TRUE(t.breaker.try_call([] {}).has_value());
}

TEST(call_result, hands_a_value_over_that_can_only_be_moved) {
  small_breaker t;
  auto result = t.breaker.try_call([] { return std::make_unique<int>(4); });
  const std::unique_ptr<int> value = *std::move(result);
  EXPECT_EQ(*value, 4);
}

TEST(call_result, copies_what_a_reference_refers_to) {
  small_breaker t;
  int x = 1;
  auto result = t.breaker.try_call([&]() -> int& { return x; });
  x = 2;
  EXPECT_EQ(*result, 1);
}

TEST(call_result, tells_how_long_the_function_took) {
  small_breaker t;
  EXPECT_EQ(t.breaker.try_call([&] { t.clock.advance(3s); }).duration(), 3s);
}

TEST(call_result, of_a_rejection_says_why_and_when_to_come_back) {
  small_breaker t;
  t.open();
  const auto result = t.breaker.try_call([] { return 1; });
  EXPECT_FALSE(result);
  EXPECT_TRUE(result.rejected());
  EXPECT_EQ(result.rejection()->reason, sg::rejection_reason::open);
  EXPECT_EQ(result.rejection()->retry_after, 30s);
  EXPECT_EQ(result.rejection()->failure_count, 2u);
  EXPECT_EQ(result.state(), sg::state::open);
  EXPECT_EQ(result.verdict(), sg::verdict::abandoned);
  EXPECT_EQ(result.duration(), 0ns);
  EXPECT_EQ(result.error(), "circuit payments is open");
  EXPECT_EQ(result.exception(), nullptr);
}

TEST(call_result, of_a_probe_says_half_open) {
  small_breaker t;
  t.half_open();
  EXPECT_EQ(t.breaker.try_call([] {}).state(), sg::state::half_open);
}

TEST(call_result, gives_another_value_where_there_is_none) {
  small_breaker t;
  EXPECT_EQ(t.breaker.try_call([] { return 1; }).value_or(9), 1);
  t.open();
  EXPECT_EQ(t.breaker.try_call([] { return 1; }).value_or(9), 9);
}

TEST(call_result, keeps_a_value_that_was_classified_as_a_failure) {
  small_breaker t(small_config(), sg::classifier{}.fail_if([](const int& status) { return status >= 500; }));
  const auto result = t.breaker.try_call([] { return 503; });
  EXPECT_EQ(*result, 503);
  EXPECT_EQ(result.verdict(), sg::verdict::failure);
}

TEST(call_result, of_a_timeout_has_no_value) {
  small_breaker t(small_with([](auto& c) { c.call_timeout = 10s; }));
  const auto result = t.breaker.try_call([&] {
    t.clock.advance(10s);
    return 1;
  });
  EXPECT_FALSE(result);
  EXPECT_FALSE(result.rejected());
  EXPECT_EQ(result.verdict(), sg::verdict::timeout);
  EXPECT_EQ(result.duration(), 10s);
  EXPECT_NE(result.error(), "");
}

#if SWITCHGEAR_HAS_EXCEPTIONS
TEST(call_result, of_a_failure_has_the_functions_own_exception) {
  small_breaker t;
  const auto result = t.breaker.try_call([]() -> int { throw std::out_of_range("no such order"); });
  EXPECT_FALSE(result);
  EXPECT_FALSE(result.rejected());
  EXPECT_EQ(result.error(), "no such order");
  EXPECT_EQ(result.verdict(), sg::verdict::failure);
  EXPECT_THROW(std::rethrow_exception(result.exception()), std::out_of_range);
}

TEST(call_result, of_an_ignored_exception_says_so) {
  small_breaker t(small_config(), sg::classifier{}.ignore<std::out_of_range>());
  const auto result = t.breaker.try_call([]() -> int { throw std::out_of_range("no such order"); });
  EXPECT_EQ(result.verdict(), sg::verdict::ignored);
  EXPECT_EQ(result.error(), "no such order");
}

TEST(call_result, has_a_text_for_what_is_no_std_exception) {
  small_breaker t;
  EXPECT_EQ(t.breaker.try_call([] { throw 7; }).error(), "an exception that is not a std::exception");
}

TEST(call_result, of_a_timeout_has_call_timeout_error) {
  small_breaker t(small_with([](auto& c) { c.call_timeout = 10s; }));
  const auto result = t.breaker.try_call([&] { t.clock.advance(10s); });
  EXPECT_THROW(std::rethrow_exception(result.exception()), sg::call_timeout_error);
}
#endif

}  // namespace
