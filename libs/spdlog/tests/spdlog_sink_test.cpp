// SPDX-License-Identifier: Apache-2.0
#include <switchgear/log.hpp>
#include <switchgear/spdlog_sink.hpp>

#include <spdlog/sinks/ostream_sink.h>

#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

namespace {

namespace sg = switchgear;
using sg::log_level;

struct a_spdlog_sink : testing::Test {
  std::ostringstream out;
  std::shared_ptr<spdlog::logger> logger =
      std::make_shared<spdlog::logger>("circuits", std::make_shared<spdlog::sinks::ostream_sink_mt>(out));

  a_spdlog_sink() {
    logger->set_pattern("%l|%v", spdlog::pattern_time_type::utc);
    logger->set_level(spdlog::level::trace);
  }
  [[nodiscard]] std::string written(const sg::log_record& r, sg::spdlog_options options = {}) {
    out.str({});
    sg::spdlog_sink(logger, options)(r);
    return out.str();
  }
};

TEST_F(a_spdlog_sink, gives_each_level_its_own) {
  EXPECT_EQ(written({log_level::debug, "m", {}, {}}), "debug|m\n");
  EXPECT_EQ(written({log_level::info, "m", {}, {}}), "info|m\n");
  EXPECT_EQ(written({log_level::warning, "m", {}, {}}), "warning|m\n");
  EXPECT_EQ(written({log_level::error, "m", {}, {}}), "error|m\n");
}

TEST_F(a_spdlog_sink, puts_the_fields_behind_the_message) {
  const sg::log_record r{log_level::info, "circuit a closed → open", {{"state", std::string("open")},
                                                                      {"reason", std::string("too many")},
                                                                      {"failure_count", std::int64_t{5}},
                                                                      {"shadow", false}}, {}};
  EXPECT_EQ(written(r), "info|circuit a closed → open state=open reason=\"too many\" failure_count=5 shadow=false\n");
  EXPECT_EQ(written(r, {.fields = false}), "info|circuit a closed → open\n");
}

TEST_F(a_spdlog_sink, takes_no_text_for_a_format) {
  EXPECT_EQ(written({log_level::info, "{} {0} %v", {}, {}}), "info|{} {0} %v\n");
}

TEST_F(a_spdlog_sink, gives_the_time_of_what_happened) {
  logger->set_pattern("%Y-%m-%dT%H:%M:%S|%v", spdlog::pattern_time_type::utc);
  EXPECT_EQ(written({log_level::info, "m", {}, std::chrono::system_clock::time_point(std::chrono::hours(24))}),
            "1970-01-02T00:00:00|m\n");
}

TEST_F(a_spdlog_sink, leaves_out_what_the_logger_does_not_want) {
  logger->set_level(spdlog::level::warn);
  EXPECT_EQ(written({log_level::info, "m", {}, {}}), "");
}

TEST_F(a_spdlog_sink, needs_a_logger) { EXPECT_THROW((void)sg::spdlog_sink(nullptr), std::invalid_argument); }

TEST_F(a_spdlog_sink, writes_what_happens_to_a_circuit_on_one_line) {
  sg::event_log log(sg::spdlog_sink(logger, {.fields = false}));
  sg::event e;
  e.kind = sg::event_kind::opened;
  e.service = "payments";
  e.state = sg::state::open;
  e.reason = "bad\nreason {}";
  log.handler()(e);
  EXPECT_EQ(out.str(), "warning|circuit payments closed → open: bad\\nreason {}\n");
}

}  // namespace
