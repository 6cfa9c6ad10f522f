// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_source.hpp>

#include <string>

#include "fleet_options.hpp"

/// Does what an operator asks for, at all instances of a fleet, and prints what became of it. Throws usage_error for what makes
/// no sense, and what fleet::control throws.
void operate_fleet(const fleet_choice& which, switchgear::circuit_action action);
