// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/event_bus.hpp>

#include <memory>
#include <string_view>

namespace switchgear::inline v1 {

/// The bus of that name, not started yet:
///
///     local:                                                     within this process
///     redis://[user:password@]host[:port][/db][?fleet=NAME]      see redis_bus
///     kafka://host[:port][,host[:port]…]/topic[?group=NAME]      see kafka_bus
///
/// Nothing is connected before start(), so a server that is away is no error here. Throws config_error for what is no such name; no
/// part of it that may be a password is shown.
[[nodiscard]] std::unique_ptr<event_bus> open_bus(std::string_view url, const event_bus_options& options = {});

}  // namespace switchgear::inline v1
