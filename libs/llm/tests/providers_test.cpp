// SPDX-License-Identifier: Apache-2.0
#include "model_server.hpp"

#include <switchgear/provider_chain.hpp>

namespace {

using namespace llm_test;

struct two_models : testing::Test {
  model_server large, small;
  sg::llm::client first{[this] {
    auto o = large.options();
    o.model = "large";
    return o;
  }()};
  sg::llm::client second{small.options()};
  sg::provider_chain<std::string(const std::string&)> models{{.name = "models"}};

  two_models() {
    large.answers(chat_answer("from the large one"));
    small.answers(chat_answer("from the small one"));
    models.add("large", [this](const std::string& q) { return first.complete(q).text; })
        .add("small", [this](const std::string& q) { return second.complete(q).text; });
  }
};

TEST_F(two_models, are_asked_in_order) {
  EXPECT_EQ(models("Hi?"), "from the large one");
  EXPECT_TRUE(small.server.requests().empty());
}

TEST_F(two_models, stand_in_for_each_other) {
  large.answers("", 503);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(models("Hi?"), "from the small one");
  EXPECT_EQ(large.server.requests().size(), 3u) << "then its circuit is open";
  EXPECT_EQ(first.breaker().state(), sg::state::open);
}

TEST_F(two_models, stand_in_for_one_with_a_limit_on_requests) {
  large.next = {.status = 429, .headers = {{"Retry-After", "60"}}};
  EXPECT_EQ(models("Hi?"), "from the small one");
  EXPECT_TRUE(first.breaker().is_closed());
}

TEST_F(two_models, say_when_to_come_back_when_both_have_enough) {
  large.next = {.status = 429, .headers = {{"Retry-After", "60"}}};
  small.next = {.status = 429, .headers = {{"Retry-After", "20"}}};
  try {
    (void)models("Hi?");
    FAIL();
  } catch (const sg::all_providers_rejected_error& e) {
    EXPECT_EQ(e.retry_after(), std::chrono::seconds(20));
  }
}

}  // namespace
