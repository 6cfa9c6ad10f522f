// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/host/state_error.hpp>

#include <string>

namespace switchgear::inline v1::host {

/// `what: the system's words`, as a state_error to throw.
[[nodiscard]] state_error system_error_of(const std::string& what, int error);

/// Throws state_error unless the open file or folder belongs to this user and nobody else may do anything with it.
/// `what` names it in the message, `path` and `mode` say what to type to set it right.
void require_private(int fd, const std::string& what, const std::string& path, const std::string& mode);

}  // namespace switchgear::inline v1::host
