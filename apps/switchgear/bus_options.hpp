// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include <switchgear/event_bus.hpp>

#include <memory>
#include <string>

/// Adds `--bus URL`, which $SWITCHGEAR_BUS stands for when it is not given: a password is better kept out of command lines.
CLI::Option* add_bus_option(CLI::App& command, std::string& url, const std::string& about);

/// The bus of that name, not started yet. Throws usage_error; one within this process alone makes no sense here.
[[nodiscard]] std::unique_ptr<switchgear::event_bus> open_named_bus(const std::string& url,
                                                                    const switchgear::event_bus_options& options = {});

/// The name without its secrets, for messages.
[[nodiscard]] std::string shown_bus(const std::string& url);

/// Starts the bus so that none of its threads ever gets a signal that is meant for the program.
void start_quietly(switchgear::event_bus& bus);
