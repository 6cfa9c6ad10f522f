// SPDX-License-Identifier: Apache-2.0
#include <switchgear/simulation/report.hpp>

using namespace std::chrono_literals;
namespace simulation = switchgear::simulation;

namespace {

simulation::comparison example() {
  simulation::comparison c;
  c.of.instances = 3;
  c.of.seed = 7;
  c.of.plan = "outage";
  simulation::report r;
  r.duration = 10s;
  r.trouble_at = 2s;
  r.revived_at = 6s;
  r.sample_length = 5s;
  r.first_knows = 250ms;
  r.samples = {{.load = 100, .good = 90, .capacity = 130, .open = 0, .probes = 0},
               {.load = 20, .good = 20, .capacity = 130, .open = 3, .probes = 1}};
  c.shared = r;
  c.alone = r;
  c.alone->sharing = false;
  return c;
}

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(simulation_output, the_picture_has_three_panels_with_both_curves_and_says_what_they_are) {
  const std::string svg = to_svg(example());
  EXPECT_EQ(count_of(svg, "<polyline class=\"curve with\""), 3u);
  EXPECT_EQ(count_of(svg, "<polyline class=\"curve without\""), 3u);
  EXPECT_EQ(count_of(svg, "<polyline class=\"curve capacity\""), 1u);
  for (const char* words : {"with sharing", "without sharing", "3 instances, plan outage, seed 7", "calls a second",
                            "prefers-color-scheme: dark", "</svg>"}) {
    EXPECT_NE(svg.find(words), std::string::npos) << words;
  }
}

TEST(simulation_output, a_run_that_was_not_made_is_neither_drawn_nor_told) {
  auto c = example();
  c.alone.reset();
  EXPECT_EQ(to_svg(c).find("without sharing"), std::string::npos);
  EXPECT_NE(to_json(c).find("\"without_sharing\":null"), std::string::npos);
}

TEST(simulation_output, json_has_figures_samples_and_the_violation) {
  auto c = example();
  c.shared->violated = simulation::violation{.rule = "r", .what = "w \"x\"", .instance = "i1", .at = 1500ms, .events = {"e"}};
  const std::string json = to_json(c);
  EXPECT_NE(json.find("\"first_knows_seconds\":0.25"), std::string::npos) << json;
  EXPECT_NE(json.find("\"half_know_seconds\":null"), std::string::npos);
  EXPECT_NE(json.find("{\"load\":100,\"good\":90,\"capacity\":130,\"open\":0,\"probes\":0}"), std::string::npos);
  EXPECT_NE(json.find(R"("violation":{"rule":"r","what":"w \"x\"","instance":"i1","at_seconds":1.5,"events":["e"]})"),
            std::string::npos);
}

TEST(simulation_output, times_are_spoken) {
  EXPECT_EQ(simulation::spoken(820ms), "820ms");
  EXPECT_EQ(simulation::spoken(4250ms), "4.25s");
  EXPECT_EQ(simulation::spoken(303s), "5m03s");
  EXPECT_EQ(simulation::spoken({}), "never");
}

}  // namespace
