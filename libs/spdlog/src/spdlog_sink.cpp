// SPDX-License-Identifier: Apache-2.0
#include <switchgear/spdlog_sink.hpp>

#include <stdexcept>
#include <string>
#include <utility>

namespace switchgear::inline v1 {
namespace {

spdlog::level::level_enum level_in_spdlog(log_level level) noexcept {
  switch (level) {
    case log_level::debug: return spdlog::level::debug;
    case log_level::info: return spdlog::level::info;
    case log_level::warning: return spdlog::level::warn;
    case log_level::error: break;
  }
  return spdlog::level::err;
}

}  // namespace

log_sink spdlog_sink(std::shared_ptr<spdlog::logger> logger, spdlog_options options) {
  if (!logger) throw std::invalid_argument("spdlog_sink: there is no logger; make one, or take spdlog::default_logger()");
  return [logger = std::move(logger), options](const log_record& r) {
    const spdlog::level::level_enum level = level_in_spdlog(r.level);
    if (!logger->should_log(level) && !logger->should_backtrace()) return;
    std::string text = r.message;
    if (options.fields && !r.fields.empty()) text += " " + to_logfmt(r.fields);
    logger->log(r.time, spdlog::source_loc(), level, spdlog::string_view_t(text));
  };
}

}  // namespace switchgear::inline v1
