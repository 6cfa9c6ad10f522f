// SPDX-License-Identifier: Apache-2.0
#include <switchgear/fleet/options.hpp>

#include <gmock/gmock.h>

#include <limits>
#include <string>
#include <vector>

namespace {

namespace fleet = switchgear::fleet;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> keys(const fleet::options& o) {
  std::vector<std::string> out;
  for (const auto& p : o.validate()) out.push_back(p.key);
  return out;
}

TEST(fleet_options, the_defaults_are_good) { EXPECT_THAT(fleet::options{}.validate(), IsEmpty()); }

TEST(fleet_options, every_problem_is_told_at_once_in_order) {
  fleet::options o;
  o.name = "a b";
  o.instance = "two\nlines";
  o.quorum_share = 1.5;
  o.quorum_within = 0s;
  o.exchange_every = 1ms;
  o.patience = 0s;
  o.reconnect_max = 2h;
  o.use_within = 0s;
  o.keep = 1s;
  o.adopt_within = -1s;
  EXPECT_THAT(keys(o), ElementsAre("name", "instance", "quorum_share", "quorum_within", "exchange_every", "patience",
                                   "reconnect_max", "use_within", "keep", "adopt_within"));
}

TEST(fleet_options, a_name_is_needed) {
  fleet::options o;
  o.name = "";
  EXPECT_THAT(keys(o), ElementsAre("name"));
}

TEST(fleet_options, a_quorum_needs_a_number_or_a_share) {
  fleet::options o;
  o.quorum = 0;
  EXPECT_THAT(keys(o), IsEmpty());  // not asked
  o.opening = fleet::sharing::quorum;
  EXPECT_THAT(keys(o), ElementsAre("quorum"));
  o.quorum_share = 0.5;
  EXPECT_THAT(keys(o), IsEmpty());
}

TEST(fleet_options, a_step_of_the_ramp_is_a_share_and_a_time) {
  for (const double share : {0.0, 1.0, -0.5, 1e-7, std::numeric_limits<double>::quiet_NaN()}) {
    fleet::options o;
    o.ramp = {{share, 1s}};
    EXPECT_THAT(keys(o), ElementsAre("ramp")) << share;
  }
  fleet::options o;
  o.ramp = {{0.5, 0s}};
  EXPECT_THAT(keys(o), ElementsAre("ramp"));
  o.ramp.assign(101, {0.5, 1s});
  EXPECT_THAT(keys(o), ElementsAre("ramp"));
  o.ramp.clear();
  EXPECT_THAT(keys(o), IsEmpty());
}

TEST(fleet_options, a_problem_of_the_url_does_not_show_the_password) {
  fleet::options o;
  for (const char* url : {"http://ada:secret@redis.internal", "redis://ada:secret@redis.internal/x", "no-url", ""}) {
    o.url = url;
    const auto problems = o.validate();
    ASSERT_FALSE(problems.empty()) << url;
    for (const auto& p : problems) EXPECT_EQ(to_string(p).find("secret"), std::string::npos) << to_string(p);
  }
}

}  // namespace
