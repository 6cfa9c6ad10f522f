// SPDX-License-Identifier: Apache-2.0
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/fallback.hpp>
#include <switchgear/guard.hpp>
#include <switchgear/pipeline.hpp>
#include <switchgear/provider_chain.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using sg::failure_kind;
using sg::testing::manual_clock;

struct outage : std::runtime_error {
  using runtime_error::runtime_error;
};
struct bad_query : std::runtime_error {
  using runtime_error::runtime_error;
};

/// Two providers with breakers.
struct setup {
  manual_clock clock;
  sg::circuit_breaker large{"large", {.failure_threshold = 2, .open_duration = 30s}, clock};
  sg::circuit_breaker small{"small", {.failure_threshold = 2, .open_duration = 10s}, clock};
  int large_calls = 0, small_calls = 0;
  sg::provider_chain<std::string(int)> chain;

  explicit setup(sg::provider_chain_options o = {.name = "models"}) : chain(std::move(o)) {}
  template <class F, class G>
  void ask(F f, G g) {
    chain
        .add("large", large, [this, f](int i) {
          ++large_calls;
          return f(i);
        })
        .add("small", small, [this, g](int i) {
          ++small_calls;
          return g(i);
        });
  }
};

std::string answer(int i) { return "answer " + std::to_string(i); }
std::string fail(int) { throw outage("down"); }

TEST(provider_chain, asks_the_first_alone_when_it_answers) {
  setup t;
  t.ask(answer, fail);
  EXPECT_EQ(t.chain(1), "answer 1");
  EXPECT_EQ(t.small_calls, 0);
}

TEST(provider_chain, asks_the_next_when_one_fails) {
  setup t;
  t.ask(fail, answer);
  EXPECT_EQ(t.chain(1), "answer 1");
  EXPECT_EQ(t.large_calls, 1);
}

TEST(provider_chain, asks_the_next_when_a_circuit_is_open) {  // trap 26: the open error of the first hides the fallback
  setup t;
  t.ask(fail, answer);
  t.large.trip();
  EXPECT_EQ(t.chain(1), "answer 1");
  EXPECT_EQ(t.large_calls, 0);
}

TEST(provider_chain, opens_the_circuit_of_a_provider_that_fails) {
  setup t;
  t.ask(fail, answer);
  for (int i = 0; i < 5; ++i) t.chain(i);
  EXPECT_TRUE(t.large.is_open());
  EXPECT_EQ(t.large_calls, 2);
  EXPECT_EQ(t.small_calls, 5);
}

TEST(provider_chain, comes_back_to_a_provider_that_has_recovered) {
  setup t;
  t.ask(answer, fail);
  t.large.trip();
  EXPECT_THROW(t.chain(1), sg::all_providers_failed_error);
  t.clock.advance(30s);
  EXPECT_EQ(t.chain(2), "answer 2");
}

TEST(provider_chain, lists_every_provider_with_its_reason_when_none_answers) {
  setup t;
  t.ask(fail, [](int) -> std::string { throw bad_query("too long"); });
  t.large.trip();
  try {
    t.chain(1);
    FAIL();
  } catch (const sg::all_providers_failed_error& e) {
    ASSERT_EQ(e.failures().size(), 2u);
    EXPECT_EQ(e.failures()[0].provider, "large");
    EXPECT_EQ(e.failures()[0].kind, failure_kind::rejection);
    EXPECT_EQ(e.failures()[0].retry_after, 30s);
    EXPECT_THROW(std::rethrow_exception(e.failures()[0].error), sg::circuit_open_error);
    EXPECT_EQ(e.failures()[1].provider, "small");
    EXPECT_EQ(e.failures()[1].kind, failure_kind::exception);
    EXPECT_EQ(e.failures()[1].reason, "too long");
    EXPECT_THROW(std::rethrow_exception(e.failures()[1].error), bad_query);
    EXPECT_THAT(e.what(), testing::StartsWith("models: no provider answered: large (rejection: circuit large is open"));
    EXPECT_THAT(e.what(), testing::EndsWith("; small (exception: too long)"));
  }
}

TEST(provider_chain, says_the_shortest_time_to_wait) {
  setup t;
  t.ask(fail, fail);
  t.large.trip();
  t.small.trip();
  try {
    t.chain(1);
    FAIL();
  } catch (const sg::all_providers_rejected_error& e) {
    EXPECT_EQ(e.retry_after(), 10s);
  }
}

TEST(provider_chain, knows_no_time_to_wait_when_none_was_said) {
  setup t;
  t.ask(fail, fail);
  try {
    t.chain(1);
    FAIL();
  } catch (const sg::all_providers_failed_error& e) {
    EXPECT_EQ(e.retry_after(), std::nullopt);
  }
}

