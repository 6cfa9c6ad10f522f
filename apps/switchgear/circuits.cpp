// SPDX-License-Identifier: Apache-2.0
#include "circuits.hpp"

#include <switchgear/config/keys.hpp>
#include <switchgear/host/file_name.hpp>

#include "command.hpp"

namespace host = switchgear::host;
using host::state_error;

namespace {

std::optional<host::state_folder> existing_folder() {
  try {
    return host::state_folder::open(host::default_state_folder());
  } catch (const state_error& e) {
    if (e.what_kind() != state_error::kind::missing) throw;
    return std::nullopt;
  }
}

/// The names of the circuits that can be read.
std::vector<std::string> names_in(const host::state_folder& folder) {
  std::vector<std::string> names;
  for (const std::string& file : folder.files()) {
    try {
      names.push_back(host::read_circuit(folder, file).snapshot.name);
    } catch (const state_error&) {  // a damaged one is nobody's nearest name
    }
  }
  return names;
}

state_error unknown(const std::string& name, const host::state_folder* folder) {
  std::string text = "there is no circuit \"" + name + "\"";
  std::vector<std::string> names;
  if (folder != nullptr) names = names_in(*folder);
  const std::vector<std::string_view> views(names.begin(), names.end());
  if (views.empty()) {
    text += "; there is none at all yet in " + host::default_state_folder().string();
  } else {
    text += "; the nearest name is \"" + std::string(switchgear::nearest(name, views)) + "\"";
  }
  return {state_error::kind::missing,
          text + ". A circuit comes into being with its first `switchgear exec --name NAME`"};
}

template <class F>
auto with_circuit(const std::string& name, F use) {
  require_name(name);
  const auto folder = existing_folder();
  if (!folder) throw unknown(name, nullptr);
  try {
    return use(*folder);
  } catch (const state_error& e) {
    if (e.what_kind() != state_error::kind::missing) throw;
  }
  throw unknown(name, &*folder);
}

}  // namespace

void require_name(const std::string& name) {
  if (const auto problem = switchgear::validate_name(name)) throw usage_error(to_string(*problem));
}

circuit_list read_circuits(const std::vector<std::string>& names) {
  circuit_list out;
  if (names.empty()) {
    const auto folder = existing_folder();
    if (!folder) return out;
    for (const std::string& file : folder->files()) {
      try {
        out.circuits.push_back(host::read_circuit(*folder, file));
      } catch (const state_error& e) {
        out.problems.emplace_back(e.what());
      }
    }
    return out;
  }
  for (const std::string& name : names) {
    try {
      out.circuits.push_back(view_circuit(name));
    } catch (const state_error& e) {
      out.problems.emplace_back(e.what());
    }
  }
  return out;
}

host::state_file open_circuit(const std::string& name) {
  return with_circuit(name, [&](const host::state_folder& folder) { return host::state_file::open(folder, name); });
}

host::circuit_view view_circuit(const std::string& name) {
  return with_circuit(name, [&](const host::state_folder& folder) {
    return host::read_circuit(folder, host::file_name_of(name));
  });
}
