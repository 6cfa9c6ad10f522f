// SPDX-License-Identifier: Apache-2.0
#include "failing_new.hpp"

#include <switchgear/transaction.hpp>

#include <gtest/gtest.h>

#include <new>

namespace {

namespace sg = switchgear;
using effects_tests::no_memory;

TEST(transaction, undoes_at_once_what_there_is_no_memory_to_name) {
  bool done = false;
  bool refused = false;
  sg::transaction t;
  const auto undo = [&done] { done = true; };
  {
    const no_memory from_here_on;
    try {
      t.on_rollback("a name that does not fit into a string without memory of its own", undo);
    } catch (const std::bad_alloc&) {
      refused = true;
    }
  }
  EXPECT_TRUE(refused);
  EXPECT_TRUE(done);
  EXPECT_EQ(t.undos(), 0u);
}

}  // namespace