TEST(provider_chain, passes_other_exceptions_when_only_rejections_lead_on) {  // S1-79
  setup t({.name = "models", .only_rejections = true});
  t.ask(fail, answer);
  EXPECT_THROW(t.chain(1), outage);
  t.large.trip();
  EXPECT_EQ(t.chain(2), "answer 2");
}

TEST(provider_chain, passes_what_the_classifier_ignores) {
  setup t({.when = sg::classifier{}.ignore<bad_query>()});
  t.ask([](int) -> std::string { throw bad_query("too long"); }, answer);
  EXPECT_THROW(t.chain(1), bad_query);
}

TEST(provider_chain, asks_the_next_after_a_bad_result) {
  setup t({.when = sg::classifier{}.fail_if([](const std::string& s) { return s.empty(); })});
  t.ask([](int) { return std::string(); }, answer);
  EXPECT_EQ(t.chain(1), "answer 1");
}

TEST(provider_chain, lists_a_bad_result_among_the_reasons) {
  setup t({.when = sg::classifier{}.fail_if([](const std::string& s) { return s.empty(); })});
  t.ask([](int) { return std::string(); }, fail);
  try {
    t.chain(1);
    FAIL();
  } catch (const sg::all_providers_failed_error& e) {
    EXPECT_EQ(e.failures()[0].kind, failure_kind::bad_result);
    EXPECT_EQ(e.failures()[0].error, nullptr);
  }
}

TEST(provider_chain, passes_what_the_classifier_throws) {
  setup t({.when = sg::classifier{}.fail_if([](const std::string&) -> bool { throw std::logic_error("rule"); })});
  t.ask(answer, answer);
  EXPECT_THROW(t.chain(1), std::logic_error);
  EXPECT_EQ(t.small_calls, 0);
}

TEST(provider_chain, passes_a_cancellation_at_once) {
  setup t;
  t.ask([](int) -> std::string { throw sg::cancelled_error("gave up"); }, answer);
  EXPECT_THROW(t.chain(1), sg::cancelled_error);
  EXPECT_EQ(t.small_calls, 0);
}

TEST(provider_chain, passes_a_failure_at_once_when_the_caller_asked_to_stop) {
  setup t;
  std::stop_source caller;
  t.ask([&](int) -> std::string {
    caller.request_stop();
    throw outage("interrupted");
  }, answer);
  EXPECT_THROW(t.chain(caller.get_token(), 1), outage);
  EXPECT_EQ(t.small_calls, 0);
  EXPECT_EQ(t.large.snapshot().metrics.failures, 0u);
  EXPECT_EQ(t.large.snapshot().metrics.ignored, 1u);
}

TEST(provider_chain, asks_nobody_when_the_caller_wants_to_stop_already) {
  setup t;
  t.ask(answer, answer);
  std::stop_source caller;
  caller.request_stop();
  EXPECT_THROW(t.chain(caller.get_token(), 1), sg::cancelled_error);
  EXPECT_EQ(t.large_calls, 0);
}

TEST(provider_chain, hands_the_stop_token_to_providers_that_take_one) {
  setup t;
  std::stop_source caller;
  sg::provider_chain<bool(int)> chain;
  chain.add("large", t.large, [&](std::stop_token stop, int) {
    caller.request_stop();
    return stop.stop_requested();
  });
  EXPECT_TRUE(chain(caller.get_token(), 1));
}

TEST(provider_chain, asks_a_provider_to_stop_at_the_call_timeout_of_its_breaker) {
  manual_clock clock;
  sg::circuit_breaker slow("slow", {.call_timeout = 2s}, clock);
  std::stop_source caller;
  bool asked = false;
  sg::provider_chain<int()> chain;
  chain
      .add("slow", slow, [&](std::stop_token stop) {
        clock.advance(2s);
        asked = stop.stop_requested();
        return 1;
      })
      .add("spare", [] { return 2; });
  EXPECT_EQ(chain(caller.get_token()), 2);
  EXPECT_TRUE(asked);
  EXPECT_EQ(slow.snapshot().metrics.timeouts, 1u);
}

TEST(provider_chain, takes_providers_without_a_breaker) {
  sg::provider_chain<int()> chain;
  chain.add("first", []() -> int { throw outage("down"); }).add("last", [] { return 5; });
  EXPECT_EQ(chain(), 5);
}

