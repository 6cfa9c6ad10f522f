// SPDX-License-Identifier: Apache-2.0
#include "private_entry.hpp"

#include <cerrno>
#include <cstdio>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace switchgear::inline v1::host {

state_error system_error_of(const std::string& what, int error) {
  char buffer[128];
  return {state_error::kind::system, what + ": " + ::strerror_r(error, buffer, sizeof buffer)};
}

void require_private(int fd, const std::string& what, const std::string& path, const std::string& mode) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) throw system_error_of(what + " cannot be examined", errno);
  if (info.st_uid != ::geteuid()) {
    throw state_error(state_error::kind::refused, what + " belongs to user " + std::to_string(info.st_uid) +
                                                      ", not to you (user " + std::to_string(::geteuid()) +
                                                      "); set SWITCHGEAR_STATE_DIR to a folder of your own");
  }
  if ((info.st_mode & 077) != 0) {
    char have[8];
    std::snprintf(have, sizeof have, "%04o", static_cast<unsigned>(info.st_mode & 07777));
    throw state_error(state_error::kind::refused, what + " is open to others (mode " + have +
                                                      "), who could have changed it; close it with: chmod " +
                                                      mode + " '" + path + "'");
  }
}

}  // namespace switchgear::inline v1::host
