// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include <stdexcept>
#include <string>
#include <vector>

// Each command of the program adds itself with one function of this shape: it declares its options, and its callback
// sets the exit status. What a callback throws is printed by main().

/// The exit status of a command line that cannot be understood; `exec` has another one, see below.
inline constexpr int exit_usage = 2;

/// What the user asked for makes no sense; printed with the exit status for that.
class usage_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// `command` is what stands behind the first `--`, untouched.
void add_exec_command(CLI::App& app, int& exit_code, std::vector<std::string> command);
void add_status_command(CLI::App& app, int& exit_code);
void add_operator_commands(CLI::App& app, int& exit_code);
void add_events_command(CLI::App& app, int& exit_code);
void add_dashboard_command(CLI::App& app, int& exit_code);
void add_history_command(CLI::App& app, int& exit_code);
void add_conform_command(CLI::App& app, int& exit_code);
void add_simulate_command(CLI::App& app, int& exit_code);
