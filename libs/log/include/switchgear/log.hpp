// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/log/event_log.hpp>   // IWYU pragma: export
#include <switchgear/log/json_lines.hpp>  // IWYU pragma: export
#include <switchgear/log/log_record.hpp>  // IWYU pragma: export
