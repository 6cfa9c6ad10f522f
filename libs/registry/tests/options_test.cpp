// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

namespace {

using namespace registries;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(registry_options, are_good_by_default) { EXPECT_THAT(sg::registry_options{}.validate(), IsEmpty()); }

TEST(registry_options, tell_every_problem_at_once) {
  const sg::registry_options bad{.max_breakers = 0,
                                 .preset = "lm",
                                 .prefix = "1",
                                 .watch_file = true,
                                 .poll_interval = -1s,
                                 .max_reports = 0};
  EXPECT_THAT(keys_of(bad.validate()),
              ElementsAre("max_breakers", "preset", "prefix", "watch_file", "poll_interval", "max_reports"));
  EXPECT_THAT(refused([&] { sg::registry r(bad); }), testing::SizeIs(6));
}

TEST(registry_options, bound_what_has_a_bound) {
  EXPECT_THAT(sg::registry_options{.max_breakers = 16'777'216}.validate(), IsEmpty());
  EXPECT_THAT(keys_of(sg::registry_options{.max_breakers = 16'777'217}.validate()), ElementsAre("max_breakers"));
  EXPECT_THAT(sg::registry_options{.max_reports = 100'000}.validate(), IsEmpty());
  EXPECT_THAT(keys_of(sg::registry_options{.max_reports = 100'001}.validate()), ElementsAre("max_reports"));
}

}  // namespace
