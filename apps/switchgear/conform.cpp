// SPDX-License-Identifier: Apache-2.0
#include <switchgear/scenario/conform.hpp>

#include <iostream>
#include <memory>

#include "command.hpp"

void add_conform_command(CLI::App& app, int& exit_code) {
  auto paths = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand("conform", "Run scenario files, or folders of them, against the real machine");
  command->add_option("path", *paths, "files, or folders that are searched for *.json")->required()->type_name("PATH");
  command->callback([paths, &exit_code] {
    exit_code = switchgear::scenario::run_conform(*paths, std::cout, std::cerr);
  });
}
