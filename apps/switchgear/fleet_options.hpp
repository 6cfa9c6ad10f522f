// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include <switchgear/fleet/operators.hpp>

#include <chrono>
#include <memory>
#include <string>

/// Which fleet a command is about; no URL: none.
struct fleet_choice {
  std::string url;
  std::string name = "default";

  [[nodiscard]] bool given() const noexcept { return !url.empty(); }
};

/// Adds `--fleet URL` and `--fleet-name NAME`; the first of them.
CLI::Option* add_fleet_options(CLI::App& command, fleet_choice& fleet, const std::string& about);

/// Asks nobody yet. Throws usage_error for what names no fleet.
[[nodiscard]] std::shared_ptr<switchgear::fleet::control> open_fleet(
    const fleet_choice& fleet, std::chrono::nanoseconds timeout = std::chrono::seconds(2));

/// `fleet shop at redis://127.0.0.1:6379/0`: without its secrets, for messages.
[[nodiscard]] std::string shown_fleet(const fleet_choice& fleet);
