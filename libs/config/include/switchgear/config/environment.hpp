// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "switchgear/config/dotenv.hpp"
#include "switchgear/config/patch.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace switchgear::inline v1 {

/// The prefix of the variables when the user chooses no other.
inline constexpr std::string_view default_prefix = "SWITCHGEAR_CB";

/// The origin of entries that were found among the variables of the process.
inline constexpr std::string_view origin_environment = "the environment";

/// Environment variables by name. Handed in rather than looked up, so that a test needs no global state.
using variables = std::map<std::string, std::string, std::less<>>;

/// Copies an environment in the form of `environ` or of the third argument of main(); nullptr is an empty one. Where a
/// name stands twice, the first counts, as for getenv().
[[nodiscard]] variables read_environment(const char* const* environment);

/// The keys that variables set: `PREFIX_OPEN_DURATION`, one for each key and alias, upper case. A `.env` file counts
/// where the process environment does not set the same key (under whichever of its names); its variables without the
/// prefix are others' and ignored.
///
/// Booleans are true, false, yes, no, on, off, 1 or 0, in any case. An empty value, and any `PREFIX_…` variable that is
/// no key, is a problem that names the variable. Nothing of a value that could not be read is shown: it may be a secret
/// that was pasted into the wrong line.
[[nodiscard]] patch_result from_environment(std::string_view prefix, const variables& process,
                                            const dotenv_file& dotenv = {});

/// `SWITCHGEAR_CB_OPEN_DURATION` for the key `open_duration`.
[[nodiscard]] std::string variable_name(std::string_view prefix, std::string_view key);

}  // namespace switchgear::inline v1
