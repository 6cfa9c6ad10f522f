// SPDX-License-Identifier: Apache-2.0
#include <switchgear/registry.hpp>

#include <switchgear/config/dotenv.hpp>
#include <switchgear/config/environment.hpp>

#include "registry_core.hpp"

#include <unistd.h>

#include <algorithm>

namespace switchgear::inline v1 {
namespace {

using detail::asked_config;
using detail::registered_breaker;

void throw_if(std::vector<problem> problems) {
  if (!problems.empty()) throw config_error(std::move(problems));
}

void append(std::vector<problem>& all, std::vector<problem> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

bool by_name(const snapshot& a, const snapshot& b) { return a.name < b.name; }

}  // namespace

registry::registry(registry_options options, switchgear::clock& clock) {
  throw_if(options.validate());
  std::vector<problem> problems;
  dotenv_result dotenv;
  if (!options.dotenv.empty()) dotenv = load_dotenv(options.dotenv, missing_file::is_empty);
  append(problems, std::move(dotenv.problems));
  const variables& process = options.environment ? *options.environment : read_environment(environ);
  patch_result environment = from_environment(options.prefix, process, dotenv.file);
  append(problems, std::move(environment.problems));
  throw_if(std::move(problems));

  // Everything at once, as a breaker that the file says nothing of would get it.
  const detail::layering all(options.preset, options.prefix, environment.patch);
  if (options.file.empty()) throw_if(all.resolve({}, {}, detail::file_in_force{}, detail::environment_says::nothing).problems);

  std::optional<std::string> dotenv_enabled;
  const std::string name = variable_name(options.prefix, "enabled");
  for (const dotenv_entry& line : dotenv.file.entries) {
    if (line.name == name) dotenv_enabled = line.value;
  }
  std::erase_if(environment.patch.entries, [](const patch_entry& e) { return e.key == "enabled"; });
  core_ = std::make_shared<detail::registry_core>(options, clock, std::move(environment.patch), std::move(dotenv_enabled));
  try {
    core_->open();
  } catch (...) {
    core_->close();
    throw;
  }
}

registry::~registry() { core_->close(); }

breaker_handle registry::get(std::string_view name) {
  if (breaker_handle found = core_->find(name)) return found;  // nothing was asked for that could differ
  return core_->get(name, {}, classifier::standard());
}

breaker_handle registry::get(std::string_view name, classifier rules) { return core_->get(name, {}, rules); }

breaker_handle registry::get(std::string_view name, const config& whole, classifier rules) {
  return core_->get(name, {asked_config::way::whole, {}, &whole, nullptr}, rules);
}

breaker_handle registry::get(std::string_view name, const config_patch& keys, classifier rules) {
  return core_->get(name, {asked_config::way::keys, {}, nullptr, &keys}, rules);
}

breaker_handle registry::for_agent(std::string_view name, std::string_view type, classifier rules) {
  return core_->get(agent_key(name), {asked_config::way::layers, detail::agent_preset(type), nullptr, nullptr}, rules);
}

breaker_handle registry::get_working(std::string_view name) {
  return core_->get_working(name, {}, classifier::standard());
}

breaker_handle registry::get_working(std::string_view name, classifier rules) { return core_->get_working(name, {}, rules); }

breaker_handle registry::get_working(std::string_view name, const config& whole, classifier rules) {
  return core_->get_working(name, {asked_config::way::whole, {}, &whole, nullptr}, rules);
}

breaker_handle registry::get_working(std::string_view name, const config_patch& keys, classifier rules) {
  return core_->get_working(name, {asked_config::way::keys, {}, nullptr, &keys}, rules);
}

breaker_handle registry::find(std::string_view name) const noexcept { return core_->find(name); }

bool registry::contains(std::string_view name) const noexcept { return static_cast<bool>(core_->find(name)); }

bool registry::enabled() const { return core_->environment() != detail::environment_says::no; }

std::size_t registry::size() const noexcept { return core_->size(); }

std::vector<std::string> registry::names() const {
  std::vector<std::string> out;
  core_->walk([&](const registered_breaker& b) { out.push_back(b.breaker.name()); });
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<snapshot> registry::snapshots() const {
  std::vector<snapshot> out;
  core_->walk([&](const registered_breaker& b) { out.push_back(b.breaker.snapshot()); });
  std::sort(out.begin(), out.end(), by_name);
  return out;
}

std::vector<snapshot> registry::figures() const {
  std::vector<snapshot> out;
  core_->walk([&](const registered_breaker& b) { out.push_back(b.breaker.figures()); });
  std::sort(out.begin(), out.end(), by_name);
  return out;
}

std::vector<configured_value> registry::configuration_of(std::string_view name) const { return core_->configuration_of(name); }

std::vector<std::string> registry::open_circuits() const {
  std::vector<std::string> out;
  core_->walk([&](const registered_breaker& b) {
    const state now = b.breaker.state();
    if (now != state::open && now != state::forced_open) return;
    if (!b.breaker.configuration().shadow) out.push_back(b.breaker.name());
  });
  std::sort(out.begin(), out.end());
  return out;
}

void registry::for_each(const std::function<void(circuit_breaker&)>& f) const {
  core_->walk([&](registered_breaker& b) { f(b.breaker); });
}

void registry::reset_all(const std::string& reason) {
  core_->walk([&](registered_breaker& b) { b.breaker.reset(reason); });
}

void registry::reset_closed(const std::string& reason) {
  core_->walk([&](registered_breaker& b) {
    if (b.breaker.is_closed()) b.breaker.reset(reason);
  });
}

bool registry::remove(std::string_view name) { return core_->remove(name); }

void registry::clear() { core_->clear(); }

std::vector<problem> registry::reload() { return core_->reload(); }

subscription registry::observe_making(std::function<void(const breaker_handle&)> handler) {
  return core_->observe_making(std::move(handler));
}

subscription registry::observe(std::function<void(const event&)> handler, event_filter filter) {
  return core_->observe(std::move(handler), filter);
}

std::vector<registry_report> registry::reports() const { return core_->reports().list(); }

registry_metrics registry::metrics() const { return core_->metrics(); }

registry& default_registry() {
  static registry instance;
  return instance;
}

}  // namespace switchgear::inline v1
