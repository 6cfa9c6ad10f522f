// SPDX-License-Identifier: Apache-2.0
#include <switchgear/registry_options.hpp>

#include <switchgear/config/patch.hpp>

namespace switchgear::inline v1 {

std::vector<problem> registry_options::validate() const {
  std::vector<problem> out;
  const auto refuse = [&](const char* key, std::string value, const char* allowed, const char* why) {
    out.push_back({key, std::move(value), allowed, why});
  };
  if (max_breakers < 1 || max_breakers > std::size_t{1} << 24) {
    refuse("max_breakers", std::to_string(max_breakers), "1 … 16777216", "out of range");
  }
  if (!preset.empty()) {
    for (problem& p : preset_patch(preset, {}).problems) out.push_back(std::move(p));
  }
  for (problem& p : from_environment(prefix, {}).problems) out.push_back(std::move(p));
  if (watch_file && file.empty()) refuse("watch_file", "true", "only with file", "there is no file to watch");
  if (poll_interval < std::chrono::nanoseconds(0)) {
    refuse("poll_interval", format_duration(poll_interval), "0s or longer", "a duration cannot be negative");
  }
  if (max_reports < 1 || max_reports > 100'000) {
    refuse("max_reports", std::to_string(max_reports), "1 … 100000", "out of range");
  }
  return out;
}

}  // namespace switchgear::inline v1
