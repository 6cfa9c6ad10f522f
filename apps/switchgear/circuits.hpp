// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/host/state_file.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the state folder holds: circuits that can be read, and what is wrong with the files of the others.
struct circuit_list {
  std::vector<switchgear::host::circuit_view> circuits;
  std::vector<std::string> problems;
};

/// Reads all of the folder, or, when names are given, those in their order. A name that does not exist is a problem
/// that says which one was meant. A folder that does not exist yet holds nothing.
[[nodiscard]] circuit_list read_circuits(const std::vector<std::string>& names);

/// Opens the circuit of that name; throws usage_error for what is no name, state_error with the nearest name for one
/// that does not exist.
[[nodiscard]] switchgear::host::state_file open_circuit(const std::string& name);

/// The same, read only.
[[nodiscard]] switchgear::host::circuit_view view_circuit(const std::string& name);

/// Throws usage_error for what cannot be the name of a circuit.
void require_name(const std::string& name);
