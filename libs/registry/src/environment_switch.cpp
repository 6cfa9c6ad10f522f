// SPDX-License-Identifier: Apache-2.0
#include "environment_switch.hpp"

#include <switchgear/config/environment.hpp>

#include <cstdlib>
#include <utility>

namespace switchgear::inline v1::detail {
namespace {

/// With the name as it is kept: each call asks, and making another string of it would allocate.
std::optional<std::string> from_process(const std::string& name) {
  const char* const value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): see registry_options
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::function<std::optional<std::string>(std::string_view)> reader_of(const registry_options& options) {
  if (options.read_variable) return options.read_variable;
  if (!options.environment) return {};
  const std::string name = variable_name(options.prefix, "enabled");
  std::optional<std::string> value;
  if (const auto found = options.environment->find(name); found != options.environment->end()) value = found->second;
  return [value](std::string_view) { return value; };
}

}  // namespace

environment_switch::environment_switch(const registry_options& options, std::optional<std::string> fallback)
    : prefix_(options.prefix),
      name_(variable_name(options.prefix, "enabled")),
      read_(reader_of(options)),
      fallback_(std::move(fallback)) {}

environment_says environment_switch::meaning(std::string_view text) const {
  if (text == "true" || text == "1") return environment_says::yes;  // quickly, since calls ask
  if (text == "false" || text == "0") return environment_says::no;
  const patch_result all = from_environment(prefix_, {{name_, std::string(text)}});
  if (all.patch.entries.size() != 1) return environment_says::nothing;
  const reading<bool> said = read_bool(all.patch.entries.front().value);
  if (!said) return environment_says::nothing;
  return *said.value ? environment_says::yes : environment_says::no;
}

environment_says environment_switch::read(report_log& reports) const {
  const environment_says said = look(reports);
  // Read first, so that threads that call do not write to it needlessly.
  if (said != environment_says::no && said != last_permission()) permission_.store(said, std::memory_order_relaxed);
  return said;
}

environment_says environment_switch::look(report_log& reports) const {
  std::optional<std::string> text = read_ ? read_(name_) : from_process(name_);
  if (!text) text = fallback_;
  if (!text) return environment_says::nothing;
  const environment_says said = meaning(*text);
  if (said != environment_says::nothing) return said;
  {
    const std::lock_guard lock(mutex_);
    if (reported_ == text) return said;
    reported_ = std::move(text);
  }
  // Without the value, which may be a secret in the wrong place.
  reports.add({registry_report_kind::environment_unreadable,
               {},
               name_ + " says neither yes nor no (allowed: true, false, yes, no, on, off, 1, 0); it counts as not set",
               {},
               1});
  return said;
}

}  // namespace switchgear::inline v1::detail
