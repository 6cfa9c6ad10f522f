// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <switchgear/circuit_source.hpp>
#include <switchgear/host/circuit_view.hpp>
#include <switchgear/host/state_file.hpp>

#include <string>

/// Adds `--shared FILE`: the circuit is one of those that processes of this host share, see host::shared_circuits.
CLI::Option* add_shared_option(CLI::App& command, std::string& file);

/// Acts on such a circuit as on one in a state file. Throws usage_error and state_error as open_circuit() does.
[[nodiscard]] switchgear::host::operation operate_shared(const std::string& file, const switchgear::circuit_action& action);
/// Sets its lifetime metrics to 0.
void reset_shared_metrics(const std::string& file, const std::string& name);

/// Such a circuit, read only.
[[nodiscard]] switchgear::host::circuit_view view_shared(const std::string& file, const std::string& name);
