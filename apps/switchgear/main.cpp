// SPDX-License-Identifier: Apache-2.0
#include <switchgear/config/keys.hpp>
#include <switchgear/errors.hpp>

#include <algorithm>
#include <iostream>

#include "command.hpp"
#include "demo/demo.hpp"

namespace {

constexpr int exit_failure = 1;
constexpr int exit_of_exec = 125;

constexpr const char* footer = R"(Examples:
  switchgear demo                                                see a circuit open and recover, in 20 seconds
  switchgear exec --name backup -- rsync -a /data host:/backup   after five failures in a row it stops hammering
  switchgear status --watch                                      all circuits, live
  switchgear dashboard                                           the same on a page, and more
  switchgear events --bus redis://127.0.0.1:6379/0               what happens to all circuits of a fleet, as it happens
  switchgear force-open backup --reason "disk swap" --ttl 2h     hold it open for two hours
  switchgear COMMAND --help                                      more about one of them)";

/// The commands that --help shows; demo has others, for the processes it starts.
std::vector<std::string_view> names_of_commands(CLI::App& app) {
  std::vector<std::string_view> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App* c) { return !c->get_group().empty(); })) {
    names.push_back(command->get_name());
  }
  return names;
}

bool exists(CLI::App& app, const std::string& command) {
  return !app.get_subcommands([&](const CLI::App* c) { return c->get_name() == command; }).empty();
}

/// What was probably meant by an option that does not exist.
std::string suggestion_for(const CLI::App& command, const std::string& written) {
  const std::string plain = written.substr(0, written.find('='));
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_lnames().empty() || option->get_group().empty()) continue;
    names.push_back("--" + option->get_lnames().front());
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  return views.empty() ? "" : "; the nearest option is " + std::string(switchgear::nearest(plain, views));
}

/// The words of an error of the command line.
std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  const auto chosen = app.get_subcommands();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr || chosen.empty()) return error.what();
  const CLI::App& command = *chosen.front();
  const auto extras = command.remaining();
  if (extras.empty()) return error.what();
  const std::string& first = extras.front();
  if (first.starts_with("-")) return "there is no option " + first + suggestion_for(command, first);
  const bool exec = command.get_name() == "exec";
  return "\"" + first + "\" was not expected" + (exec ? "; the command stands behind --" : "");
}

void complain(const std::string& text) {
  std::string lines = text;
  while (lines.ends_with('\n')) lines.pop_back();
  const bool several = lines.find('\n') != std::string::npos;
  std::cerr << "switchgear: error: " << (several ? "\n" : "") << lines << "\n";
}

int run(std::vector<std::string> words) {
  const bool is_exec = !words.empty() && words.front() == "exec";
  std::vector<std::string> behind;
  if (is_exec) {
    // What stands behind -- belongs to the command and is not looked at.
    const auto dashes = std::find(words.begin(), words.end(), "--");
    if (dashes != words.end()) behind.assign(dashes + 1, words.end());
    words.erase(dashes, words.end());
    for (std::size_t i = 0; i < words.size(); ++i) {
      const bool alone = i + 1 == words.size() || words[i + 1].starts_with("--");
      if ((words[i] == "--shadow" || words[i] == "--enabled") && alone) words[i] += "=true";
    }
  }

  int exit_code = 0;
  CLI::App app("Circuit breakers: stop calling what is down, and notice when it is back.", "switchgear");
  app.set_version_flag("--version", "switchgear " SWITCHGEAR_VERSION);
  app.footer(footer);
  app.require_subcommand(1);
  add_demo_command(app, exit_code);
  add_exec_command(app, exit_code, std::move(behind));
  add_status_command(app, exit_code);
  add_history_command(app, exit_code);
  add_events_command(app, exit_code);
  add_dashboard_command(app, exit_code);
  add_operator_commands(app, exit_code);
  add_conform_command(app, exit_code);
  add_simulate_command(app, exit_code);

  if (words.empty()) {
    std::cout << app.help();
    return exit_usage;
  }
  if (!words.front().starts_with("-") && !exists(app, words.front())) {
    complain("there is no command \"" + words.front() + "\"; did you mean \"" +
             std::string(switchgear::nearest(words.front(), names_of_commands(app))) +
             "\"? `switchgear --help` lists them");
    return exit_usage;
  }

  try {
    std::reverse(words.begin(), words.end());  // as CLI11 wants them
    app.parse(words);
    return exit_code;
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help and --version
    complain(explain(app, e));
    return is_exec ? exit_of_exec : exit_usage;
  } catch (const usage_error& e) {
    complain(e.what());
    return is_exec ? exit_of_exec : exit_usage;
  } catch (const std::exception& e) {
    complain(e.what());
    return is_exec ? exit_of_exec : exit_failure;
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + std::min(argc, 1), argv + argc});
  } catch (const std::exception& e) {
    std::cerr << "switchgear: error: " << e.what() << "\n";
    return exit_failure;
  }
}
