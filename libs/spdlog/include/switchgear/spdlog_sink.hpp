// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/log/log_record.hpp>

#include <spdlog/logger.h>

#include <memory>

namespace switchgear::inline v1 {

/// How lines look in spdlog.
struct spdlog_options {
  /// The fields behind the message, ` key=value key="a text with spaces"`. False: the message alone.
  bool fields = true;
};

/// Gives each line to `logger`, with the time of what happened: debug, info, warning and error as spdlog's levels of these names.
/// What a line says is never taken for a format. The sink holds the logger; it may be called by as many threads at a time as the
/// logger may (the loggers whose names end in `_mt`: any). Throws std::invalid_argument when there is no logger.
[[nodiscard]] log_sink spdlog_sink(std::shared_ptr<spdlog::logger> logger, spdlog_options options = {});

}  // namespace switchgear::inline v1
