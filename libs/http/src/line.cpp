// SPDX-License-Identifier: Apache-2.0
#include "line.hpp"

#include <csignal>
#include <ctime>

namespace switchgear::inline v1::http::detail {
namespace {

sigset_t just_sigpipe() noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  return set;
}

}  // namespace

sigpipe_guard::sigpipe_guard() noexcept {
  const sigset_t set = just_sigpipe();
  sigset_t before;
  if (pthread_sigmask(SIG_BLOCK, &set, &before) == 0) blocked_ = sigismember(&before, SIGPIPE) == 0;
}

sigpipe_guard::~sigpipe_guard() {
  if (!blocked_) return;
  const sigset_t set = just_sigpipe();
  const timespec at_once{};
  while (sigtimedwait(&set, nullptr, &at_once) == SIGPIPE) {
  }
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace switchgear::inline v1::http::detail
