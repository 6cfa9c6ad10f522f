// SPDX-License-Identifier: Apache-2.0
#include "support/shell.hpp"

#include <set>
#include <type_traits>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace shell;

template <class E>
constexpr bool is_ours = std::is_base_of_v<sg::error, E> && std::is_base_of_v<std::exception, E>;
static_assert(is_ours<sg::circuit_open_error> && is_ours<sg::call_timeout_error> && is_ours<sg::config_error>);
static_assert(is_ours<sg::connection_error> && is_ours<sg::cancelled_error> && is_ours<sg::rejected_error>);
static_assert(std::is_base_of_v<sg::rejected_error, sg::circuit_open_error>);
static_assert(!std::is_base_of_v<sg::rejected_error, sg::call_timeout_error>);

TEST(circuit_open_error, carries_everything) {  // S0-93, S0-94
  const sg::circuit_open_error e({.name = "orders",
                                  .state = sg::state::open,
                                  .reason = sg::rejection_reason::open,
                                  .retry_after = 1500ms,
                                  .failure_count = 5,
                                  .correlation_id = "request-17",
                                  .context = {"kafka", "publish", "kafka.production"}});
  EXPECT_EQ(e.name(), "orders");
  EXPECT_EQ(e.state(), sg::state::open);
  EXPECT_EQ(e.reason(), sg::rejection_reason::open);
  EXPECT_EQ(e.retry_after(), 1500ms);
  EXPECT_EQ(e.failure_count(), 5u);
  EXPECT_EQ(e.correlation_id(), "request-17");
  EXPECT_EQ(e.context().transport, "kafka");
  EXPECT_EQ(e.context().operation, "publish");
  EXPECT_EQ(e.context().target, "kafka.production");
}

TEST(circuit_open_error, says_in_its_text_what_happened_and_what_to_do) {
  const sg::circuit_open_error open({.name = "orders",
                                     .retry_after = 1500ms,
                                     .failure_count = 5,
                                     .context = {"kafka", "publish", "kafka.production"}});
  EXPECT_STREQ(open.what(),
               "circuit orders is open - service temporarily unavailable; rejected after 5 failures, retry after 1.5s "
               "[kafka publish kafka.production]");
  const sg::circuit_open_error full({.name = "orders",
                                     .state = sg::state::half_open,
                                     .reason = sg::rejection_reason::half_open_limit,
                                     .retry_after = 0s});
  EXPECT_STREQ(full.what(), "circuit orders is half_open - service temporarily unavailable; its probes are all out");
  const sg::circuit_open_error forced(
      {.name = "orders", .state = sg::state::forced_open, .reason = sg::rejection_reason::forced_open});
  EXPECT_STREQ(forced.what(),
               "circuit orders is forced_open - service temporarily unavailable; an operator holds it open");
}

TEST(circuit_open_error, never_says_to_come_back_in_the_past) {
  EXPECT_EQ(sg::circuit_open_error({.name = "orders", .retry_after = -1s}).retry_after(), 0ns);
}

TEST(circuit_open_error, does_not_round_the_time) {
  EXPECT_EQ(sg::circuit_open_error({.name = "orders", .retry_after = 1ns}).retry_after(), 1ns);
}

TEST(circuit_open_error, may_know_no_time) {
  EXPECT_EQ(sg::circuit_open_error({.name = "orders"}).retry_after(), std::nullopt);
}

TEST(circuit_open_error, makes_a_correlation_id_when_the_caller_has_none) {
  const sg::circuit_open_error first({.name = "orders"}), second({.name = "orders"});
  EXPECT_EQ(first.correlation_id().size(), 36u);
  EXPECT_NE(first.correlation_id(), second.correlation_id());
}

TEST(call_timeout_error, carries_name_and_limit) {
  const sg::call_timeout_error e("orders", 1500ms);
  EXPECT_EQ(e.name(), "orders");
  EXPECT_EQ(e.limit(), 1500ms);
  EXPECT_STREQ(e.what(), "orders: the call took longer than 1.5s");
}

TEST(config_error, lists_every_problem) {
  const sg::config_error e({{"jitter", "2", "0 … 1", "is too large"}, {"window", "0", "", "is empty"}});
  ASSERT_EQ(e.problems().size(), 2u);
  EXPECT_EQ(e.problems()[1].key, "window");
  EXPECT_THAT(e.what(), testing::AllOf(testing::HasSubstr("jitter = 2"), testing::HasSubstr("window = 0")));
}

TEST(connection_error, carries_context_and_correlation_id) {
  const sg::connection_error e("no broker answers", {"kafka", "publish", "kafka.production"}, "request-17");
  EXPECT_STREQ(e.what(), "no broker answers");
  EXPECT_EQ(e.context().transport, "kafka");
  EXPECT_EQ(e.correlation_id(), "request-17");
}

#if SWITCHGEAR_HAS_EXCEPTIONS
TEST(connection_error, carries_its_cause_nested) {
  try {
    try {
      throw std::runtime_error("connection refused");
    } catch (...) {
      std::throw_with_nested(sg::connection_error("no broker answers", {"kafka", "publish", "b"}, "request-17"));
    }
  } catch (const sg::connection_error& e) {
    EXPECT_THROW(std::rethrow_if_nested(e), std::runtime_error);
  }
}
#endif

TEST(uuid, has_the_form_of_a_random_one) {
  for (int i = 0; i < 1000; ++i) {
    const std::string id = sg::make_uuid();
    ASSERT_EQ(id.size(), 36u);
    for (std::size_t k = 0; k < id.size(); ++k) {
      if (k == 8 || k == 13 || k == 18 || k == 23) {
        EXPECT_EQ(id[k], '-');
      } else {
        EXPECT_NE(std::string("0123456789abcdef").find(id[k]), std::string::npos) << id;
      }
    }
    EXPECT_EQ(id[14], '4');
    EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos) << id;
  }
}

TEST(uuid, is_never_given_twice_by_any_thread) {
  std::vector<std::vector<std::string>> made(4);
  std::vector<std::thread> threads;
  for (auto& mine : made) {
    threads.emplace_back([&mine] {
      for (int i = 0; i < 5000; ++i) mine.push_back(sg::make_uuid());
    });
  }
  for (auto& t : threads) t.join();
  std::set<std::string> all;
  for (const auto& mine : made) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), 20000u);
}

TEST(uuid, differs_between_a_process_and_its_child) {
  (void)sg::make_uuid();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string id = sg::make_uuid();
    ::_exit(::write(ends[1], id.data(), id.size()) == 36 ? 0 : 1);
  }
  ::close(ends[1]);
  char text[36] = {};
  EXPECT_EQ(::read(ends[0], text, sizeof text), 36);
  ::close(ends[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_NE(std::string(text, sizeof text), sg::make_uuid());
}

}  // namespace