TEST(provider_chain, takes_shared_breakers_and_handles) {
  manual_clock clock;
  const auto shared = std::make_shared<sg::circuit_breaker>("shared", sg::config{}, clock);
  sg::any_breaker handle(shared);
  sg::provider_chain<int()> chain;
  chain.add("shared", shared, []() -> int { throw outage("down"); }).add("handle", handle, [] { return 5; });
  EXPECT_EQ(chain(), 5);
  EXPECT_EQ(shared->snapshot().metrics.failures, 1u);
  EXPECT_EQ(shared->snapshot().metrics.successes, 1u);
}

TEST(provider_chain, refuses_a_name_twice) {
  sg::provider_chain<int()> chain;
  chain.add("large", [] { return 1; });
  EXPECT_THROW(chain.add("large", [] { return 2; }), sg::config_error);
  EXPECT_THROW(chain.add("", [] { return 2; }), sg::config_error);
}

TEST(provider_chain, fails_without_a_provider) {
  const sg::provider_chain<int()> chain({.name = "models"});
  try {
    chain();
    FAIL();
  } catch (const sg::all_providers_failed_error& e) {
    EXPECT_STREQ(e.what(), "models: there is no provider");
  }
}

TEST(provider_chain, gives_what_its_providers_return_whatever_that_is) {
  int lives_longer = 5;
  sg::provider_chain<int&()> references;
  references.add("only", [&]() -> int& { return lives_longer; });
  EXPECT_EQ(&references(), &lives_longer);
  sg::provider_chain<std::unique_ptr<int>(std::unique_ptr<int>&)> move_only;
  move_only.add("only", [](std::unique_ptr<int>& p) { return std::move(p); });
  auto p = std::make_unique<int>(5);
  EXPECT_EQ(*move_only(p), 5);
  bool ran = false;
  sg::provider_chain<void()> nothing;
  nothing.add("first", [] { throw outage("down"); }).add("second", [&] { ran = true; });
  nothing();
  EXPECT_TRUE(ran);
}

TEST(provider_chain, takes_a_function_that_can_only_be_moved) {
  sg::provider_chain<int()> chain;
  chain.add("only", [p = std::make_unique<int>(5)] { return *p; });
  EXPECT_EQ(chain(), 5);
}

TEST(provider_chain, answers_in_a_fallback) {
  sg::provider_chain<std::string(const sg::failure_info&)> spare;
  spare.add("cache", [](const sg::failure_info&) -> std::string { throw outage("cache down"); })
      .add("canned", [](const sg::failure_info& why) { return "sorry: " + std::string(why.what()); });
  EXPECT_EQ(sg::fallback(spare).call([]() -> std::string { throw outage("model down"); }), "sorry: model down");
}

TEST(provider_chain, leaves_the_first_failure_nested_when_it_fails_in_a_fallback) {
  sg::provider_chain<int()> spare;
  spare.add("cache", []() -> int { throw outage("cache down"); });
  try {
    sg::fallback(spare).call([]() -> int { throw outage("model down"); });
    FAIL();
  } catch (const sg::all_providers_failed_error& e) {
    try {
      std::rethrow_if_nested(e);
      FAIL();
    } catch (const outage& first) {
      EXPECT_STREQ(first.what(), "model down");
    }
  }
}

TEST(provider_chain, is_called_through_policies_like_any_function) {
  sg::provider_chain<int(int)> chain;
  chain.add("first", [](int) -> int { throw outage("down"); }).add("second", [](int i) { return i; });
  EXPECT_EQ(sg::pipeline(sg::fallback(7))(chain, 5), 5);
}

TEST(provider_chain, counts_by_provider) {
  setup t;
  t.ask(fail, answer);
  for (int i = 0; i < 5; ++i) t.chain(i);
  const auto all = t.chain.metrics();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "large");
  EXPECT_EQ(all[0].failed, 2u);
  EXPECT_EQ(all[0].rejected, 3u);
  EXPECT_EQ(all[1].answered, 5u);
}

TEST(provider_chain, tells_its_observers_when_it_goes_on) {
  setup t;
  t.ask(fail, fail);
  std::vector<std::string> lines;
  const auto subscription = t.chain.observe([&](const sg::policy_event& e) { lines.push_back(sg::log_line(e)); });
  EXPECT_THROW(t.chain(1), sg::all_providers_failed_error);
  sg::drain_events();
  EXPECT_THAT(lines, testing::ElementsAre("provider_chain models: fell_back: from large to small: down"));
}

TEST(provider_chain, describes_itself) {
  setup t;
  t.ask(answer, answer);
  EXPECT_EQ(t.chain.describe(), "provider_chain(large, small)");
}

}  // namespace
